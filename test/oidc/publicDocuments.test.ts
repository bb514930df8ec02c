import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request, { type Response } from 'supertest';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { keyRingOf } from '../../src/parts.ts';
import { type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { STORE_PAIRS } from '../support/stores.ts';

/** Each document's path, and the same in a spelling that only oidc-provider's router takes for it. */
const PATHS = [
  ['/.well-known/openid-configuration', '/.Well-Known/OpenID-Configuration/'],
  ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/'],
  ['/jwks', '/JWKS'],
] as const;

/** What differs from one answer to the next, what the memory adds, and what the app finds out for its pages. */
const OWN = ['date', 'x-request-id', 'content-security-policy', 'etag', 'content-language', 'connection', 'keep-alive'];

describe('the public documents', () => {
  let provider: RunningProvider;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0], { env: { LOG_LEVEL: 'info' } });
  });
  afterAll(() => provider.close());

  const ask = (method: 'get' | 'head' | 'post' | 'options', path: string, headers: Record<string, string> = {}) =>
    request(provider.issuer)
      [method](path)
      .set({ Accept: '*/*', ...headers });
  const textOf = async (path: string) => (await fetch(provider.issuer + path)).text();
  const shared = ({ headers }: Response) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name)));

  describe.each(PATHS)('%s', (path, spelling) => {
    test.each([
      ['to a program', {}],
      ["to an app's page", { Origin: 'https://app.example' }],
    ])('says from memory what oidc-provider says, byte by byte, %s', async (_, headers) => {
      const [kept, asked] = [await ask('get', path, headers), await ask('get', spelling, headers)];
      expect([kept.status, asked.status]).toEqual([200, 200]);
      expect(await textOf(path)).toBe(await textOf(spelling));
      expect(kept.body).toEqual(asked.body);
      expect(shared(kept)).toEqual(shared(asked));
      // The one comes from the memory, the other does not.
      expect([kept.headers.etag, asked.headers.etag]).toEqual([expect.stringMatching(/^"[\w-]{22}"$/), undefined]);
      const withoutNonce = ({ headers: h }: Response) => h['content-security-policy']?.replace(/nonce-[^']+/, 'nonce');
      expect(withoutNonce(kept)).toBe(withoutNonce(asked));
    });

    test('has a nonce and a request id of its own each time', async () => {
      const answers = [await ask('get', path), await ask('get', path)];
      for (const header of ['content-security-policy', 'x-request-id'])
        expect(new Set(answers.map(({ headers }) => headers[header])).size).toBe(2);
      expect(answers[0]?.headers['content-security-policy']).toMatch(/'nonce-[\w+/]{22}=='/);
    });

    test('is answered without its body to HEAD', async () => {
      const [kept, asked, whole] = [await ask('head', path), await ask('head', spelling), await ask('get', path)];
      expect([kept.status, kept.text ?? '']).toEqual([200, '']);
      expect(shared(kept)).toEqual(shared(asked));
      expect(kept.headers['content-length']).toBe(whole.headers['content-length']);
    });

    test('is not sent again to who has it', async () => {
      const { headers } = await ask('get', path);
      for (const known of [headers.etag, `"other", W/${headers.etag}`, '*']) {
        const answer = await ask('get', path, { 'If-None-Match': String(known) }).ok(() => true);
        expect([answer.status, answer.text ?? '', answer.headers.etag]).toEqual([304, '', headers.etag]);
        expect(answer.headers['access-control-allow-origin']).toBe('*');
      }
      expect((await ask('get', path, { 'If-None-Match': '"other"' })).status).toBe(200);
    });

    test('is asked about beforehand by a page of an app, and taken by GET only', async () => {
      const before = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' };
      const { status, headers } = await ask('options', path, before);
      expect([status, headers['access-control-allow-methods']]).toEqual([204, 'GET']);
      expect((await ask('post', path).ok(() => true)).status).toBe(404);
    });

    test('stands in the log and in the metrics as every request', async () => {
      const { headers } = await ask('get', path);
      const lines = provider.log.map((line) => JSON.parse(line));
      expect(lines.find(({ requestId }) => requestId === headers['x-request-id'])).toMatchObject({
        ...{ level: 'info', msg: 'request', method: 'GET', path, status: 200, ms: expect.any(Number) },
      });
      const endpoint = path === '/jwks' ? 'jwks' : 'discovery';
      const { text } = await ask('get', '/metrics');
      expect(text).toContain(`idp_protocol_duration_seconds_count{endpoint="${endpoint}",status="2xx"}`);
    });
  });

  test('choose no language, which a query may do for a page', async () => {
    const asked = await ask('get', '/jwks?lang=es');
    expect(asked.headers['set-cookie']?.[0]).toMatch(/^lang=es;/);
    expect(asked.body).toEqual((await ask('get', '/jwks')).body);
  });

  test('leave what lies beside them alone', async () => {
    for (const path of ['/jwks/x', '/jwksx', '/.well-known/openid-configuration/x', '//jwks'])
      expect([path, (await ask('get', path).ok(() => true)).status]).toEqual([path, 404]);
  });

  test('change with the keys', async () => {
    const before = await ask('get', '/jwks');
    await keyRingOf(provider.config, SECRETS, provider.stores, systemClock).rotate();
    await provider.work();
    const after = await ask('get', '/jwks', { 'If-None-Match': String(before.headers.etag) });
    expect(after.status).toBe(200);
    expect(after.headers.etag).not.toBe(before.headers.etag);
    const kids = ({ body }: Response) => body.keys.map(({ kid }: { kid: string }) => kid);
    expect(kids(after)).toEqual(expect.arrayContaining(kids(before)));
    expect(kids(after).length).toBeGreaterThan(kids(before).length);
  });
});
