import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import type { Expiring } from '../core/storage/expiring.ts';
import type { Schedule } from '../core/storage/schedule.ts';

export interface ArtifactStores {
  readonly expiring: Expiring;
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** Seconds from sign-in on after which a session ends whatever happens. */
  readonly overall: number;
  /** Whether all that began then, in seconds since 1970, was ended. */
  readonly areOver: (began: number) => boolean;
}

/** The list of sessions by the time of their end. */
export const SESSION_ENDS = 'session-ends';

/** What has to be ended together with a session. */
export interface SessionEnd {
  readonly accountId: string;
  /** By client id. */
  readonly authorizations: Readonly<
    Record<
      string,
      {
        readonly sid?: string | undefined;
        readonly grantId?: string | undefined;
        readonly persistsLogout?: boolean | undefined;
      }
    >
  >;
}

/** What is revoked together with its grant. */
const GRANTED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode']);

/** What goes when everybody's sessions are ended: a sign-in under way begins anew as well. */
const OPENED = new Set(['Session', 'Grant', 'Interaction', ...GRANTED]);

/** Seconds that an artifact is kept which names no lifetime of its own. */
const DEFAULT_LIFE = 86_400;

/** Seconds in which a refresh token that is presented again is a race of its own app, and gets the same successor. */
const REFRESH_GRACE = 10;

/** Sets of what belongs to an account, so that all of it can be ended at once. */
export const accountSet = (kind: 'Session' | 'Grant', accountId: string): string => `account:${kind}:${accountId}`;

/** Under which an artifact is kept. */
export const artifactKey = (kind: string, id: string): string => `${kind}:${id}`;

/** oidc-provider's artifacts on our store. `consume` is settled by the store: of two parallel callers one wins. */
export function artifactAdapter(
  kind: string,
  { expiring, schedule, clock, overall, areOver }: ArtifactStores,
): Adapter {
  const key = (id: string) => artifactKey(kind, id);
  const grantSet = (grantId: string) => `grant:${grantId}`;
  const alias = (name: 'uid' | 'userCode', value: string) => `${kind}:${name}:${value}`;
  /** A race of its own app: the token was spent, but only just now. */
  const isRace = (spentAt: number): boolean =>
    kind === 'RefreshToken' && Math.abs(seconds(clock) - spentAt) < REFRESH_GRACE;

  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    const entry = await expiring.get(key(id));
    if (entry === undefined || (kind === 'Session' && entry.spentAt !== undefined)) return undefined;
    if (OPENED.has(kind) && areOver(beganAt(kind, entry.value as AdapterPayload))) return undefined;
    const spent = entry.spentAt !== undefined && !isRace(entry.spentAt);
    return { ...entry.value, ...(spent ? { consumed: entry.spentAt } : {}) };
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

  /** Puts down by what else an artifact is found. The index first: a token that is not in it would outlive its grant. */
  const index = async (id: string, payload: AdapterPayload, deadline: number) => {
    const { grantId, uid, userCode, accountId } = payload;
    const entries: Promise<unknown>[] = [];
    if (GRANTED.has(kind) && grantId !== undefined) entries.push(expiring.join(grantSet(grantId), key(id), deadline));
    if (kind === 'Session' && uid !== undefined) entries.push(expiring.put(alias('uid', uid), { id }, deadline));
    if (userCode !== undefined) entries.push(expiring.put(alias('userCode', userCode), { id }, deadline));
    if ((kind === 'Session' || kind === 'Grant') && accountId !== undefined)
      entries.push(expiring.join(accountSet(kind, accountId), id, deadline));
    await Promise.all(entries);
  };

  /**
   * Saves a session. Requests that ran beside each other each hold a copy: what it was used for is what all of them say.
   * Its end has consequences, whether or not anybody comes by then. One that has ended stays ended.
   */
  const saveSession = async (id: string, payload: AdapterPayload, wanted: number): Promise<void> => {
    const { accountId, loginTs } = payload;
    const deadline = loginTs === undefined ? wanted : Math.min(wanted, (loginTs + overall) * 1000);
    for (;;) {
      const entry = await expiring.get(key(id));
      if (entry?.spentAt !== undefined) return;
      const before = (entry?.value ?? {}) as AdapterPayload;
      const authorizations = {
        ...(before.accountId === accountId ? before.authorizations : {}),
        ...payload.authorizations,
      };
      // Every save is activity.
      const merged = accountId === undefined ? payload : { ...payload, authorizations, usedAt: seconds(clock) };
      if (!(await expiring.swap(key(id), entry?.version ?? 0, merged, deadline))) continue;
      if (accountId === undefined) return;
      return schedule.put(SESSION_ENDS, id, deadline, { accountId, authorizations } satisfies SessionEnd);
    }
  };

  return {
    find,
    findByUid: (uid) => findByAlias('uid', uid),
    findByUserCode: (userCode) => findByAlias('userCode', userCode),

    async upsert(id, payload, expiresIn) {
      const deadline = clock.now() + (expiresIn ?? DEFAULT_LIFE) * 1000;
      // A jti is seen once: of two that come together the second finds it taken (RFC 7523 3).
      if (kind === 'ReplayDetection') {
        if (!(await expiring.swap(key(id), 0, payload, deadline)))
          throw new errors.InvalidClientAuth('jti was used before');
        return;
      }
      await index(id, payload, deadline);
      if (kind === 'Session') await saveSession(id, payload, deadline);
      else await expiring.put(key(id), payload, deadline);
    },

    async consume(id) {
      if (await expiring.spend(key(id), seconds(clock))) return;
      const entry = await expiring.get(key(id));
      if (entry?.spentAt !== undefined && isRace(entry.spentAt)) return;
      // A code that is presented twice revokes what it gave (RFC 6749 4.1.2), also when both come at once: oidc-provider
      // has then looked at the code before it was spent, and only the store knows. Whatever the winner still saves is
      // dead, because no token counts without its grant.
      const { grantId } = (entry?.value ?? {}) as AdapterPayload;
      if (kind === 'AuthorizationCode' && grantId !== undefined) {
        await expiring.remove(`Grant:${grantId}`);
        await revokeByGrantId(grantId);
      }
      throw new errors.InvalidGrant(`${kind} already used`);
    },

    async destroy(id) {
      if (kind !== 'Session') return expiring.remove(key(id));
      // A session that has ended stays in the store, spent, so that a request that read it before cannot save it back.
      await expiring.spend(key(id), seconds(clock));
      await schedule.remove(SESSION_ENDS, id);
    },

    revokeByGrantId,
  };
}

/** What a later save does not change: when its member signed in, or when the first token of the family was made. */
function beganAt(kind: string, { loginTs, iiat, iat }: AdapterPayload): number {
  if (kind === 'Session') return loginTs ?? Number.POSITIVE_INFINITY;
  return iiat ?? iat ?? Number.POSITIVE_INFINITY;
}
