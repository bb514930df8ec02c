import {
  type Adapter,
  type AdapterPayload,
  type Client,
  errors,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { judgeAddressesAndKeys } from '../core/client/administration.ts';
import { withLook } from '../core/client/brand.ts';
import { type ClientChange, differences, recordChange } from '../core/client/changes.ts';
import type { ClientDirectory, ClientMetadata, ClientRecord } from '../core/client/client.ts';
import { type ClientSecret, digestSecret, secretMatches } from '../core/client/secret.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { isLoopback } from '../core/loopback.ts';
import type { Collection } from '../core/storage/collection.ts';
import { CLAIMS_BY_SCOPE } from './claims.ts';
import { ourMetadata } from './clientRules.ts';

export interface ClientAdapterDependencies {
  /** What is read for each request. */
  readonly directory: ClientDirectory;
  /** Where a client that registers itself is put. */
  readonly clients: Collection<ClientRecord>;
  readonly clock: Clock;
  readonly changes: Collection<ClientChange>;
  readonly newId: () => string;
  /** How a client gets here that registers itself, in the words of its history. */
  readonly cameBy: 'initial access token' | 'open registration';
}

/** Who changes or removes a registration over the protocol, in the words of its history (RFC 7592 1.2). */
const BY_ITSELF = 'registration access token';

/** Clients as oidc-provider reads them, and as dynamic registration writes them. */
export function clientAdapter(deps: ClientAdapterDependencies): Adapter {
  const { directory, clients, clock } = deps;
  const unsupported = async () => {
    throw new Error('a client has no such thing');
  };
  /** Changes what stands in the store, however often somebody else (an administrator) is faster, and puts it into the history. */
  const write = async (id: string, to: (before: ClientRecord | undefined) => ClientRecord) => {
    for (;;) {
      const stored = await clients.find(id);
      const after = to(stored?.value);
      const isWritten =
        stored === undefined
          ? (await clients.insert(id, after)) === 'inserted'
          : await clients.replace(id, stored.version, after);
      if (!isWritten) continue;
      directory.forget(id);
      return put(id, stored?.value, after);
    }
  };
  const put = (clientId: string, before: ClientRecord | undefined, after: ClientRecord) => {
    const action = before === undefined ? 'registered' : after.disabled && !before.disabled ? 'disabled' : 'changed';
    const by = before === undefined ? deps.cameBy : BY_ITSELF;
    const fields = differences(before, after);
    return recordChange(deps.changes, { clientId, at: clock.now(), by, action, fields }, deps.newId());
  };
  return {
    async find(id) {
      const stored = await directory.find(id);
      // oidc-provider validates the metadata; its type for payloads knows only artifacts.
      return stored === undefined ? undefined : (providerMetadata(stored.value) as unknown as AdapterPayload);
    },
    async upsert(id, payload) {
      const { client_secret, ...metadata } = payload as unknown as ClientMetadata & { client_secret?: string };
      judge(metadata as ClientMetadata);
      const now = seconds(clock);
      await write(id, (before) => ({
        // How it looks is an administrator's to say, and stays.
        metadata: withLook(withScopes(metadata as ClientMetadata, before?.metadata.scope), {
          color: before?.metadata.brand_color,
          logo: before?.metadata.brand_logo,
        }),
        secrets: secretsOf(client_secret, before?.secrets, now),
        disabled: before?.disabled ?? false,
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
      }));
    },
    // A client that removes itself (RFC 7592 2.3) opens nothing any longer; what it did stays on record.
    async destroy(id) {
      await write(id, (before) => {
        if (before === undefined) throw new Error('the client that removes itself is gone');
        return { ...before, secrets: [], disabled: true, updatedAt: seconds(clock) };
      });
    },
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: unsupported,
    revokeByGrantId: unsupported,
  };
}

/**
 * Holds a client that registers itself to the same rules as an administrator's. Only its name and its front page, which those have to
 * give, are its own business here (OpenID Connect Dynamic Client Registration 1.0, 2).
 */
function judge(metadata: ClientMetadata): void {
  const { faults } = judgeAddressesAndKeys({ ...metadata, redirect_uris: metadata.redirect_uris ?? [] });
  if (faults.length > 0) throw new errors.InvalidClientMetadata(faults.join(' '));
}

/** The scopes of APIs, and the list itself where there is one, are an administrator's to change: an update keeps them. */
function withScopes({ api_scopes: _, scope, ...metadata }: ClientMetadata, before: unknown): ClientMetadata {
  const [own, held] = [typeof scope === 'string' ? scope : undefined, typeof before === 'string' ? before : undefined];
  const ofApis = held?.split(' ').filter((one) => !OPENID_SCOPES.has(one)) ?? [];
  const all = own === undefined ? held : [own, ...ofApis].join(' ');
  return { ...(metadata as ClientMetadata), ...(all === undefined ? {} : { scope: all }) };
}

/** An update carries back what stands where the secret would be, and then changes no secret. */
function secretsOf(
  given: string | undefined,
  before: readonly ClientSecret[] = [],
  now: number,
): readonly ClientSecret[] {
  if (given === undefined) return [];
  return SECRETS_TEXT.test(given) ? before : [{ digest: digestSecret(given), createdAt: now }];
}

/**
 * A client in oidc-provider's terms: the digests of its secrets stand where it expects the secret, and an
 * `initiate_login_uri` on plain http, which a developer's machine has and oidc-provider refuses, stays with us; so does its
 * look, which is no business of the protocol.
 */
export function providerMetadata({ metadata, secrets }: ClientRecord): ClientMetadata {
  const { initiate_login_uri, scope, brand_color, brand_logo, ...rest } = metadata;
  return {
    ...rest,
    ...scopesOf(scope),
    ...requestObjectsOf(rest),
    ...(initiate_login_uri === undefined || isPlainLocal(initiate_login_uri) ? {} : { initiate_login_uri }),
    ...(secrets.length === 0 ? {} : { client_secret: secretsText(secrets) }),
  };
}

/** An algorithm that is not registered would be free, RS256 included (FAPI 2.0 Security Profile 5.4.1). */
const requestObjectsOf = ({ fapi_profile, request_object_signing_alg = 'ES256', jwks, jwks_uri }: ClientMetadata) =>
  fapi_profile === undefined || (jwks ?? jwks_uri) === undefined ? {} : { request_object_signing_alg };

/** oidc-provider knows OpenID's scopes; those of the plan's APIs are ours to look after. */
function scopesOf(scope: unknown): object {
  if (typeof scope !== 'string') return {};
  const listed = scope.split(' ');
  const openid = listed.filter((one) => OPENID_SCOPES.has(one));
  return {
    api_scopes: listed.filter((one) => !OPENID_SCOPES.has(one)),
    ...(openid.length > 0 ? { scope: openid.join(' ') } : {}),
  };
}

export const OPENID_SCOPES = new Set([...Object.keys(CLAIMS_BY_SCOPE), 'offline_access']);

const SECRETS_TEXT = /^sha256:/;
const secretsText = (secrets: readonly ClientSecret[]): string =>
  secrets.map(({ digest, createdAt, expiresAt = '' }) => `sha256:${digest}:${createdAt}:${expiresAt}`).join(' ');

const readSecrets = (text: string): ClientSecret[] =>
  text.split(' ').map((secret) => {
    const [, digest = '', createdAt, expiresAt] = secret.split(':');
    return { digest, createdAt: Number(createdAt), ...(expiresAt ? { expiresAt: Number(expiresAt) } : {}) };
  });

/** Teaches the provider to compare a secret with the digests, and never to show them. */
export function extendClients(provider: Provider, clock: Clock, directory: Pick<ClientDirectory, 'find'>): void {
  const opens = (client: Client | undefined, secret: string) =>
    secretMatches(secret, readSecrets(client?.clientSecret ?? ''), seconds(clock));
  provider.Client.prototype.compareClientSecret = function compareClientSecret(actual: string) {
    return opens(this, actual);
  };
  // A client may repeat its secret in an update (RFC 7592 2.2), which oidc-provider then compares with what stands where it
  // expects the secret. The right one goes before that, as it changes nothing; any other one stays, and is refused.
  Object.defineProperty(provider.OIDCContext.prototype, 'body', {
    set(this: KoaContextWithOIDC['oidc'], value: Record<string, unknown> | null) {
      const secret = this.route === 'client_update' ? value?.client_secret : undefined;
      if (typeof secret === 'string' && opens(this.client, secret)) delete value?.client_secret;
      Object.defineProperty(this, 'body', { value, writable: true, enumerable: true, configurable: true });
    },
  });
  // Every ID token names the session, so that a sign-out can show which one it means. FAPI 2.0 wants none but its own claims, unless
  // the client is to hear of a session's end: it would not know which one (OpenID Connect Back-Channel Logout 1.0, 2.1).
  const { includeSid } = provider.Client.prototype;
  provider.Client.prototype.includeSid = function includeSidOfOurs() {
    return ourMetadata(this).fapi_profile === undefined || includeSid.call(this);
  };
  // A client whose registration cannot be read (its sector document does not answer) must not keep members from signing out.
  const find = provider.Client.find;
  // What it has made of a registration: to find that again, it writes the registration out and digests it at each request.
  const made = new WeakMap<ClientRecord, Client>();
  provider.Client.find = async function findClient(id: string) {
    const registered = typeof id === 'string' ? (await directory.find(id))?.value : undefined;
    const before = registered && made.get(registered);
    if (before !== undefined) return before;
    try {
      const client = await find.call(this, id);
      if (registered !== undefined && client !== undefined) made.set(registered, client);
      return client;
    } catch (error) {
      const signingOut = Provider.ctx?.oidc?.route?.startsWith('end_session');
      if (signingOut && error instanceof errors.InvalidClientMetadata) return undefined;
      throw error;
    }
  };
  // The answer to a client that reads or changes its own registration.
  provider.use(async (ctx, next) => {
    await next();
    const body = ctx.body as { client_secret?: unknown } | undefined;
    if (ctx.oidc?.route?.startsWith('client') && SECRETS_TEXT.test(String(body?.client_secret)))
      delete body?.client_secret;
  });
}

function isPlainLocal(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && isLoopback(url.hostname);
}
