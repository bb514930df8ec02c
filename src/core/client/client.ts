import type { Collection } from '../storage/collection.ts';

/** A relying party as it is stored: OpenID registration metadata, with the secret kept as a digest only. */
export interface ClientRecord {
  /** Registration metadata (OpenID Connect Dynamic Client Registration 1.0, section 2) without the secret. */
  readonly metadata: ClientMetadata;
  /** Digests of the secrets that open this client, newest first. Empty for public clients. */
  readonly secretDigests: readonly string[];
}

export interface ClientMetadata {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly client_name?: string | undefined;
  readonly client_uri?: string | undefined;
  readonly initiate_login_uri?: string | undefined;
  /** The plan's own app: it needs no consent. */
  readonly first_party?: boolean | undefined;
  readonly [name: string]: unknown;
}

/** The metadata of a registered app, or undefined. */
export async function findMetadata(
  clients: Collection<ClientRecord>,
  clientId: string | undefined,
): Promise<ClientMetadata | undefined> {
  return clientId === undefined ? undefined : (await clients.find(clientId))?.value.metadata;
}

/** What our pages say about the app that sent the member here. */
export interface App {
  readonly name: string;
  readonly firstParty: boolean;
  /** Where a member who is stuck goes on; undefined for an app that has no page of its own. */
  readonly wayBack: string | undefined;
}

/** How an app appears on our pages. */
export function describeApp(metadata: ClientMetadata, issuer: string): App {
  return {
    name: metadata.client_name ?? metadata.client_id,
    firstParty: metadata.first_party === true,
    wayBack: wayBackTo(metadata, issuer),
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
  if (url?.protocol !== 'http:') return url?.protocol;
  return LOOPBACK.has(url.hostname) ? `http://${url.hostname}:*` : url.origin;
}

/** No IPv6 here: CSP has no way to write it. */
const LOOPBACK = new Set(['localhost', '127.0.0.1']);

function webOrigin(uri: string): string | undefined {
  const url = URL.parse(uri);
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.origin : undefined;
}
