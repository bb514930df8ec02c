import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { ask } from '../support/command.ts';
import { signInWithoutPause } from '../support/load.ts';
import { NGINX, type Nginx, startNginx } from '../support/nginx.ts';
import { ROOT } from '../support/provider.ts';
import { webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT, maxBuffer: 1 << 28 });

/** The version that members use while this one comes: the file beside names its commit; it is moved at each release. */
const PREVIOUS = [readFileSync(join(ROOT, 'test/long/previousVersion'), 'utf8').trim(), 'HEAD~1'].find(
  (commit) => git('cat-file', '-e', `${commit}^{commit}`).status === 0,
);

(STORE_PAIRS[1].available && NGINX && PREVIOUS !== undefined ? describe : describe.skip)(
  `two nodes that go from the previous version (${PREVIOUS?.slice(0, 7) ?? 'its commit is not in this clone'}) to this one`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'previous-'));
    const before = join(folder, 'version');
    const nodes: StartedProcess[] = [];
    const places: Server[] = [];
    let ports: readonly number[];
    let proxy: Nginx;
    let env: Record<string, string>;
    beforeAll(async () => {
      mkdirSync(before);
      const tree = git('archive', String(PREVIOUS));
      expect(spawnSync('tar', ['-xf', '-', '-C', before], { input: tree.stdout }).status).toBe(0);
      symlinkSync(join(ROOT, 'node_modules'), join(before, 'node_modules'));
      const { mongoUri, redisUrl } = await freshServers();
      const CLIENTS_FILE = join(folder, 'clients.json');
      writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
      ports = [await freePort(), await freePort()];
      proxy = await startNginx(ports);
      env = {
        ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, ISSUER: proxy.url, DATA_DIR: folder, CLIENTS_FILE },
        ...{ PORTAL_PORT: '0', DRAIN_SECONDS: '1' },
      };
      for (const index of [0, 1] as const) await begin(index, before);
    }, 120_000);
    afterAll(async () => {
      await proxy.close();
      for (const place of places) place.close();
      await Promise.all(nodes.map((node) => node.stop()));
      rmSync(folder, { recursive: true, force: true });
    });

    /**
     * As a Service of Kubernetes does it: a node is reached once it is ready, and by nobody new from when it is told to end. (The version
     * before answered an empty 503 while it started, which nginx alone shows to who sends a form.)
     */
    async function begin(index: 0 | 1, root: string): Promise<void> {
      const port = await freePort();
      const node = await startProcess({ ...env, PORT: String(port) }, root);
      await node.ready();
      nodes[index] = node;
      const place = createServer((client) => {
        const inner = connect(port, '127.0.0.1');
        client.pipe(inner).pipe(client);
        client.on('error', () => inner.destroy());
        inner.on('error', () => client.destroy());
      });
      places[index] = place;
      await new Promise<void>((resolve) => place.listen(ports[index], '127.0.0.1', resolve));
    }

    /** One node is replaced; then both serve beside each other for a while. */
    async function replace(index: 0 | 1, root: string, count: () => number): Promise<void> {
      const node = nodes[index] as StartedProcess;
      places[index]?.close();
      node.child.kill('SIGTERM');
      expect(await node.ended).toBe(0);
      await begin(index, root);
      const reached = count() + 10;
      await within(60, async () => count() >= reached);
    }

    test('and back, one after the other and beside each other, fail no sign-in, session or refresh', async () => {
      const load = await signInWithoutPause(proxy.url, 3);
      try {
        await within(60, async () => load.count() >= 10);
        await replace(0, ROOT, load.count);
        await replace(1, ROOT, load.count);
        // This version shows a fault in earnest: the one before has to do with all that this one has written.
        await replace(0, before, load.count);
        await replace(0, ROOT, load.count);
      } finally {
        const signedIn = await load.stop();
        console.info(
          `${signedIn} sign-ins from ${PREVIOUS?.slice(0, 7)} to this version, back with one node, and forth`,
        );
      }
      expect(proxy.broken()).toBe(0);
      expect(await ask<object>(['audit', 'verify'], env)).toMatchObject({ intact: true, faults: 0 });
    }, 300_000);
  },
);
