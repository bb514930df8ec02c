import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';

/** Metadata of our own, besides what OpenID registers. */
export const OUR_METADATA = [
  'first_party',
  'require_pkce',
  'require_mfa',
  'fapi_profile',
  'introspects_all_tokens',
  'api_scopes',
] as const;

interface OurMetadata {
  readonly first_party?: boolean;
  readonly require_pkce?: boolean;
  readonly require_mfa?: boolean;
  readonly fapi_profile?: '2.0';
  readonly introspects_all_tokens?: boolean;
  readonly api_scopes?: readonly string[];
}

/** Our own metadata of a client, which oidc-provider keeps under its own names and its types do not know. */
export const ourMetadata = (client: object | undefined): OurMetadata => (client ?? {}) as OurMetadata;

/**
 * Judges our own metadata. Who registers dynamically cannot give itself a right that an administrator gives, and cannot shake off a duty
 * by leaving it out of an update (RFC 7592 2.2: what is left out is to be deleted).
 */
export function judgeOurMetadata(
  ctx: KoaContextWithOIDC | undefined,
  name: string,
  value: unknown,
  client: ClientMetadata,
): void {
  if (ctx?.oidc?.route !== undefined && isTakenByItself(ctx, name, value)) {
    throw new errors.InvalidClientMetadata(`${name} is given by the administrators of this service`);
  }
  if (name === 'require_pkce' && value === false && isPublic(client)) {
    throw new errors.InvalidClientMetadata('require_pkce: a public client always needs PKCE');
  }
  if (name === 'fapi_profile' && value !== undefined) judgeFapi(value, client);
}

function isTakenByItself({ oidc }: KoaContextWithOIDC, name: string, value: unknown): boolean {
  const sent = (oidc.body as Record<string, unknown> | undefined)?.[name];
  const before = oidc.client as unknown as Record<string, unknown> | undefined;
  const isOther = (one: unknown) => JSON.stringify(one) !== JSON.stringify(before?.[name]);
  // What the scopes are is settled where the client is stored.
  const isLeftOut = oidc.route === 'client_update' && before !== undefined && name !== 'api_scopes' && isOther(value);
  return isLeftOut || (sent !== undefined && isOther(sent));
}

const isPublic = ({ token_endpoint_auth_method: method }: ClientMetadata): boolean => method === 'none';

const FAPI_METHODS = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'];
/** FAPI 2.0 Security Profile 5.4.1. */
const FAPI_ALGORITHMS = ['ES256', 'PS256', 'EdDSA'];

/** What oidc-provider's profile leaves to the client's registration (FAPI 2.0 Security Profile 5.3.2). */
function judgeFapi(profile: unknown, client: ClientMetadata): void {
  const { token_endpoint_auth_method: method, redirect_uris = [] } = client;
  const isFapiAlgorithm = (alg: unknown) => FAPI_ALGORITHMS.includes(String(alg));
  const algorithms = FAPI_ALGORITHMS.join(', ');
  const rules: readonly (readonly [holds: unknown, rule: string])[] = [
    [profile === '2.0', 'fapi_profile is 2.0 or nothing'],
    [FAPI_METHODS.includes(String(method)), `token_endpoint_auth_method is one of ${FAPI_METHODS.join(', ')}`],
    [
      method !== 'private_key_jwt' || isFapiAlgorithm(client.token_endpoint_auth_signing_alg),
      `token_endpoint_auth_signing_alg is one of ${algorithms}`,
    ],
    [client.require_pushed_authorization_requests, 'require_pushed_authorization_requests is true'],
    [
      client.dpop_bound_access_tokens || client.tls_client_certificate_bound_access_tokens,
      'dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens is true',
    ],
    [client.id_token_signed_response_alg !== 'RS256', 'id_token_signed_response_alg is ES256'],
    [client.userinfo_signed_response_alg !== 'RS256', 'userinfo_signed_response_alg is ES256'],
    [
      isFapiAlgorithm(client.request_object_signing_alg ?? 'ES256'),
      `request_object_signing_alg is one of ${algorithms}`,
    ],
    // oidc-provider lets a native client have http on loopback only, which the profile allows (5.3.2.2).
    [
      client.application_type === 'native' || redirect_uris.every((uri) => uri.startsWith('https:')),
      'redirect_uris are https',
    ],
  ];
  const faults = rules.flatMap(([holds, rule]) => (holds ? [] : [rule]));
  if (faults.length > 0) throw new errors.InvalidClientMetadata(`for FAPI 2.0: ${faults.join('; ')}`);
}
