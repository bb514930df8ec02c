import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { call } from './answers.ts';

const ISSUER = 'https://id.meadowlark.example';

/** An https address below the issuer, without a fragment. */
const endpoint = z
  .url({ protocol: /^https$/ })
  .startsWith(`${ISSUER}/`)
  .regex(/^[^#]*$/);
const list = z.array(z.string().min(1)).min(1);
const algorithms = z.array(z.enum(['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'])).min(1);
/** BCP 47 in its usual case: `en-GB`, not `en-gb`. */
const locales = z.array(z.string().refine((tag) => Intl.getCanonicalLocales(tag)[0] === tag)).min(1);

/** What must, should and may stand in discovery (OpenID Connect Discovery 1.0, 3; RFC 8414 2), as the module reads it. */
const METADATA = z.looseObject({
  issuer: z.literal(ISSUER),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  userinfo_endpoint: endpoint,
  jwks_uri: endpoint,
  end_session_endpoint: endpoint,
  registration_endpoint: endpoint.optional(),
  revocation_endpoint: endpoint,
  introspection_endpoint: endpoint,
  device_authorization_endpoint: endpoint,
  pushed_authorization_request_endpoint: endpoint,
  // No implicit flow, hence no other.
  response_types_supported: z.tuple([z.literal('code')]),
  response_modes_supported: list,
  grant_types_supported: list,
  subject_types_supported: z.array(z.enum(['public', 'pairwise'])).min(1),
  scopes_supported: z.array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/)),
  claims_supported: list,
  claim_types_supported: z.array(z.enum(['normal', 'aggregated', 'distributed'])).optional(),
  acr_values_supported: list,
  id_token_signing_alg_values_supported: algorithms,
  userinfo_signing_alg_values_supported: algorithms,
  request_object_signing_alg_values_supported: algorithms,
  token_endpoint_auth_signing_alg_values_supported: algorithms,
  token_endpoint_auth_methods_supported: list,
  code_challenge_methods_supported: z.tuple([z.literal('S256')]),
  ui_locales_supported: locales,
  claims_locales_supported: locales.optional(),
  claims_parameter_supported: z.literal(true),
  request_parameter_supported: z.literal(true),
  request_uri_parameter_supported: z.boolean(),
  authorization_response_iss_parameter_supported: z.literal(true),
});

/** Public keys only, for signatures, each with a name of its own (RFC 7517 4). */
const PUBLIC_KEY = z.discriminatedUnion('kty', [
  z.strictObject({
    ...{ kty: z.literal('RSA'), use: z.literal('sig'), alg: z.literal('RS256'), kid: z.string().min(1) },
    ...{ n: z.base64url().min(342), e: z.literal('AQAB') },
  }),
  z.strictObject({
    ...{ kty: z.literal('EC'), use: z.literal('sig'), alg: z.literal('ES256'), kid: z.string().min(1) },
    ...{ crv: z.literal('P-256'), x: z.base64url().length(43), y: z.base64url().length(43) },
  }),
]);

describe('oidcc-config-certification-test-plan', () => {
  let provider: RunningProvider;
  let local: string;
  beforeAll(async () => {
    // As it is behind its proxy, which ends TLS.
    provider = await startProvider(STORE_PAIRS[0], { env: { ISSUER } });
    local = `http://localhost:${provider.config.port}`;
  });
  afterAll(() => provider.close());

  test('oidcc-discovery-endpoint-verification', async () => {
    const { status, headers, body } = await call(`${local}/.well-known/openid-configuration`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const metadata = METADATA.parse(body);
    expect(metadata.id_token_signing_alg_values_supported).toContain('RS256');
    expect(metadata.userinfo_signing_alg_values_supported).toContain('RS256');
    expect(metadata.request_object_signing_alg_values_supported).toContain('RS256');
    expect(metadata.scopes_supported).toEqual(
      expect.arrayContaining(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']),
    );
    expect(metadata.grant_types_supported).toEqual(expect.arrayContaining(['authorization_code', 'refresh_token']));
    expect(metadata.grant_types_supported).not.toContain('implicit');
    expect(metadata.response_modes_supported).toEqual(expect.arrayContaining(['query', 'form_post']));
    expect(metadata.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining(['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
    );

    const jwks = await call(metadata.jwks_uri.replace(ISSUER, local));
    expect(jwks.status).toBe(200);
    const { keys } = z.strictObject({ keys: z.array(PUBLIC_KEY) }).parse(jwks.body);
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(new Set(['ES256', 'RS256']));
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
  });
});
