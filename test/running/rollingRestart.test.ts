import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { balance } from '../support/balancer.ts';
import { signInWithoutPause } from '../support/load.ts';
import { webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

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

    const load = await signInWithoutPause(balancer.url, 2);
    for (const [index, port] of ports.entries()) {
      nodes[index]?.child.kill('SIGTERM');
      expect(await nodes[index]?.ended).toBe(0);
      nodes[index] = await begin(port);
    }
    expect(await load.stop()).toBeGreaterThan(5);
    expect(balancer.broken()).toBe(0);
  }, 60_000);
});
