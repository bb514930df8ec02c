import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { MEMBER } from '../support/provider.ts';
import { type StartedProcess, startProcess, statusOf, workersOf } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { Visitor } from '../support/visitor.ts';

/** Waits for something; jest gives up on what never comes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1;

/** Each suite with several workers needs stores that they can share. */
(STORE_PAIRS[1]?.available ? describe : describe.skip)('several workers', () => {
  let provider: StartedProcess;
  beforeAll(async () => {
    const { mongoUri, redisUrl } = await freshServers();
    provider = await startProcess({
      ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl },
      ...{ WORKERS: '2', DRAIN_SECONDS: '0', LOG_LEVEL: 'info' },
    });
    await provider.ready();
    await until(() => provider.output().includes('Sign in as'));
  });
  afterAll(() => provider.stop());

  test('greet once, and are there', () => {
    expect(occurrences(provider.output(), 'The identity provider runs at')).toBe(1);
    expect(workersOf(provider.child)).toHaveLength(2);
  });

  test('sign a member in, whichever of them answers', async () => {
    for (let time = 0; time < 3; time += 1) {
      const visitor = new Visitor({ connection: 'close' });
      const page = await visitor.go(`${provider.portal}/login`, 'http://localhost');
      const back = await visitor.submit(page, MEMBER, 'http://localhost');
      expect(back.body).toContain('Welcome, Sample');
    }
  });

  test('show the sum of their figures, whichever of them is asked', async () => {
    const asked = async () => {
      const text = await (await fetch(`${provider.issuer}/metrics`, { headers: { connection: 'close' } })).text();
      return Number(
        /idp_protocol_duration_seconds_count\{endpoint="discovery",status="2xx"\} (\d+)/.exec(text)?.[1] ?? 0,
      );
    };
    const before = await asked();
    for (let time = 0; time < 10; time += 1) {
      expect(await statusOf(`${provider.issuer}/.well-known/openid-configuration`)).toBe(200);
    }
    expect([await asked(), await asked(), await asked()]).toEqual(Array(3).fill(before + 10));
  });

  test('one that dies is replaced, and the other serves meanwhile', async () => {
    const [first = 0, other = 0] = workersOf(provider.child);
    process.kill(first, 'SIGKILL');
    // What was handed to it in its last moment is lost with it; from here on everything goes to the other.
    await until(() => provider.output().includes('a worker ended and is replaced'));
    const serving = () => occurrences(provider.output(), 'a worker serves');
    const answers: unknown[] = [];
    while (serving() < 3) answers.push(await statusOf(`${provider.issuer}/health/ready`));
    expect(answers.length).toBeGreaterThan(10);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(workersOf(provider.child)).toHaveLength(2);
    expect(workersOf(provider.child)).toContain(other);
    expect(workersOf(provider.child)).not.toContain(first);
    for (let time = 0; time < 4; time += 1) expect(await statusOf(`${provider.issuer}/jwks`)).toBe(200);
  });

  test('end well, all of them, on SIGTERM', async () => {
    const all = workersOf(provider.child);
    provider.child.kill('SIGTERM');
    expect(await provider.ended).toBe(0);
    for (const pid of all) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('workers that cannot start', () => {
  let provider: StartedProcess | undefined;
  afterEach(() => provider?.stop());

  const fails = async (env: Readonly<Record<string, string>>, words: string) => {
    provider = await startProcess({ WORKERS: '2', PORTAL_PORT: '0', ...env });
    expect(await provider.ended).toBe(1);
    expect([occurrences(provider.output(), words), provider.output().includes('\n    at ')]).toEqual([1, false]);
  };

  test('because the servers do not answer end the whole, and say why once', async () => {
    const nobody = await freePort();
    const servers = { MONGODB_URI: `mongodb://127.0.0.1:${nobody}/x`, REDIS_URL: `redis://127.0.0.1:${nobody}` };
    await fails(servers, 'does not answer');
  });

  test('because the settings are wrong say so once', () => fails({}, 'WORKERS: the embedded store is for one process'));

  (STORE_PAIRS[1]?.available ? test : test.skip)('because the port is taken say so once', async () => {
    const { mongoUri, redisUrl } = await freshServers();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, () => resolve()));
    const { port } = other.address() as AddressInfo;
    await fails({ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, PORT: String(port) }, `Port ${port} is taken`);
    await new Promise((resolve) => other.close(resolve));
  });

  (STORE_PAIRS[1]?.available ? test : test.skip)('because a client is no good say so once', async () => {
    const { mongoUri, redisUrl } = await freshServers();
    const path = join(mkdtempSync(join(tmpdir(), 'workers-')), 'clients.json');
    writeFileSync(path, JSON.stringify([{ client_id: 'no-good', redirect_uris: ['not a uri'], client_secret: 'x' }]));
    await fails({ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, CLIENTS_FILE: path }, 'CLIENTS_FILE: client no-good');
  });
});
