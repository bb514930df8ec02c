import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { seconds } from '../../src/core/clock.ts';
import { stateOf } from '../../src/core/keys/keyRing.ts';
import { keyRingOf } from '../../src/parts.ts';
import { trustedCertificate } from '../support/appServer.ts';
import { MEMBER, ROOT, type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, startWithOauth4webapi, Visitor, webClient } from '../support/relyingParty.ts';
import { STORE_PAIRS } from '../support/stores.ts';
import { movableDate } from '../support/time.ts';
import { startTlsProxy } from '../support/tlsProxy.ts';

const { TEST_PYTHON } = process.env;
const CLIENT = webClient();
const callback = String(CLIENT.redirect_uris[0]);

/** Relying parties on several libraries, all over TLS that a proxy ends, and with new signing keys in between. */
describe.each(STORE_PAIRS.filter(({ available }) => available))('behind a TLS proxy on $name', (pair) => {
  let proxy: Awaited<ReturnType<typeof startTlsProxy>>;
  let provider: RunningProvider;
  let certificate: ReturnType<typeof trustedCertificate>;
  let date: ReturnType<typeof movableDate>;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    certificate = trustedCertificate();
    proxy = await startTlsProxy(certificate);
    date = movableDate();
    const env = { ISSUER: proxy.origin, TRUSTED_PROXIES: '127.0.0.1,::1' };
    provider = await startProvider(pair, { clients: [CLIENT], env });
    proxy.passTo(provider.port);
  });
  afterAll(async () => {
    date.restore();
    for (const child of children) child.kill();
    await proxy.close();
    await provider.close();
  });

  const kidOf = (idToken: string | undefined): unknown =>
    JSON.parse(Buffer.from(String(idToken?.split('.')[0]), 'base64url').toString()).kid;

  /** New keys are made, published, and sign when every verifier can know them. */
  async function rotate(): Promise<string> {
    const ring = keyRingOf(provider.config, SECRETS, provider.stores, { now: () => Date.now() });
    await ring.rotate();
    await provider.work();
    const now = seconds({ now: () => Date.now() });
    const { keys } = await ring.list();
    const next = keys.find((key) => key.alg === 'ES256' && stateOf({ keys, sealedSalt: '' }, key, now) === 'next');
    const published = (await (await fetch(`${proxy.origin}/jwks`)).json()) as { keys: { kid: string }[] };
    expect(published.keys.map(({ kid }) => kid)).toContain(next?.kid);
    return String(next?.kid);
  }
  const untilItSigns = async () => {
    date.advance(421);
    await provider.work();
  };

  test('every address is https, the cookies are bound to the host, and openid-client gets through', async () => {
    const app = await RelyingParty.discover(proxy.origin, CLIENT);
    const { authorization_endpoint, jwks_uri, issuer } = app.config.serverMetadata();
    expect([issuer, new URL(String(authorization_endpoint)).origin, new URL(String(jwks_uri)).origin]).toEqual(
      Array(3).fill(proxy.origin),
    );
    const visitor = new Visitor();
    const started = await app.start();
    const back = await signIn(visitor, proxy.origin, started, MEMBER);
    expect(visitor.cookieNames().filter((name) => !/^__(Host|Secure)-/.test(name))).toEqual([]);
    const before = await app.redeem(back.url, started);
    const old = kidOf(before.id_token);

    const next = await rotate();
    const between = await openid.refreshTokenGrant(app.config, String(before.refresh_token));
    expect(kidOf(between.id_token)).toBe(old);
    await untilItSigns();
    const after = await openid.refreshTokenGrant(app.config, String(between.refresh_token));
    expect(kidOf(after.id_token)).toBe(next);
    // What the old key has signed still verifies, and still signs the member out without a question.
    const end = openid.buildEndSessionUrl(app.config, { id_token_hint: String(before.id_token) });
    const leaving = await visitor.go(end.href, proxy.origin);
    expect(leaving.body).toContain('data-submits-itself');
  });

  test('oauth4webapi gets through, and verifies with keys that it fetched before the rotation', async () => {
    const issuer = new URL(proxy.origin);
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
    const client = { client_id: CLIENT.client_id };
    const auth = oauth.ClientSecretBasic(CLIENT.client_secret);
    const jwksCache = {};
    const flow = async () => {
      const asked = { client_id: client.client_id, redirect_uri: callback, scope: 'openid' };
      const started = await startWithOauth4webapi(server, asked);
      const { verifier, state, nonce } = started;
      const back = await signIn(new Visitor(), proxy.origin, started, MEMBER);
      const parameters = oauth.validateAuthResponse(server, client, new URL(back.url), state);
      const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, callback, verifier);
      const result = await oauth.processAuthorizationCodeResponse(server, client, answer, {
        ...{ expectedNonce: nonce, requireIdToken: true },
      });
      await oauth.validateApplicationLevelSignature(server, answer, { [oauth.jwksCache]: jwksCache });
      return kidOf(result.id_token);
    };
    const old = await flow();
    const next = await rotate();
    expect(await flow()).toBe(old);
    await untilItSigns();
    expect(await flow()).toBe(next);
  });

  (TEST_PYTHON === undefined ? test.skip : test)(
    'Authlib for Python gets through, and reads the keys anew when it must',
    async () => {
      const python = startPython(certificate.cert);
      const { url } = await python.ask({ do: 'start' });
      const visitor = new Visitor();
      const back = await visitor.submit(await visitor.go(String(url), proxy.origin), MEMBER, proxy.origin);
      const first = await python.ask({ do: 'finish', url: back.url });
      expect(first).toMatchObject({
        claims: { iss: proxy.origin, aud: CLIENT.client_id, amr: ['pwd'] },
        userinfo: { name: 'Sample Member', email: 'sample.member@example.com' },
      });
      const next = await rotate();
      expect(await python.ask({ do: 'refresh' })).toMatchObject({ userinfo: { name: 'Sample Member' } });
      // Its copy of the keys is older than our max-age by now, so it has to fetch them again.
      await untilItSigns();
      await python.ask({ do: 'forget_keys' });
      expect(await python.ask({ do: 'refresh' })).toMatchObject({ claims: { kid: next } });
      expect(await python.ask({ do: 'revoke' })).toEqual({ status: 200 });
      expect((await python.ask({ do: 'refresh' })).error).toContain('invalid_grant');
      await python.close();
    },
  );

  /** The relying party in Python: one JSON line to it, one from it. */
  function startPython(ca: string) {
    const folder = mkdtempSync(join(tmpdir(), 'python-'));
    writeFileSync(join(folder, 'ca.pem'), ca);
    const args = [
      join(ROOT, 'test/oidc/relyingParty.py'),
      proxy.origin,
      CLIENT.client_id,
      CLIENT.client_secret,
      callback,
    ];
    const env = { ...process.env, REQUESTS_CA_BUNDLE: join(folder, 'ca.pem') };
    const child: ChildProcessByStdio<Writable, Readable, null> = spawn(String(TEST_PYTHON), args, {
      ...{ env, stdio: ['pipe', 'pipe', 'inherit'] },
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      async ask(command: object): Promise<Record<string, unknown>> {
        for (const line of [{ do: 'clock', seconds: Date.now() / 1000 }, command])
          child.stdin.write(`${JSON.stringify(line)}\n`);
        await lines.next();
        return JSON.parse(String((await lines.next()).value));
      },
      async close() {
        child.stdin.end();
        await new Promise((resolve) => child.once('exit', resolve));
        rmSync(folder, { recursive: true });
      },
    };
  }
});
