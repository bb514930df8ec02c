import type { Collection } from '../storage/collection.ts';
import { type Brand, brandOf } from './brand.ts';
import type { ClientSecret } from './secret.ts';

/** A relying party as it is stored: OpenID registration metadata, with the secrets kept as digests only. */
export interface ClientRecord {
  /** Registration metadata (OpenID Connect Dynamic Client Registration 1.0, section 2) without the secret. */
  readonly metadata: ClientMetadata;
  /** The secrets that open this client, newest first. Empty for public clients. */
  readonly secrets: readonly ClientSecret[];
  /** It is kept, but opens nothing. */
  readonly disabled: boolean;
  /** A digest of the entry of CLIENTS_FILE that was put into the store last. */
  readonly seededFrom?: string | undefined;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ClientMetadata {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly client_name?: string | undefined;
  readonly client_uri?: string | undefined;
  readonly initiate_login_uri?: string | undefined;
  readonly policy_uri?: string | undefined;
  readonly tos_uri?: string | undefined;
  /** The plan's own app: it needs no consent. */
  readonly first_party?: boolean | undefined;
  /** False for a confidential client that an administrator has exempted from PKCE. */
  readonly require_pkce?: boolean | undefined;
  /** Its members always sign in with two steps. */
  readonly require_mfa?: boolean | undefined;
  /** `2.0`: the client is held to the FAPI 2.0 Security Profile. */
  readonly fapi_profile?: '2.0' | undefined;
  /** The colour of its sign-in pages, `#0b6b62`, and its logo as a `data:` URL (`brand.ts`). */
  readonly brand_color?: string | undefined;
  readonly brand_logo?: string | undefined;
  readonly [name: string]: unknown;
}

/** The registered clients, as far as reading one goes. */
export interface ClientDirectory extends Pick<Collection<ClientRecord>, 'find'> {
  /** The client has just changed here: it is read again at the next request. */
  forget(id: string): void;
}

/** The metadata of a registered app, or undefined. */
export async function findMetadata(
  clients: ClientDirectory,
  clientId: string | undefined,
): Promise<ClientMetadata | undefined> {
  return clientId === undefined ? undefined : (await clients.find(clientId))?.value.metadata;
}

/** What our pages say about the app that sent the member here. */
export interface App {
  readonly id: string;
  readonly name: string;
  readonly firstParty: boolean;
  /** Where a member who is stuck goes on; undefined for an app that has no page of its own. */
  readonly wayBack: string | undefined;
  /** Where the app says what it does with data, and on what terms. */
  readonly policy: string | undefined;
  readonly terms: string | undefined;
  readonly brand: Brand | undefined;
}

/**
 * How an app appears on our pages. Its name may be given in several languages (`client_name#es`, OpenID Connect Dynamic
 * Client Registration 1.0, 2.1).
 */
export function describeApp(metadata: ClientMetadata, issuer: string, locale = 'en'): App {
  const named = metadata[`client_name#${locale}`];
  return {
    id: metadata.client_id,
    name: typeof named === 'string' ? named : (metadata.client_name ?? metadata.client_id),
    firstParty: metadata.first_party === true,
    wayBack: wayBackTo(metadata, issuer),
    policy: metadata.policy_uri,
    terms: metadata.tos_uri,
    brand: brandOf(metadata),
  };
}

/** The app's own start of a sign-in (OpenID Connect Core 4, with `iss`), else its front page, else where it lives. */
function wayBackTo(metadata: ClientMetadata, issuer: string): string | undefined {
  if (metadata.initiate_login_uri !== undefined) {
    const start = new URL(metadata.initiate_login_uri);
    start.searchParams.set('iss', issuer);
    return start.href;
  }
  return metadata.client_uri ?? metadata.redirect_uris.map(webOrigin).find((origin) => origin !== undefined);
}

/**
 * Where a form of ours may end for this app, as CSP sources (CSP 3, 6.4.2 `form-action`). Chromium applies the directive
 * to every redirect after the form, the app's own included, and a native app listens on any loopback port (RFC 8252
 * 7.3): so https as a whole, and what the app has registered besides.
 */
export function formTargets(metadata: ClientMetadata): string[] {
  const uris = [
    ...metadata.redirect_uris,
    ...(Array.isArray(metadata.post_logout_redirect_uris) ? metadata.post_logout_redirect_uris : []),
    metadata.client_uri,
    metadata.initiate_login_uri,
  ];
  const sources = uris.map((uri) => (typeof uri === 'string' ? cspSource(uri) : undefined));
  return [...new Set(['https:', ...sources.filter((source) => source !== undefined)])];
}

function cspSource(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (url?.protocol !== 'http:' || url.hostname === IPV6_LOOPBACK) return url?.protocol;
  return LOOPBACK.has(url.hostname) ? `http://${url.hostname}:*` : url.origin;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1']);
/** A source with this host is none (CSP 3, 2.3.1), and browsers leave it out: only the scheme as a whole reaches it. */
const IPV6_LOOPBACK = '[::1]';

function webOrigin(uri: string): string | undefined {
  const url = URL.parse(uri);
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.origin : undefined;
}
