import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { logoUrl } from '../core/client/brand.ts';
import { clientIdFor } from '../core/client/clientId.ts';
import {
  CLIENT_KINDS,
  type ClientKind,
  FAPI_METADATA,
  isSeenByMembers,
  KIND_METADATA,
  needsSecret,
} from '../core/client/kinds.ts';
import type { NewClient } from '../core/client/newClient.ts';
import { isPrivateKey } from '../core/client/publicKeys.ts';
import { readBytes, readJson } from './files.ts';
import type { Options } from './help.ts';
import { type Call, Misuse } from './run.ts';

/** How its sign-in pages look. */
export const LOOK_OPTIONS = {
  color: {
    type: 'string',
    value: 'COLOUR',
    help: 'of its sign-in pages, such as #0b6b62; white text on it is readable',
  },
  logo: { type: 'string', value: 'FILE', help: 'a PNG, JPEG or WebP picture of at most 32 KB' },
} as const satisfies Options;

/** How a client is described on the command line. */
export const CLIENT_OPTIONS = {
  kind: { type: 'string', value: 'KIND', help: `${CLIENT_KINDS.join(', ')}` },
  name: { type: 'string', value: 'NAME', help: 'what members read' },
  id: { type: 'string', value: 'ID', help: 'its client_id; otherwise made of the name' },
  'redirect-uri': { type: 'string', multiple: true, value: 'URI', help: 'where members come back to' },
  'post-logout-redirect-uri': {
    ...{ type: 'string', multiple: true, value: 'URI' },
    help: 'where members come back to after signing out',
  },
  'client-uri': { type: 'string', value: 'URI', help: "the app's front page: the way back for a member who is stuck" },
  'initiate-login-uri': { type: 'string', value: 'URI', help: 'where a sign-in starts anew; or this instead' },
  'backchannel-logout-uri': { type: 'string', value: 'URI', help: 'hears of every session that ends' },
  'first-party': { type: 'boolean', help: "the plan's own app: it needs no consent" },
  scope: { type: 'string', value: 'SCOPES', help: 'the only scopes that it may ask for, with spaces in between' },
  'jwks-uri': {
    type: 'string',
    value: 'URI',
    help: 'its public keys: then it signs (private_key_jwt) and has no secret',
  },
  jwks: { type: 'string', value: 'FILE', help: 'the same, from a file' },
  'signing-alg': {
    type: 'string',
    value: 'ALG',
    help: 'how it signs, such as ES256 (with --fapi the default), PS256, EdDSA',
  },
  fapi: { type: 'boolean', help: 'hold it to the FAPI 2.0 Security Profile; for web, with keys' },
  'require-mfa': { type: 'boolean', help: 'its members always sign in with two steps' },
  'without-pkce': { type: 'boolean', help: 'for older confidential apps that send no PKCE' },
  ...LOOK_OPTIONS,
  from: { type: 'string', value: 'FILE', help: 'OpenID registration metadata in JSON, in which options overrule' },
} as const satisfies Options;

type Given = Call<typeof CLIENT_OPTIONS>['values'];
type Metadata = Readonly<Record<string, unknown>>;

const RawMetadata = z.looseObject({
  client_id: z.string().min(1).optional(),
  client_secret: z.string().min(32, 'is too short; leave it out to have one made').optional(),
  redirect_uris: z.array(z.string()).optional(),
});

const KeySet = z.object({
  keys: z.array(z.looseObject({}).refine((key) => !isPrivateKey(key), 'is a private key; give public ones')),
});

/** The client that the command line describes; with a secret only where the file brings one. Throws Misuse. */
export function clientOf(given: Given): NewClient {
  const kind = kindOf(given);
  const raw: Metadata = given.from === undefined ? {} : readJson(given.from, RawMetadata);
  const { client_secret, ...metadata }: Metadata = {
    redirect_uris: [],
    ...(kind === undefined ? {} : KIND_METADATA[kind]),
    ...keysOf(given, kind),
    ...(given.fapi ? FAPI_METADATA : {}),
    ...raw,
    ...told(given),
  };
  const client = {
    client_id: clientIdFor(metadata.client_name, randomBytes(4).toString('hex')),
    ...metadata,
  } as NewClient;
  demandWhatMembersNeed(client);
  if (given['without-pkce'] && client.token_endpoint_auth_method === 'none') {
    throw new Misuse('--without-pkce is for confidential clients only: a public one is safe by PKCE alone.');
  }
  return needsSecret(client) && client_secret !== undefined
    ? { ...client, client_secret: String(client_secret) }
    : client;
}

function kindOf({ kind, from, fapi, jwks, ...given }: Given): ClientKind | undefined {
  const known = CLIENT_KINDS.find((one) => one === kind);
  if (kind === undefined ? from === undefined : known === undefined) {
    throw new Misuse(`--kind must be one of ${CLIENT_KINDS.join(', ')}.`);
  }
  if (!fapi) return known;
  if (known !== 'web') throw new Misuse('--fapi is for --kind web.');
  if (given['without-pkce']) throw new Misuse('--fapi and --without-pkce exclude each other.');
  if (jwks === undefined && given['jwks-uri'] === undefined) throw new Misuse('--fapi needs --jwks-uri or --jwks.');
  return known;
}

function keysOf(given: Given, kind: ClientKind | undefined): Metadata {
  const uri = given['jwks-uri'];
  if (uri === undefined && given.jwks === undefined) return {};
  if (uri !== undefined && given.jwks !== undefined) throw new Misuse('Give --jwks-uri or --jwks.');
  const isPublic = kind !== undefined && !needsSecret(KIND_METADATA[kind]);
  return {
    ...(uri === undefined ? { jwks: readJson(String(given.jwks), KeySet) } : { jwks_uri: uri }),
    ...(isPublic ? {} : { token_endpoint_auth_method: 'private_key_jwt' }),
  };
}

/** What options say in so many words. */
function told(given: Given): Metadata {
  const logout = given['backchannel-logout-uri'];
  const look = lookIn(given);
  const all = {
    client_id: given.id,
    client_name: given.name,
    redirect_uris: given['redirect-uri'],
    post_logout_redirect_uris: given['post-logout-redirect-uri'],
    client_uri: given['client-uri'],
    initiate_login_uri: given['initiate-login-uri'],
    backchannel_logout_uri: logout,
    backchannel_logout_session_required: logout === undefined ? undefined : true,
    token_endpoint_auth_signing_alg: given['signing-alg'],
    first_party: given['first-party'],
    scope: given.scope,
    require_pkce: given['without-pkce'] ? false : undefined,
    require_mfa: given['require-mfa'],
    ...{ brand_color: look.color, brand_logo: look.logo },
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The look that the command line asks for. Throws Misuse where the file cannot be read. */
export const lookIn = ({ color, logo }: Given | Call<typeof LOOK_OPTIONS>['values']) => ({
  color: color?.toLowerCase(),
  logo: logo === undefined ? undefined : logoUrl(readBytes(logo)),
});

function demandWhatMembersNeed(client: NewClient): void {
  if (client.client_name === undefined) throw new Misuse('--name is missing.');
  if (!isSeenByMembers(client)) return;
  const comesBack = !Array.isArray(client.response_types) || client.response_types.length > 0;
  if (comesBack && client.redirect_uris.length === 0) throw new Misuse('--redirect-uri is missing.');
  if (client.client_uri === undefined && client.initiate_login_uri === undefined) {
    throw new Misuse(
      'Give --client-uri or --initiate-login-uri: the way back for a member whose sign-in page expired.',
    );
  }
}
