import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { MEMBER } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess, statusOf } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

/** A load balancer: asks each node whether it is ready, and sends requests to those that are, in turn. */
function balance(ports: readonly number[]) {
  const ready = new Set<number>();
  let turn = 0;
  const check = async (port: number) => {
    if ((await statusOf(`http://localhost:${port}/health/ready`)) === 200) ready.add(port);
    else ready.delete(port);
  };
  const checking = setInterval(() => void Promise.all(ports.map(check)), 100);
  const server = createServer((asked: IncomingMessage, answer: ServerResponse) => {
    turn += 1;
    const port = [...ready][turn % ready.size];
    const { method, url, headers } = asked;
    const handed = request({ port, method, path: url, headers, agent: false }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    handed.once('error', () => answer.writeHead(502).end('nobody there'));
    asked.pipe(handed);
  }).listen(0);
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    ready,
    close() {
      clearInterval(checking);
      server.close();
      server.closeAllConnections();
    },
  };
}

(STORE_PAIRS[1]?.available ? describe : describe.skip)('two nodes that are restarted one after the other', () => {
  const nodes: StartedProcess[] = [];
  let balancer: ReturnType<typeof balance>;
  afterAll(async () => {
    balancer.close();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  test('fail no sign-in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rolling-'));
    const CLIENTS_FILE = join(folder, 'clients.json');
    writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
    const ports = [await freePort(), await freePort()];
    balancer = balance(ports);
    const { mongoUri, redisUrl } = await freshServers();
    const begin = async (port: number): Promise<StartedProcess> => {
      const node = await startProcess({
        ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, ISSUER: balancer.url, DATA_DIR: folder, CLIENTS_FILE },
        ...{ PORT: String(port), PORTAL_PORT: '0', DRAIN_SECONDS: '1' },
      });
      await node.ready();
      while (!balancer.ready.has(port)) await new Promise((resolve) => setTimeout(resolve, 20));
      return node;
    };
    for (const port of ports) nodes.push(await begin(port));

    let restarting = true;
    let signedIn = 0;
    const app = await RelyingParty.discover(balancer.url);
    const member = async () => {
      while (restarting) {
        const started = await app.start();
        const end = await signIn(new Visitor(), balancer.url, started, MEMBER);
        expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
        signedIn += 1;
      }
    };
    const members = Promise.all([member(), member()]);
    for (const [index, port] of ports.entries()) {
      nodes[index]?.child.kill('SIGTERM');
      expect(await nodes[index]?.ended).toBe(0);
      nodes[index] = await begin(port);
    }
    restarting = false;
    await members;
    expect(signedIn).toBeGreaterThan(5);
  }, 60_000);
});
