import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openEmbeddedStores } from '../../src/stores/open.ts';
import { TestClock } from '../support/clock.ts';
import { MEMBER } from '../support/provider.ts';
import { type StartedProcess, startProcess, statusOf } from '../support/startedProcess.ts';
import { Visitor } from '../support/visitor.ts';

const running: StartedProcess[] = [];
afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));

async function started(env: Readonly<Record<string, string>>): Promise<StartedProcess> {
  const one = await startProcess(env);
  running.push(one);
  await one.ready();
  return one;
}

const readiness = async (issuer: string) => {
  const answer = await fetch(`${issuer}/health/ready`);
  return [answer.status, ((await answer.json()) as { status: string }).status];
};

/** Becomes true within five seconds, or the test fails. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error('it did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('on SIGTERM it is not ready at once, serves on, finishes what was asked, and ends well', async () => {
  // A wrong password is answered after 2.5 s, which is longer than it goes on serving.
  const { child, issuer, portal, ended } = await started({ DRAIN_SECONDS: '1', REFUSAL_FLOOR_MS: '2500' });
  const visitor = new Visitor();
  const page = await visitor.go(`${portal}/login`, 'http://localhost');
  const slow = visitor.post(page, { ...MEMBER, password: 'not the right one' });
  await new Promise((resolve) => setTimeout(resolve, 100));

  child.kill('SIGTERM');
  await eventually(async () => (await readiness(issuer))[1] === 'draining');
  expect(await readiness(issuer)).toEqual([503, 'draining']);
  expect([await statusOf(`${issuer}/health/live`), await statusOf(`${issuer}/jwks`)]).toEqual([200, 200]);

  await eventually(async () => (await statusOf(`${issuer}/jwks`)) === 'ECONNREFUSED');
  const answer = await slow;
  expect([answer.status, answer.body.includes('id="password"')]).toEqual([401, true]);
  expect(await ended).toBe(0);
});

test('a connection that is kept alive is told to go elsewhere', async () => {
  const { child, issuer, ended } = await started({ DRAIN_SECONDS: '1', PORTAL_PORT: '0' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const connectionOf = () =>
    new Promise<string | undefined>((resolve, reject) => {
      const answered = (answer: import('node:http').IncomingMessage) => {
        answer.resume().once('end', () => resolve(answer.headers.connection));
      };
      get(`${issuer}/jwks`, { agent }, answered).once('error', reject);
    });
  expect(await connectionOf()).toBe('keep-alive');
  child.kill('SIGTERM');
  await eventually(async () => (await connectionOf()) === 'close');
  expect(await ended).toBe(0);
  agent.destroy();
});

test('a connection is kept for longer than a proxy keeps it, so that none is closed over a form', async () => {
  const { issuer } = await started({ PORTAL_PORT: '0' });
  // nginx, and the load balancers of the large clouds: 60 s.
  expect((await fetch(`${issuer}/jwks`)).headers.get('keep-alive')).toBe('timeout=75');
});

test('one that is idle does not hold the end up', async () => {
  const { child, issuer, ended } = await started({ PORTAL_PORT: '0' });
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve) =>
    get(`${issuer}/jwks`, { agent }, (answer) => answer.resume().once('end', resolve)),
  );
  const asked = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(performance.now() - asked).toBeLessThan(2_000);
  agent.destroy();
});

test('a second SIGTERM ends at once', async () => {
  const { child, issuer, ended } = await started({ DRAIN_SECONDS: '60', PORTAL_PORT: '0' });
  child.kill('SIGTERM');
  await eventually(async () => (await readiness(issuer))[1] === 'draining');
  const asked = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(performance.now() - asked).toBeLessThan(2_000);
});

test('a message that is being sent at the end is put down as sent, and nobody sends it again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drain-'));
  let taken = 0;
  let answer = () => {};
  const gateway = createServer((request, response) => {
    taken += 1;
    answer = () => response.writeHead(202).end();
    request.resume();
  }).listen(0);
  gateway.unref();
  const { port } = gateway.address() as AddressInfo;
  const { child, issuer, portal, ended } = await started({
    ...{
      SMS_GATEWAY_URL: `http://localhost:${port}/`,
      SMS_GATEWAY_SECRET: 'the secret of a gateway that takes its time',
    },
    ...{ DATA_DIR: folder, REFUSAL_FLOOR_MS: '50', DRAIN_SECONDS: '0' },
  });
  // Its owner is told of the lock.
  const visitor = new Visitor();
  const page = await visitor.go(`${portal}/login`, 'http://localhost');
  for (let i = 0; i < 6; i += 1) await visitor.post(page, { ...MEMBER, password: 'not the right one' });
  await eventually(async () => taken === 1);
  child.kill('SIGTERM');
  await eventually(async () => (await statusOf(`${issuer}/jwks`)) === 'ECONNREFUSED');
  answer();
  expect(await ended).toBe(0);
  const clock = new TestClock();
  clock.advance(Date.now() + 3_600_000 - clock.now());
  const stores = openEmbeddedStores(folder, clock);
  expect(await stores.outbox.take('messages:sms', 10, 1_000)).toEqual([]);
  await stores.close();
  gateway.close();
  rmSync(folder, { recursive: true, force: true });
});
