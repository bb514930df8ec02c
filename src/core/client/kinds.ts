import type { ClientMetadata } from './client.ts';

/** What an app is decides how it can prove who it is and how its members come back. */
export const CLIENT_KINDS = ['web', 'single-page', 'native', 'service', 'device'] as const;

export type ClientKind = (typeof CLIENT_KINDS)[number];

type Metadata = Partial<ClientMetadata>;

const CODE = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const NO_REDIRECT = { redirect_uris: [], response_types: [] };
const PUBLIC = { token_endpoint_auth_method: 'none' };
const CONFIDENTIAL = { token_endpoint_auth_method: 'client_secret_basic' };

/**
 * Safe metadata of each kind. Apps that cannot keep a secret are public; those that members come back to use PKCE; refresh tokens end with
 * the member's session.
 */
export const KIND_METADATA: Readonly<Record<ClientKind, Metadata>> = {
  web: { application_type: 'web', ...CODE, ...CONFIDENTIAL },
  'single-page': { application_type: 'web', ...CODE, ...PUBLIC },
  // RFC 8252.
  native: { application_type: 'native', ...CODE, ...PUBLIC },
  service: { ...NO_REDIRECT, ...CONFIDENTIAL, grant_types: ['client_credentials'] },
  // RFC 8628.
  device: {
    ...{ application_type: 'native', ...NO_REDIRECT, ...PUBLIC },
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  },
};

/** Holds a confidential client to the FAPI 2.0 Security Profile, with DPoP. */
export const FAPI_METADATA: Metadata = {
  fapi_profile: '2.0',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  require_pushed_authorization_requests: true,
  dpop_bound_access_tokens: true,
};

/** Whether members meet our pages on their way to this client, and need a way back to it when they are stuck. */
export const isSeenByMembers = ({ grant_types }: Metadata): boolean =>
  !Array.isArray(grant_types) || grant_types.some((grant) => grant !== 'client_credentials');

/** Whether this client proves with a secret who it is. */
export const needsSecret = ({ token_endpoint_auth_method: method = 'client_secret_basic' }: Metadata): boolean =>
  String(method).startsWith('client_secret_');
