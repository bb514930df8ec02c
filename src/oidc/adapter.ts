import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { ClientMetadata, ClientRecord } from '../core/client/client.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { isLoopback } from '../core/loopback.ts';
import type { Collection } from '../core/storage/collection.ts';
import type { Expiring } from '../core/storage/expiring.ts';

/** What is revoked together with its grant. */
const GRANTED = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
]);

/** Seconds that an artifact is kept which names no lifetime of its own. */
const DEFAULT_LIFE = 86_400;

/** oidc-provider's artifacts on our store. `consume` is settled by the store: of two parallel callers one wins. */
export function artifactAdapter(kind: string, expiring: Expiring, clock: Clock): Adapter {
  const key = (id: string) => `${kind}:${id}`;
  const grantSet = (grantId: string) => `grant:${grantId}`;
  const alias = (name: 'uid' | 'userCode', value: string) => `${kind}:${name}:${value}`;

  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    const entry = await expiring.get(key(id));
    if (entry === undefined || (kind === 'Session' && entry.spentAt !== undefined)) return undefined;
    return { ...entry.value, ...(entry.spentAt === undefined ? {} : { consumed: entry.spentAt }) };
  };

  const findByAlias = async (name: 'uid' | 'userCode', value: string) => {
    const entry = await expiring.get(alias(name, value));
    return entry === undefined ? undefined : find((entry.value as { id: string }).id);
  };

  const revokeByGrantId = async (grantId: string) => {
    const tokens = await expiring.members(grantSet(grantId));
    await Promise.all(tokens.map((token) => expiring.remove(token)));
    await expiring.remove(grantSet(grantId));
  };

  return {
    find,
    findByUid: (uid) => findByAlias('uid', uid),
    findByUserCode: (userCode) => findByAlias('userCode', userCode),

    async upsert(id, payload, expiresIn) {
      const deadline = clock.now() + (expiresIn ?? DEFAULT_LIFE) * 1000;
      // The index first: a token that is not in it could outlive its grant's revocation.
      if (GRANTED.has(kind) && payload.grantId !== undefined) {
        await expiring.join(grantSet(payload.grantId), key(id), deadline);
      }
      if (kind === 'Session' && payload.uid !== undefined)
        await expiring.put(alias('uid', payload.uid), { id }, deadline);
      if (payload.userCode !== undefined) await expiring.put(alias('userCode', payload.userCode), { id }, deadline);
      // A jti is seen once: of two that come together the second finds it taken (RFC 7523 3).
      if (kind === 'ReplayDetection' && !(await expiring.swap(key(id), 0, payload, deadline))) {
        throw new errors.InvalidClientAuth('jti was used before');
      }
      if (kind !== 'ReplayDetection') await expiring.put(key(id), payload, deadline);
    },

    async consume(id) {
      if (await expiring.spend(key(id), seconds(clock))) return;
      // A code that is presented twice revokes what it gave (RFC 6749 4.1.2), also when both come at once: oidc-provider
      // has then looked at the code before it was spent, and only the store knows. Whatever the winner still saves is
      // dead, because no token counts without its grant.
      const { grantId } = (await find(id)) ?? {};
      if (kind === 'AuthorizationCode' && grantId !== undefined) {
        await expiring.remove(`Grant:${grantId}`);
        await revokeByGrantId(grantId);
      }
      throw new errors.InvalidGrant(`${kind} already used`);
    },

    // A session that has ended stays in the store, spent, so that a request that read it before cannot save it back.
    destroy: async (id) =>
      void (await (kind === 'Session' ? expiring.spend(key(id), seconds(clock)) : expiring.remove(key(id)))),

    revokeByGrantId,
  };
}

/** Clients as oidc-provider reads them. */
export function clientAdapter(clients: Collection<ClientRecord>): Adapter {
  const unsupported = async () => {
    throw new Error('clients are changed through our own store');
  };
  return {
    async find(id) {
      const stored = await clients.find(id);
      // oidc-provider validates the metadata; its type for payloads knows only artifacts.
      return stored === undefined ? undefined : (providerMetadata(stored.value) as unknown as AdapterPayload);
    },
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    upsert: unsupported,
    consume: unsupported,
    destroy: unsupported,
    revokeByGrantId: unsupported,
  };
}

/**
 * A client in oidc-provider's terms: the digests of its secrets stand where it expects the secret, and an
 * `initiate_login_uri` on plain http, which a developer's machine has and oidc-provider refuses, stays with us.
 */
export function providerMetadata({ metadata, secretDigests }: ClientRecord): ClientMetadata {
  const { initiate_login_uri, ...rest } = metadata;
  return {
    ...rest,
    ...(initiate_login_uri === undefined || isPlainLocal(initiate_login_uri) ? {} : { initiate_login_uri }),
    ...(secretDigests.length === 0 ? {} : { client_secret: secretDigests.join(' ') }),
  };
}

function isPlainLocal(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && isLoopback(url.hostname);
}
