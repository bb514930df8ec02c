import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as jose from 'jose';
import * as openid from 'openid-client';
import { ask, type } from '../support/command.ts';
import { identify } from '../support/errands.ts';
import { MEMBER } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

for (const { name, available } of STORE_PAIRS) {
  (available ? describe : describe.skip)(`commands beside a provider that runs on ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'beside-'));
    let env: Record<string, string>;
    let provider: StartedProcess;
    beforeAll(async () => {
      const servers = name === 'the embedded store' ? undefined : await freshServers();
      env = {
        ...{ DATA_DIR: join(folder, 'data'), JWKS_MAX_AGE_SECONDS: '1', KEY_POLL_SECONDS: '1', REFUSAL_FLOOR_MS: '0' },
        ...(servers === undefined ? {} : { MONGODB_URI: servers.mongoUri, REDIS_URL: servers.redisUrl }),
      };
      provider = await startProcess(env);
      await provider.ready();
    });
    afterAll(async () => {
      await provider.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const make = ['clients', 'make', '--kind', 'web', '--name', 'Made', '--client-uri', 'https://app.example/'];
    const made = async (...more: string[]) => {
      const line = [...make, '--first-party', '--redirect-uri', 'https://app.example/callback', ...more];
      const { client_id, client_secret } = await ask<{ client_id: string; client_secret: string }>(line, env);
      return { client_id, client_secret, heardBy: Date.now() + 5_000 };
    };
    const appOf = (client: { client_id: string; client_secret: string }) =>
      RelyingParty.discover(provider.issuer, webClient({ ...client }));
    const serves = async (id: string): Promise<boolean> => {
      const asked = { client_id: id, response_type: 'code', redirect_uri: 'https://app.example/callback' };
      const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', scope: 'openid' };
      const query = new URLSearchParams({ ...asked, ...pkce });
      return (await new Visitor().fetch(`${provider.issuer}/auth?${query}`)).status === 303;
    };
    const signInFor = async (app: RelyingParty) => {
      const started = await app.start();
      const back = await signIn(new Visitor(), provider.issuer, started, MEMBER);
      return app.redeem(back.url, started);
    };

    test('a client that was made signs a member in; disabled it is refused within 5 s, and enabled it serves again', async () => {
      // The provider has just heard that there is no such client, and remembers.
      expect(await serves('late')).toBe(false);
      const client = await made('--id', 'late');
      await within((client.heardBy - Date.now()) / 1_000, () => serves('late'));
      expect((await signInFor(await appOf(client))).claims()?.sub).toMatch(/^[0-9a-f-]{36}$/);

      await ask(['clients', 'disable', 'late'], env);
      await within(5, async () => !(await serves('late')));
      await ask(['clients', 'enable', 'late'], env);
      await within(5, () => serves('late'));
    });

    test('a code in a letter lets a member in whom no message reaches, once', async () => {
      const letter = await ask<{ code: string; until: string }>(['members', 'letter-code', 'mhp 100 2008'], env);
      expect(Date.parse(letter.until) - Date.now()).toBeGreaterThan(20.9 * 86_400_000);
      const who = {
        ...{ 'first-name': 'Without', 'last-name': 'Contact', 'postal-code': '97215' },
        ...{ 'birth-month': '6', 'birth-day': '2', 'birth-year': '1945' },
      };
      const typeIt = async (visitor: Visitor, code: string) => {
        const contact = await identify(visitor, provider, { person: who, number: 'MHP-100-2008' });
        const page = await visitor.submit(contact, { way: 'letter' }, provider.issuer);
        expect(page.body).toContain('Type the code from our letter');
        return visitor.submit(page, { code }, provider.issuer);
      };
      const wrong = letter.code === '000000' ? '000001' : '000000';
      expect((await typeIt(new Visitor(), wrong)).status).toBe(422);
      expect((await typeIt(new Visitor(), letter.code)).body).toContain('How can we reach you?');
      expect((await typeIt(new Visitor(), letter.code)).status).toBe(410);

      const nobody = await type(['members', 'letter-code', 'MHP-1'], env);
      expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('No membership has the number MHP-1')]);
    });

    test('both secrets work during the overlap, and only the new one after it', async () => {
      const client = await made();
      const worksWith = async (client_secret: string): Promise<boolean> => {
        const app = await appOf({ ...client, client_secret });
        const answer = await openid.tokenIntrospection(app.config, 'nothing').catch(() => undefined);
        return answer !== undefined;
      };
      await within(5, () => worksWith(client.client_secret));
      const rotate = (...more: string[]) =>
        ask<{ client_secret: string }>(['clients', 'rotate-secret', client.client_id, ...more], env);
      const second = (await rotate('--overlap', '1d')).client_secret;
      await within(5, () => worksWith(second));
      expect(await worksWith(client.client_secret)).toBe(true);
      const third = (await rotate('--now')).client_secret;
      await within(5, async () => !(await worksWith(second)));
      expect([await worksWith(client.client_secret), await worksWith(third)]).toEqual([false, true]);
    });

    test('a rotated key is published at once and signs after its time', async () => {
      const app = await appOf(await made());
      const keySet = async () => (await (await fetch(`${provider.issuer}/jwks`)).json()) as jose.JSONWebKeySet;
      const kidOf = async () => jose.decodeProtectedHeader(String((await signInFor(app)).id_token)).kid;
      const before = await kidOf();
      const old = jose.createLocalJWKSet(await keySet());
      const { keys, signsFrom } = await ask<{ keys: { kid: string; alg: string; state: string }[]; signsFrom: string }>(
        ['keys', 'rotate'],
        env,
      );
      const next = keys.find(({ alg, state }) => alg === 'ES256' && state === 'next')?.kid;
      const published = async () => JSON.stringify(await keySet());
      await within(3, async () => (await published()).includes(String(next)));
      await within((Date.parse(signsFrom) - Date.now()) / 1_000 + 5, async () => (await kidOf()) === next);
      expect(next).not.toBe(before);
      expect(await published()).toContain(before);
      const { id_token } = await signInFor(app);
      await expect(jose.jwtVerify(String(id_token), old)).rejects.toThrow('no applicable key');
      await jose.jwtVerify(String(id_token), jose.createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)));
    });

    test('an emergency rotation signs with new keys only', async () => {
      const keys = await ask<{ keys: { kid: string }[] }>(['keys', 'rotate', '--emergency', '--yes'], env);
      const wanted = keys.keys.map(({ kid }) => kid).sort();
      await within(5, async () => {
        const { keys: shown } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: { kid: string }[] };
        return JSON.stringify(shown.map(({ kid }) => kid).sort()) === JSON.stringify(wanted);
      });
    });

    test('a member who was made signs in', async () => {
      const password = 'seven geese over the old mill';
      const member = ['--username', 'newcomer', '--email', 'newcomer@example.com', '--phone', '+12025550143'];
      const card = ['--member-number', 'N1', '--first-name', 'New', '--last-name', 'Comer', '--postal-code', '97201'];
      await ask(['members', 'make', ...member, ...card, '--birth-date', '1951-03-14'], env, password);
      const app = await appOf(await made());
      const started = await app.start();
      const back = await signIn(new Visitor(), provider.issuer, started, { username: 'newcomer', password });
      expect((await app.redeem(back.url, started)).claims()?.amr).toEqual(['pwd']);
    });

    test('with an initial token an app registers itself, without PKCE where it says so', async () => {
      const register = (token: string) =>
        fetch(`${provider.issuer}/reg`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], client_uri: 'https://app.example/' }),
        });
      expect((await register('made-up')).status).toBe(401);
      const tokenFor = async (...more: string[]) =>
        (await ask<{ initial_access_token: string }>(['clients', 'initial-token', '--days', '1', ...more], env))
          .initial_access_token;
      const plain = await register(await tokenFor());
      expect([plain.status, Object.hasOwn((await plain.json()) as object, 'require_pkce')]).toEqual([201, false]);
      const exempt = await register(await tokenFor('--without-pkce'));
      expect([exempt.status, await exempt.json()]).toEqual([201, expect.objectContaining({ require_pkce: false })]);
    });

    test('a client of CLIENTS_FILE is written anew when its entry changes, and the command says so', async () => {
      const { code, stderr } = await type(['clients', 'rotate-secret', 'walking-app'], env);
      expect([code, stderr]).toEqual([0, expect.stringContaining('CLIENTS_FILE has walking-app')]);
    });
  });
}
