import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { webClient } from '../support/relyingParty.ts';
import { failing, STORE_PAIRS } from '../support/stores.ts';
import { call } from './conformance/answers.ts';

/** What Java's own HTTP client sends where nobody has said otherwise: it takes JSON, but a page rather. */
const ACCEPT = 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2';

const { client_id, client_secret } = webClient();
const FORM = new URLSearchParams({ client_id, client_secret }).toString();
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The endpoints that programs call, with a request that each refuses. */
const CALLED = [
  ['token', 'POST', '/token', FORM],
  ['pushed authorization request', 'POST', '/request', FORM],
  ['introspection', 'POST', '/token/introspection', FORM],
  ['revocation', 'POST', '/token/revocation', FORM],
  ['device authorization', 'POST', '/device/auth', FORM],
  ['UserInfo', 'GET', '/me', undefined],
  ['registration', 'POST', '/reg', '{}'],
  ['client configuration', 'GET', '/reg/nobody', undefined],
  ['client configuration', 'PUT', '/reg/nobody', '{}'],
  ['client configuration', 'DELETE', '/reg/nobody', undefined],
] as const;

describe('to a client that accepts pages before JSON', () => {
  let stores: Stores;
  let provider: RunningProvider;
  /** What the store answers instead, while it is set. */
  let fault: Error | undefined;
  beforeAll(async () => {
    stores = await STORE_PAIRS[0].open(systemClock);
    const expiring = failing(stores.expiring, () => fault);
    provider = await startProvider(STORE_PAIRS[0], { stores: { ...stores, expiring }, clients: [webClient()] });
  });
  afterAll(async () => {
    await provider.close();
    await stores.close();
  });

  const ask = (method: string, path: string, body?: string, more: Record<string, string> = {}) =>
    call(provider.issuer + path, {
      method,
      headers: {
        accept: ACCEPT,
        ...(body === undefined ? {} : { 'content-type': body.startsWith('{') ? 'application/json' : FORM_TYPE }),
        ...more,
      },
      ...(body === undefined ? {} : { body }),
    });
  const isJson = (headers: Headers) => expect(headers.get('content-type')).toBe('application/json; charset=utf-8');

  test.each(CALLED)('the %s endpoint refuses in JSON (%s %s)', async (_, method, path, body) => {
    const reply = await ask(method, path, body);
    isJson(reply.headers);
    expect(Math.floor(reply.status / 100)).toBe(4);
    expect(reply.body).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) });
  });

  test('a body that is too large is refused in JSON', async () => {
    const reply = await ask('POST', '/token', `${FORM}&code=${'x'.repeat(60_000)}`);
    isJson(reply.headers);
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test.each([
    ['that a store does not answer', new Unavailable('redis', new Error('down')), 503, 'temporarily_unavailable'],
    ['that something is wrong on our side', new Error('a bug'), 500, 'server_error'],
  ])('%s is told in JSON', async (_, instead, status, error) => {
    const token = 'x'.repeat(43);
    const bearer = { authorization: `Bearer ${token}` };
    fault = instead;
    const replies = await Promise.all([
      ask('POST', '/token', `${FORM}&grant_type=refresh_token&refresh_token=${token}`),
      ask('POST', '/token/introspection', `${FORM}&token=${token}`),
      ask('GET', '/me', undefined, bearer),
      ask('POST', '/reg', '{}', bearer),
    ]);
    fault = undefined;
    for (const reply of replies) {
      isJson(reply.headers);
      expect(reply).toMatchObject({ status, body: { error } });
      expect(reply.headers.get('retry-after')).toBe(status === 503 ? '10' : null);
    }
  });

  test.each(['/auth?client_id=unknown', '/auth/unknown', '/session/end/success?client_id=unknown', '/device'])(
    'what a browser visits is a page (%s)',
    async (path) => {
      expect((await ask('GET', path)).headers.get('content-type')).toBe('text/html; charset=utf-8');
    },
  );
});
