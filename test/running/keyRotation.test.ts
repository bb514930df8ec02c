import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { freePort } from '../../scripts/servers.mjs';
import { ask } from '../support/command.ts';
import { NGINX, type Nginx, startNginx } from '../support/nginx.ts';
import { MEMBER, OTHER_MEMBER } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

/** Seconds for which an app keeps the public keys, and after which a process looks for new ones. */
const MAX_AGE = 2;

(STORE_PAIRS[1].available && NGINX ? describe : describe.skip)(
  'two nodes under load while their keys are rotated',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'rotation-'));
    const nodes: StartedProcess[] = [];
    let proxy: Nginx;
    let env: Record<string, string>;
    beforeAll(async () => {
      const ports = [await freePort(), await freePort()];
      proxy = await startNginx(ports);
      const { mongoUri, redisUrl } = await freshServers();
      const CLIENTS_FILE = join(folder, 'clients.json');
      writeFileSync(CLIENTS_FILE, JSON.stringify([webClient()]));
      env = {
        ...{ MONGODB_URI: mongoUri, REDIS_URL: redisUrl, ISSUER: proxy.url, DATA_DIR: folder, CLIENTS_FILE },
        ...{ PORTAL_PORT: '0', JWKS_MAX_AGE_SECONDS: String(MAX_AGE), KEY_POLL_SECONDS: '1' },
      };
      for (const port of ports) {
        const node = await startProcess({ ...env, PORT: String(port) });
        await node.ready();
        nodes.push(node);
      }
    }, 60_000);
    afterAll(async () => {
      await proxy.close();
      await Promise.all(nodes.map((node) => node.stop()));
      rmSync(folder, { recursive: true, force: true });
    });

    test('sign nothing that an app with the keys of a moment ago cannot verify, and fail no sign-in', async () => {
      const app = await RelyingParty.discover(proxy.url);
      /** As a careful app does: the set is fetched when it is older than its max-age, and never for a key that is not in it. */
      let kept: { readonly keys: ReturnType<typeof jose.createLocalJWKSet>; readonly until: number } | undefined;
      const keys = async () => {
        if (kept === undefined || kept.until <= Date.now()) {
          const until = Date.now() + MAX_AGE * 1_000;
          const set = (await (await fetch(`${proxy.url}/jwks`)).json()) as jose.JSONWebKeySet;
          kept = { keys: jose.createLocalJWKSet(set), until };
        }
        return kept.keys;
      };
      const signedBy = new Map<string, number>();
      let running = true;
      const member = async (who: typeof MEMBER) => {
        while (running) {
          const started = await app.start();
          const end = await signIn(new Visitor(), proxy.url, started, who);
          const token = String((await app.redeem(end.url, started)).id_token);
          const { protectedHeader } = await jose.jwtVerify(token, await keys(), { issuer: proxy.url });
          signedBy.set(String(protectedHeader.kid), (signedBy.get(String(protectedHeader.kid)) ?? 0) + 1);
        }
      };
      const members = Promise.all([member(MEMBER), member(OTHER_MEMBER), member(MEMBER)]);
      try {
        for (const count of [2, 3]) {
          await within(10, async () => (signedBy.get([...signedBy.keys()].at(-1) ?? '') ?? 0) > 3);
          await ask(['keys', 'rotate'], env);
          await within(15, async () => signedBy.size === count);
        }
      } finally {
        running = false;
        await members;
      }
      expect(signedBy.size).toBe(3);
    }, 60_000);
  },
);
