import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { MEMBER, type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { movableDate } from '../../support/time.ts';
import { type Answer, Visitor } from '../../support/visitor.ts';
import {
  type Change,
  type FapiClient,
  FapiParty,
  makeClient,
  pkce,
  type Reply,
  redirectUris,
  type Variant,
} from './fapiClient.ts';

/** What a module of the plan works with: the suite's two clients, and the time. */
interface Parties {
  readonly variant: Variant;
  readonly one: FapiParty;
  /** Has other keys and signs with PS256, and its redirect URI has a query. */
  readonly two: FapiParty;
  advance(seconds: number): void;
}

/** Modules by name; those that a variant does not have are not run for it. */
export interface Modules {
  readonly every?: Readonly<Record<string, Module>>;
  /** Where tokens are bound to a DPoP key. */
  readonly dpop?: Readonly<Record<string, Module>>;
  /** Where the client shows itself by a signed assertion. */
  readonly privateKeyJwt?: Readonly<Record<string, Module>>;
}

type Module = (parties: Parties) => Promise<void>;

const VARIANTS: readonly Variant[] = [
  { auth: 'private_key_jwt', binding: 'DPoP' },
  { auth: 'private_key_jwt', binding: 'mTLS' },
  { auth: 'self_signed_tls_client_auth', binding: 'mTLS' },
  { auth: 'self_signed_tls_client_auth', binding: 'DPoP' },
];

/** The proxy in front of us, from which a `Client-Cert` header is believed. */
export const BEHIND_PROXY = { TRUSTED_PROXIES: '127.0.0.1,::1', CLIENT_CERT_HEADER: 'Client-Cert' };

/**
 * Runs modules of `fapi2-security-profile-final-test-plan`, each in every variant that has it, on the embedded store: what
 * differs between the stores is in the contracts of their ports.
 */
export function describeFapiModules({ every = {}, dpop = {}, privateKeyJwt = {} }: Modules): void {
  let provider: RunningProvider;
  const clients = new Map<Variant, readonly [FapiClient, FapiClient]>();
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    for (const [index, variant] of VARIANTS.entries()) {
      const pair = [
        makeClient(`one-${index}`, variant, 'ES256'),
        makeClient(`two-${index}`, variant, 'PS256'),
      ] as const;
      clients.set(variant, await Promise.all(pair));
    }
    provider = await startProvider(STORE_PAIRS[0], {
      clients: [...clients.values()].flat().map(({ metadata }) => metadata),
      env: BEHIND_PROXY,
    });
  });
  afterAll(() => provider.close());
  beforeEach(() => {
    date = movableDate();
  });
  afterEach(() => date.restore());

  const partiesOf = (variant: Variant): Parties => {
    const pair = clients.get(variant);
    if (pair === undefined) throw new Error('the clients are made before the first module');
    const [one, two] = pair;
    return {
      variant,
      one: new FapiParty(provider.issuer, one),
      two: new FapiParty(provider.issuer, two, redirectUris(two.id)[1]),
      advance: (seconds) => date.advance(seconds),
    };
  };

  describe.each(VARIANTS)('$auth with $binding', (variant) => {
    const modules = {
      ...every,
      ...(variant.binding === 'DPoP' ? dpop : {}),
      ...(variant.auth === 'private_key_jwt' ? privateKeyJwt : {}),
    };
    for (const [name, run] of Object.entries(modules)) {
      test(`fapi2-security-profile-final-${name}`, () => run(partiesOf(variant)));
    }
  });
}

/** An authorization request that was pushed. */
export interface Pushed {
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly verifier: string;
  readonly requestUri: string;
}

export const random = (characters: number): string =>
  randomBytes(characters).toString('base64url').slice(0, characters);

/** A whole authorization request; undefined leaves a parameter out. */
export function authorizationRequest(party: FapiParty, more: Readonly<Record<string, string | undefined>> = {}) {
  const { verifier, challenge } = pkce();
  const parameters: Record<string, string | undefined> = {
    response_type: 'code',
    scope: 'openid email',
    redirect_uri: party.redirectUri,
    state: random(10),
    nonce: random(10),
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  return { parameters, verifier };
}

/** Pushes a request that the provider must take. */
export async function push(
  party: FapiParty,
  more: Readonly<Record<string, string | undefined>> = {},
  change: Change = {},
): Promise<Pushed> {
  const { parameters, verifier } = authorizationRequest(party, more);
  const reply = await party.push(parameters, change);
  expect(reply).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' }, body: { expires_in: 60 } });
  // 128 bits in base64url are 22 characters.
  expect(reply.body.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{22,}$/);
  return { parameters, verifier, requestUri: String(reply.body.request_uri) };
}

/** What the provider says to a push that it must refuse. */
export async function refusalOfPush(
  party: FapiParty,
  more: Readonly<Record<string, string | undefined>>,
  change: Change = {},
): Promise<unknown> {
  return refusal(await party.push(authorizationRequest(party, more).parameters, change));
}

/** Status and error code of a refusal, whose description must be plain ASCII without line breaks (RFC 6749 5.2). */
export function refusal({ status, headers, body }: Reply): readonly [number, unknown] {
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(body.error_description ?? '').toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/);
  return [status, body.error];
}

/** The address that the browser opens. The suite repeats some parameters, as OpenID Connect Core 6.1 wants. */
export function authorizationUrl(party: FapiParty, { requestUri, parameters }: Pushed, query = {}): string {
  const url = new URL(`${party.issuer}/auth`);
  const repeated = { response_type: parameters.response_type, scope: parameters.scope };
  for (const [name, value] of Object.entries({
    client_id: party.client.id,
    request_uri: requestUri,
    ...repeated,
    ...query,
  })) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** A member opens the address and signs in. Returns where their browser ends up. */
export async function signIn(party: FapiParty, url: string, visitor = new Visitor()): Promise<Answer> {
  const page = await visitor.go(url, party.issuer);
  expect(page.body).toContain('id="password"');
  return visitor.submit(page, MEMBER, party.issuer);
}

/** The parameters with which the browser comes back to the client; `iss` is judged here (RFC 9207). */
export function callback(party: FapiParty, answer: Answer): Record<string, string> {
  const [base] = party.redirectUri.split('?');
  expect(answer.url.split('?')[0]).toBe(base);
  const { iss, ...parameters } = Object.fromEntries(new URL(answer.url).searchParams);
  expect(iss).toBe(party.issuer);
  for (const [name, value] of new URL(party.redirectUri).searchParams) {
    expect(parameters[name]).toBe(value);
    delete parameters[name];
  }
  return parameters;
}

/** The code of a callback that must be a success, with the state that was sent and nothing else. */
export function codeOf(party: FapiParty, { parameters }: Pushed, answer: Answer): string {
  const { code, ...rest } = callback(party, answer);
  expect(rest).toEqual(parameters.state === undefined ? {} : { state: parameters.state });
  expect(code).toMatch(/^[\w-]{22,}$/);
  return String(code);
}

/** Pushes, signs in and comes back with a code. */
export async function authorize(party: FapiParty, more: Parameters<typeof push>[1] = {}, change: Change = {}) {
  const pushed = await push(party, more, change);
  const code = codeOf(party, pushed, await signIn(party, authorizationUrl(party, pushed)));
  return { pushed, code };
}

export const redeem = (party: FapiParty, pushed: Pushed, code: string, change: Change = {}): Promise<Reply> =>
  party.token(
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: pushed.parameters.redirect_uri,
      code_verifier: pushed.verifier,
    },
    change,
  );

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: jose.JWTPayload;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The claims that an ID token of the profile may have; the suite warns at any other. */
const ID_TOKEN_CLAIMS = 'iss sub aud exp iat auth_time nonce acr amr azp at_hash s_hash'.split(' ');

/** Judges what the token endpoint gave, and asks the resource with it. */
export async function expectTokens(party: FapiParty, pushed: Pushed, reply: Reply, change: Change = {}) {
  const tokenType = party.client.variant.binding === 'DPoP' ? 'DPoP' : 'Bearer';
  expect(reply).toMatchObject({
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: { token_type: tokenType, expires_in: expect.any(Number) },
  });
  const { access_token, refresh_token, id_token, expires_in } = reply.body;
  expect(expires_in).toBeGreaterThan(0);
  for (const token of [access_token, refresh_token]) expect(token).toMatch(/^[\w-]{22,}$/);
  const accessToken = String(access_token);
  const idToken = await verifiedIdToken(party, String(id_token), accessToken);
  expect(idToken.nonce).toBe(pushed.parameters.nonce);
  const claims = await expectResource(party, accessToken, change);
  expect(claims.sub).toBe(idToken.sub);
  return { accessToken, refreshToken: String(refresh_token), idToken, claims };
}

async function verifiedIdToken(party: FapiParty, idToken: string, accessToken: string): Promise<jose.JWTPayload> {
  const keys = (await (await fetch(`${party.issuer}/jwks`)).json()) as jose.JSONWebKeySet;
  const { payload, protectedHeader } = await jose.jwtVerify(idToken, jose.createLocalJWKSet(keys), {
    issuer: party.issuer,
    audience: party.client.id,
    algorithms: ['ES256', 'PS256', 'EdDSA'],
    requiredClaims: ['sub', 'exp', 'iat', 'auth_time'],
  });
  expect(protectedHeader.kid).toEqual(expect.any(String));
  expect(payload.aud).toBe(party.client.id);
  if (payload.at_hash !== undefined) {
    const half = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
    expect(payload.at_hash).toBe(half);
  }
  return payload;
}

/** No claims but those of the profile, where none were asked for by name. */
const expectLeanIdToken = (idToken: jose.JWTPayload): void =>
  expect(Object.keys(idToken).filter((claim) => !ID_TOKEN_CLAIMS.includes(claim))).toEqual([]);

/** The resource must answer, with a date (RFC 9110 6.6.1). */
export async function expectResource(
  party: FapiParty,
  accessToken: string,
  change: Parameters<FapiParty['resource']>[1] = {},
) {
  const { status, headers, body } = await party.resource(accessToken, change);
  expect([status, body.error]).toEqual([200, undefined]);
  expect(Date.parse(String(headers.date))).not.toBeNaN();
  return body;
}

/** The whole flow, which must succeed. */
export async function succeed(
  party: FapiParty,
  more: Parameters<typeof push>[1] = {},
  change: Change = {},
): Promise<Tokens> {
  const { pushed, code } = await authorize(party, more, change);
  const tokens = await expectTokens(party, pushed, await redeem(party, pushed, code));
  expectLeanIdToken(tokens.idToken);
  return tokens;
}

/** The browser stays here on a page that says this error. */
export function expectErrorPage(answer: Answer, error: string): void {
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  expect(answer.body).toContain(`<code>${error}</code>`);
}
