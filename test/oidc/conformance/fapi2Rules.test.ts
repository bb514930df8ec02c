import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { type AppServer, openAppServer } from '../../support/appServer.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../../support/provider.ts';
import { webClient } from '../../support/relyingParty.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { Visitor } from '../../support/visitor.ts';
import { FapiParty, makeClient, send } from './fapiClient.ts';
import {
  authorizationUrl,
  BEHIND_PROXY,
  codeOf,
  expectTokens,
  push,
  redeem,
  refusalOfPush,
  signIn,
} from './fapiFlow.ts';

const DPOP = { auth: 'private_key_jwt', binding: 'DPoP' } as const;

/** What a client of the profile cannot be registered with, and what the operator is told. */
const WRONG: readonly (readonly [what: string, metadata: object, words: string])[] = [
  ['another profile', { fapi_profile: '1.0 Final' }, 'fapi_profile is 2.0 or nothing'],
  [
    'a shared secret',
    { token_endpoint_auth_method: 'client_secret_basic', client_secret: 'x'.repeat(32) },
    'token_endpoint_auth_method is one of private_key_jwt, tls_client_auth, self_signed_tls_client_auth',
  ],
  [
    'no proof of itself',
    { token_endpoint_auth_method: 'none' },
    'token_endpoint_auth_method is one of private_key_jwt, tls_client_auth, self_signed_tls_client_auth',
  ],
  [
    'RS256 for its assertions',
    { token_endpoint_auth_signing_alg: 'RS256' },
    'token_endpoint_auth_signing_alg is one of ES256, PS256, EdDSA',
  ],
  [
    'any algorithm for its assertions',
    { token_endpoint_auth_signing_alg: undefined },
    'token_endpoint_auth_signing_alg is one of ES256, PS256, EdDSA',
  ],
  [
    'requests that are not pushed',
    { require_pushed_authorization_requests: false },
    'require_pushed_authorization_requests is true',
  ],
  [
    'tokens that anybody may use',
    { dpop_bound_access_tokens: false },
    'dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens is true',
  ],
  [
    'two bindings',
    { tls_client_certificate_bound_access_tokens: true },
    'only one proof of possession mechanism can be made required at a time',
  ],
  ['ID tokens in RS256', { id_token_signed_response_alg: 'RS256' }, 'id_token_signed_response_alg is ES256'],
  ['UserInfo in RS256', { userinfo_signed_response_alg: 'RS256' }, 'userinfo_signed_response_alg is ES256'],
  [
    'RS256 for its request objects',
    { request_object_signing_alg: 'RS256' },
    'request_object_signing_alg is one of ES256, PS256, EdDSA',
  ],
  ['a redirect URI without TLS', { redirect_uris: ['http://app.example/callback'] }, 'redirect_uris are https'],
];

describe('registered for FAPI 2.0', () => {
  let message: string;
  beforeAll(async () => {
    const clients = await Promise.all(
      WRONG.map(async ([, metadata], i) => ({
        ...(await makeClient(`wrong-${i}`, DPOP, 'ES256')).metadata,
        ...metadata,
      })),
    );
    const right = (await makeClient('right', DPOP, 'ES256')).metadata;
    const start = startProvider(STORE_PAIRS[0], { clients: [...clients, right], env: BEHIND_PROXY });
    message = await start.then(
      () => 'it starts',
      (error: Error) => error.message,
    );
  });

  test.each(WRONG.map(([what, , words], i) => [what, `wrong-${i}`, words]))(
    'a client with %s stops the start, in words',
    (_, id, words) => {
      const told = message.split('\n').filter((line) => line.includes(`client ${id}: `));
      expect(told.map((line) => line.replace(/^.*client [\w-]+: (for FAPI 2.0: )?/, ''))).toEqual([words]);
    },
  );

  test('a client that keeps to the rules is not complained about', () => {
    expect(message).not.toContain('client right');
  });
});

describe('beside each other', () => {
  let provider: RunningProvider;
  let partner: FapiParty;
  const plain = {
    ...{ client_id: 'plain', client_secret: 'long-and-random-enough', first_party: true },
    ...{
      redirect_uris: ['https://plain.example/callback'] as const,
      grant_types: ['authorization_code', 'refresh_token'],
    },
    ...{ require_pkce: false, id_token_signed_response_alg: 'RS256' },
  };
  beforeAll(async () => {
    const client = await makeClient('partner', DPOP, 'ES256');
    const metadata = { ...client.metadata, first_party: false, require_pkce: false };
    provider = await startProvider(STORE_PAIRS[0], { clients: [metadata, plain] });
    partner = new FapiParty(provider.issuer, client);
  });
  afterAll(() => provider.close());

  test('a plain client needs no push, no PKCE, no key and no ES256, and its refresh tokens rotate', async () => {
    const { issuer } = provider;
    const request = {
      response_type: 'code',
      scope: 'openid',
      client_id: 'plain',
      redirect_uri: plain.redirect_uris[0],
    };
    const visitor = new Visitor();
    const page = await visitor.go(`${issuer}/auth?${new URLSearchParams({ ...request, state: 's' })}`, issuer);
    const back = new URL((await visitor.submit(page, MEMBER, issuer)).url).searchParams;
    expect(Object.fromEntries(back)).toEqual({ code: expect.any(String), state: 's', iss: issuer });

    const token = async (parameters: Record<string, string>) => {
      const lines = [
        ['authorization', `Basic ${btoa(`plain:${plain.client_secret}`)}`],
        ['content-type', 'application/x-www-form-urlencoded'],
      ] as const;
      const reply = await send('POST', `${issuer}/token`, lines, new URLSearchParams(parameters).toString());
      expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
      return reply.body;
    };
    const { access_token, id_token, refresh_token } = await token({
      ...{ grant_type: 'authorization_code', code: String(back.get('code')), redirect_uri: request.redirect_uri },
    });
    expect(jose.decodeProtectedHeader(String(id_token)).alg).toBe('RS256');
    expect(jose.decodeJwt(String(id_token)).sid).toEqual(expect.any(String));
    expect((await send('GET', `${issuer}/me`, [['authorization', `Bearer ${access_token}`]])).status).toBe(200);
    const refreshed = await token({ grant_type: 'refresh_token', refresh_token: String(refresh_token) });
    expect(refreshed.refresh_token).not.toBe(refresh_token);
  });

  test('a FAPI client is not let off PKCE', async () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    expect(await refusalOfPush(partner, without)).toEqual([400, 'invalid_request']);
  });

  test('a FAPI client gets the next member from "Not you?", as any other', async () => {
    const { issuer } = provider;
    const pushed = await push(partner);
    const visitor = new Visitor();
    const first = await visitor.go(authorizationUrl(partner, pushed), issuer);
    const asked = await visitor.submit(first, OTHER_MEMBER, issuer);
    const path = /id="switch-account" href="([^"]+)"/.exec(asked.body)?.[1];
    const again = await visitor.go(new URL(String(path), issuer).href, issuer);
    expect(again.body).toContain('id="password"');
    const consent = await visitor.submit(again, MEMBER, issuer);
    const back = await visitor.submit(consent, { decision: 'allow' }, issuer);
    const tokens = await expectTokens(partner, pushed, await redeem(partner, pushed, codeOf(partner, pushed, back)));
    expect(tokens.claims.email).toBe('sample.member@example.com');
  });
});

describe('the logout token of a FAPI client', () => {
  let app: AppServer;
  let provider: RunningProvider;
  const parties = new Map<string, FapiParty>();
  beforeAll(async () => {
    app = await openAppServer();
    const [asks, asksNot] = [await makeClient('asks', DPOP, 'ES256'), await makeClient('asks-not', DPOP, 'ES256')];
    const clients = [
      {
        ...{ ...asks.metadata, backchannel_logout_uri: `${app.origin}/asks` },
        backchannel_logout_session_required: true,
      },
      { ...asksNot.metadata, backchannel_logout_uri: `${app.origin}/asks-not` },
    ];
    provider = await startProvider(STORE_PAIRS[0], { clients, env: { OUTBOUND_ALLOW: app.origin } });
    for (const client of [asks, asksNot]) parties.set(client.id, new FapiParty(provider.issuer, client));
  });
  afterAll(async () => {
    await provider.close();
    await app.close();
  });

  test.each([
    ['the session of its ID token, where it asks for that', 'asks', 'string'],
    ['no session, as its ID token does not', 'asks-not', 'undefined'],
  ])('names %s', async (_, id, type) => {
    const party = parties.get(id) as FapiParty;
    const visitor = new Visitor();
    const pushed = await push(party);
    const back = await signIn(party, authorizationUrl(party, pushed), visitor);
    const { idToken } = await expectTokens(party, pushed, await redeem(party, pushed, codeOf(party, pushed, back)));
    const page = await visitor.go(`${party.issuer}/session/end`, party.issuer);
    await visitor.submit(page, { logout: 'yes' }, party.issuer);
    await provider.work();
    const heard = app.heard.find(({ path }) => path === `/${id}`);
    const told = jose.decodeJwt(String(new URLSearchParams(heard?.body).get('logout_token')));
    expect([told.sub, told.sid, typeof told.sid]).toEqual([idToken.sub, idToken.sid, type]);
  });
});

test('a client whose tokens are to be bound to its certificate stops the start where no proxy hands certificates on', async () => {
  const client = { ...webClient(), tls_client_certificate_bound_access_tokens: true };
  await expect(startProvider(STORE_PAIRS[0], { clients: [client] })).rejects.toThrow('CLIENT_CERT_HEADER is not set');
});
