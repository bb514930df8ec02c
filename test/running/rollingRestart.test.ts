import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/servers.mjs';
import { signInWithoutPause } from '../support/load.ts';
import { NGINX, type Nginx, startNginx } from '../support/nginx.ts';
import { MEMBER } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

(STORE_PAIRS[1].available && NGINX ? describe : describe.skip)('two nodes behind nginx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rolling-'));
  const nodes: StartedProcess[] = [];
  let ports: readonly number[];
  let proxy: Nginx;
  let begin: (port: number) => Promise<StartedProcess>;
  beforeAll(async () => {
    const CLIENTS_FILE = join(folder, 'clients.json');
    writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
    ports = [await freePort(), await freePort()];
    proxy = await startNginx(ports);
    const { mongoUri, redisUrl } = await freshServers();
    begin = async (port) => {
      const node = await startProcess({
        ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, ISSUER: proxy.url, DATA_DIR: folder, CLIENTS_FILE },
        ...{ PORT: String(port), PORTAL_PORT: '0', DRAIN_SECONDS: '1' },
      });
      await node.ready();
      return node;
    };
    for (const port of ports) nodes.push(await begin(port));
  }, 60_000);
  afterAll(async () => {
    await proxy.close();
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('that are restarted one after the other fail no sign-in', async () => {
    const load = await signInWithoutPause(proxy.url, 2);
    for (const [index, port] of ports.entries()) {
      nodes[index]?.child.kill('SIGTERM');
      expect(await nodes[index]?.ended).toBe(0);
      nodes[index] = await begin(port);
    }
    expect(await load.stop()).toBeGreaterThan(5);
    expect(proxy.broken()).toBe(0);
  }, 60_000);

  test('keep their figures to themselves', async () => {
    expect((await fetch(`${proxy.url}/metrics`)).status).toBe(404);
  });

  test('let one address begin only so many sign-ins, and all else go on', async () => {
    const limited = await startNginx(ports, { limited: true });
    const app = await RelyingParty.discover(proxy.url);
    const { search } = new URL((await app.start()).url);
    const ask = (path: string) => fetch(limited.url + path, { redirect: 'manual' });
    // oidc-provider takes a path in any letters.
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => ask((i % 2 ? '/auth' : '/AUTH/') + search)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 303).length + refused.length).toBe(200);
    // A hundred at once, and ten more each second.
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.length).toBeLessThanOrEqual(100);
    expect(refused[0]?.headers.get('retry-after')).toBe('10');
    expect(await refused[0]?.text()).toContain('Too many people are signing in from your network');
    expect((await ask('/jwks')).status).toBe(200);
    await limited.close();
  });

  test('that are both gone over a form: a page says so, and its link goes on when they are back', async () => {
    const visitor = new Visitor();
    const app = await RelyingParty.discover(proxy.url);
    const started = await app.start();
    const page = await visitor.go(started.url, proxy.url);
    for (const node of nodes) {
      node.child.kill('SIGKILL');
      await node.ended;
    }
    const gone = await visitor.post(page, MEMBER);
    expect([gone.status, gone.headers.get('retry-after')]).toEqual([503, '10']);
    expect(gone.body).toContain('Sign-in is not working right now');
    expect(gone.body).toContain('<a id="try-again" href="">Try again</a>');
    for (const [index, port] of ports.entries()) nodes[index] = await begin(port);
    const back = await visitor.go(gone.url, proxy.url);
    const end = await visitor.submit(back, MEMBER, proxy.url);
    expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
  }, 60_000);
});
