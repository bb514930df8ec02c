/** What the modules of the OpenID conformance suite share: a relying party of raw HTTP calls, which checks every answer. */
import { createHash, randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import * as jose from 'jose';
import { z } from 'zod';
import { Visitor } from '../../support/visitor.ts';
import {
  call,
  type Reply,
  type ResponseMode,
  readCallback,
  readTokens,
  readUserinfo,
  UNGUESSABLE,
  walk,
} from './answers.ts';

/** A client as the suite asks for it: confidential, without PKCE, and not the plan's own, so that it has to ask for consent. */
export const suiteClient = (overrides: object = {}) => ({
  client_id: 'conformance-suite',
  client_secret: 'a-secret-that-is-long-and-random-enough-for-a-suite',
  client_name: 'Conformance Suite',
  redirect_uris: ['https://suite.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_basic',
  require_pkce: false,
  ...overrides,
});

export type SuiteClient = ReturnType<typeof suiteClient>;

/** Parameters of a request; an undefined one is left out. */
export type Parameters = Readonly<Record<string, string | undefined>>;

const METADATA = z.looseObject({
  issuer: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  userinfo_endpoint: z.url(),
  jwks_uri: z.url(),
  registration_endpoint: z.url().optional(),
  acr_values_supported: z.array(z.string()).min(1),
  scopes_supported: z.array(z.string()),
  claims_supported: z.array(z.string()),
  id_token_signing_alg_values_supported: z.array(z.string()),
  request_object_signing_alg_values_supported: z.array(z.string()),
});

/** What the provider says about itself (OpenID Connect Discovery 1.0, 4). */
export async function discover(issuer: string) {
  return METADATA.parse((await call(`${issuer}/.well-known/openid-configuration`)).body);
}

/** An authorization request on its way. */
interface Request {
  readonly url: string;
  readonly parameters: Parameters;
}

/** The answer that the browser brought to the app, and the screens that the member saw before. */
interface Callback {
  readonly parameters: Readonly<Record<string, string>>;
  readonly shown: readonly string[];
}

interface RelyingPartyOptions {
  readonly mode?: ResponseMode;
  /** The algorithm in which this client expects ID tokens. */
  readonly alg?: string;
  /** Makes the parameters that show who this client is, where that is no secret. */
  readonly assertion?: () => Promise<Record<string, string>>;
}

/** A client at this provider. `signIn` is the whole way, with every check that each module of the suite makes. */
export async function relyingParty(issuer: string, client: SuiteClient, options: RelyingPartyOptions = {}) {
  const { mode = 'query', alg = 'ES256' } = options;
  const server = await discover(issuer);
  const redirectUri = String(client.redirect_uris[0]);

  const request = (parameters: Parameters = {}): Request => {
    const all: Parameters = {
      ...{ client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid' },
      ...{ state: randomBytes(8).toString('base64url'), nonce: randomBytes(8).toString('base64url') },
      ...(mode === 'query' ? {} : { response_mode: mode }),
      ...parameters,
    };
    return { url: `${server.authorization_endpoint}?${new URLSearchParams(present(all))}`, parameters: all };
  };

  /** The member's browser goes there and comes back: to this request, from this issuer. */
  const authorize = async (visitor: Visitor, asked: Request): Promise<Callback> => {
    const { shown, end } = await walk(visitor, issuer, asked.url);
    const parameters = readCallback(end, mode, redirectUri);
    expect([parameters.state, parameters.iss]).toEqual([asked.parameters.state, issuer]);
    return { shown, parameters };
  };

  /** The same, to a code and nothing besides. */
  const obtainCode = async (visitor: Visitor, asked: Request): Promise<Callback & { code: string }> => {
    const callback = await authorize(visitor, asked);
    const expected = Object.keys(present({ code: '', iss: '', state: asked.parameters.state }));
    expect(Object.keys(callback.parameters).sort()).toEqual(expected);
    return { ...callback, code: UNGUESSABLE.parse(callback.parameters.code) };
  };

  /** The same, to an error and nothing besides, in characters that OAuth allows (RFC 6749 4.1.2.1). Returns which. */
  const obtainError = async (visitor: Visitor, asked: Request): Promise<string | undefined> => {
    const { parameters, shown } = await authorize(visitor, asked);
    const { error, error_description = '', iss, state, ...others } = parameters;
    expect([shown, others]).toEqual([[], {}]);
    expect(error_description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/);
    return error;
  };

  const credentials = (): { headers: Record<string, string>; body: Record<string, string> } => {
    const { client_id, client_secret } = client;
    return client.token_endpoint_auth_method === 'client_secret_post'
      ? { headers: {}, body: { client_id, client_secret } }
      : { headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` }, body: {} };
  };

  const token = async (parameters: Parameters): Promise<Reply> => {
    const { headers, body } = options.assertion ? { headers: {}, body: await options.assertion() } : credentials();
    const form = new URLSearchParams({ ...body, ...present(parameters) });
    return call(server.token_endpoint, { method: 'POST', headers, body: form });
  };

  const redeem = (code: string, parameters: Parameters = {}): Promise<Reply> =>
    token({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...parameters });

  const refresh = (refresh_token: string | undefined): Promise<Reply> =>
    token({ grant_type: 'refresh_token', refresh_token });

  /** Checks an ID token (OpenID Connect Core 3.1.3.7) and returns what it says. */
  const verify = async (idToken: string, nonce: string | undefined, accessToken: string) => {
    const { keys } = z
      .object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })
      .parse((await call(server.jwks_uri)).body);
    const { payload, protectedHeader } = await jose.jwtVerify(idToken, jose.createLocalJWKSet({ keys }), {
      ...{ issuer, audience: client.client_id, algorithms: [alg], requiredClaims: ['sub', 'iat', 'exp'] },
    });
    expect(keys.map(({ kid }) => kid)).toContain(protectedHeader.kid);
    expect([payload.nonce, payload.aud]).toEqual([nonce, client.client_id]);
    expect(payload.sub).toMatch(/^[\x21-\x7E]{1,255}$/);
    // What a scope opens is for UserInfo (OpenID Connect Core 5.4).
    expect(payload).not.toHaveProperty('name');
    expect(payload).not.toHaveProperty('email');
    const digest = createHash('sha256').update(accessToken).digest();
    expect([undefined, digest.subarray(0, 16).toString('base64url')]).toContain(payload.at_hash);
    return { claims: payload, header: protectedHeader };
  };

  const userinfo = (accessToken: string): Promise<Reply> =>
    call(server.userinfo_endpoint, { headers: { authorization: `Bearer ${accessToken}` } });

  /** The whole way: sign-in, callback, tokens, ID token, UserInfo, each checked. */
  const signIn = async (visitor: Visitor = new Visitor(), parameters: Parameters = {}, redeemWith: Parameters = {}) => {
    const asked = request(parameters);
    const { shown, code } = await obtainCode(visitor, asked);
    const tokens = readTokens(await redeem(code, redeemWith));
    const { claims, header } = await verify(tokens.id_token, asked.parameters.nonce, tokens.access_token);
    const info = readUserinfo(await userinfo(tokens.access_token), claims.sub);
    return { shown, code, tokens, claims, header, info };
  };

  return {
    issuer,
    client,
    server,
    request,
    authorize,
    obtainCode,
    obtainError,
    redeem,
    refresh,
    verify,
    userinfo,
    signIn,
  };
}

export type RelyingParty = Awaited<ReturnType<typeof relyingParty>>;

const present = (parameters: Parameters): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
