import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { STORE_PAIRS, type StorePair } from '../support/stores.ts';

describe('every answer', () => {
  let provider: RunningProvider;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0] as StorePair, { clients: [webClient()] });
  });
  afterAll(() => provider.close());
  const at = () => request(provider.issuer);

  test.each(['/', '/nowhere', '/interaction/x', '/auth', '/session/end/success', '/.well-known/openid-configuration'])(
    '%s carries the security headers',
    async (path) => {
      const { headers } = await at().get(path).set('Accept', 'text/html');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
      });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'nonce-[\w+/=]{24}'/);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/);
      expect(headers['x-request-id']).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    },
  );

  test('pages are not stored, styles and scripts are, for ever', async () => {
    const page = await at().get('/nowhere').set('Accept', 'text/html');
    expect(page.headers['cache-control']).toBe('no-store');
    const style = /href="(\/assets\/[^"]+\.css)"/.exec(page.text)?.[1];
    const { headers, status } = await at().get(String(style));
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
  });

  test('a page with what it loads weighs less than 50 KB and loads nothing from elsewhere', async () => {
    const app = await RelyingParty.discover(provider.issuer);
    const page = await new Visitor().go((await app.start()).url, provider.issuer);
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"#]+\.(?:css|js|svg))"/g)].map(([, url]) => String(url));
    expect(loaded.every((url) => url.startsWith('/assets/'))).toBe(true);
    const sizes = await Promise.all(
      [...new Set(loaded)].map(async (url) => (await at().get(url).buffer(true)).text?.length ?? 0),
    );
    expect(page.body.length + sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(50_000);
  });

  test.each([
    ['a broken percent sign', '/interaction/%E0%A4%A'],
    ['a path of dots', '/assets/../../package.json'],
    ['a very long address', `/auth?state=${'x'.repeat(10_000)}`],
    ['a step named __proto__', '/interaction/x/__proto__'],
  ])('%s is answered on a page of ours', async (_, path) => {
    const answer = await at()
      .get(path)
      .set('Accept', 'text/html')
      .redirects(0)
      .ok(() => true);
    expect(Math.floor(answer.status / 100)).toBe(4);
    expect(answer.text).toContain('<main id="main"');
  });

  test('raw nonsense on the wire ends in 400 and the next request is served', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(provider.issuer).port), 'localhost', () =>
        socket.end('GET / HTTP/1.1\r\nHo st: x\r\n\r\n'),
      );
      socket.on('data', (data) => resolve(String(data)));
    });
    expect(answer).toContain('400 Bad Request');
    expect((await at().get('/jwks')).status).toBe(200);
  });

  test('a form that is no form, or is cut off, is refused in words', async () => {
    const json = await at()
      .post('/interaction/x/password')
      .set('Accept', 'text/html')
      .send({ username: { $ne: 1 } });
    expect([json.status, json.text.includes('We did not get everything you typed')]).toEqual([400, true]);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(provider.issuer).port), 'localhost', () => {
        socket.write(
          'POST /interaction/x/password HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nusername=a',
        );
        setTimeout(() => socket.destroy(), 50);
      });
      socket.on('close', () => resolve());
    });
    expect((await at().get('/jwks')).status).toBe(200);
  });
});

describe('behind https', () => {
  let provider: RunningProvider;
  let proxy: Server;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0] as StorePair, {
      clients: [webClient()],
      env: { ISSUER: 'https://login.example.org' },
    });
    proxy = createServer();
  });
  afterAll(async () => {
    proxy.close();
    await provider.close();
  });

  test('cookies are Secure and bound by prefix, addresses are https, and HSTS is sent', async () => {
    const local = `http://localhost:${provider.config.port}`;
    const discovery = await request(local).get('/.well-known/openid-configuration');
    expect(discovery.body.authorization_endpoint).toBe('https://login.example.org/auth');
    expect(discovery.headers['strict-transport-security']).toMatch(/max-age=\d{8}/);
    const { client_id, redirect_uris } = webClient();
    const query = new URLSearchParams({
      ...{ client_id, redirect_uri: String(redirect_uris[0]), response_type: 'code', scope: 'openid' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    });
    const answer = await request(local)
      .get(`/auth?${query}`)
      .redirects(0)
      .ok(() => true);
    const cookies = answer.headers['set-cookie'] as unknown as string[];
    expect(cookies.length).toBeGreaterThanOrEqual(2);
    for (const cookie of cookies)
      expect(cookie).toMatch(/^__Secure-(interaction|resume)(\.sig)?=.*; secure; httponly$/i);
    expect(answer.headers.location).toMatch(/^\/interaction\//);
  });
});

test.each(STORE_PAIRS.filter(({ available }) => available))(
  'two providers that start at once on $name share their keys and members',
  async (pair) => {
    const first = await startProvider(pair, { clients: [webClient()] });
    const [a, b] = await Promise.all([
      startProvider(pair, { clients: [webClient()], stores: first.stores }),
      startProvider(pair, { clients: [webClient()], stores: first.stores }),
    ]);
    const keys = await Promise.all([first, a, b].map(async ({ issuer }) => (await request(issuer).get('/jwks')).text));
    expect(new Set(keys).size).toBe(1);
    const app = await RelyingParty.discover(b.issuer);
    expect((await signIn(new Visitor(), b.issuer, await app.start(), MEMBER)).url).toContain('code=');
    await Promise.all([a.close(), b.close()]);
    await first.close();
  },
);
