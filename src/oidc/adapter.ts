import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import type { Entry, Expiring } from '../core/storage/expiring.ts';
import type { Schedule } from '../core/storage/schedule.ts';
import { requestMemory } from './requestMemory.ts';

export interface ArtifactStores {
  readonly expiring: Expiring;
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** Seconds from sign-in on after which a session ends whatever happens. */
  readonly overall: number;
  /** Whether all that began then, in seconds since 1970, was ended. */
  readonly areOver: (began: number) => boolean;
  /** The request that is being answered, if one is. */
  readonly request?: () => object | undefined;
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

/** Records that one request reads more than once. */
const IS_REMEMBERED = new Set(['Session', 'Interaction']);

/** A session as it is stored. `indexedUntil`: until when it is found by its uid and its account, in milliseconds since 1970. */
type SessionPayload = AdapterPayload & { readonly indexedUntil?: number };

const isGone = () => new errors.SessionNotFound('the authorization request was answered already');

/** Sets of what belongs to an account, so that all of it can be ended at once. */
export const accountSet = (kind: 'Session' | 'Grant', accountId: string): string => `account:${kind}:${accountId}`;

/** Under which an artifact is kept. */
export const artifactKey = (kind: string, id: string): string => `${kind}:${id}`;

/** oidc-provider's artifacts on our store. `consume` is settled by the store: of two parallel callers one wins. */
export function artifactAdapter(
  kind: string,
  { expiring, schedule, clock, overall, areOver, request }: ArtifactStores,
): Adapter {
  const key = (id: string) => artifactKey(kind, id);
  const grantSet = (grantId: string) => `grant:${grantId}`;
  const alias = (name: 'uid' | 'userCode', value: string) => `${kind}:${name}:${value}`;
  /** A race of its own app: the token was spent, but only just now. */
  const isRace = (spentAt: number): boolean =>
    kind === 'RefreshToken' && Math.abs(seconds(clock) - spentAt) < REFRESH_GRACE;

  const memory = requestMemory(request ?? (() => undefined));
  /**
   * Whether a request may rely on what it has read before. An interaction is written by its version, so that an old copy changes
   * nothing; a session may end while a page of ours waits for a password, and the endpoints of the protocol wait for nobody.
   */
  const reliesOnMemory = (): boolean => kind === 'Interaction' || (kind === 'Session' && Provider.ctx !== undefined);

  const read = async (name: string): Promise<Entry | undefined> => {
    if (reliesOnMemory() && memory.knows(name)) return memory.get(name);
    const entry = await expiring.get(name);
    return IS_REMEMBERED.has(kind) ? memory.keep(name, entry) : entry;
  };

  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    const entry = await read(key(id));
    if (entry === undefined || (kind === 'Session' && entry.spentAt !== undefined)) return undefined;
    if (OPENED.has(kind) && areOver(beganAt(kind, entry.value as AdapterPayload))) return undefined;
    const spent = entry.spentAt !== undefined && !isRace(entry.spentAt);
    return { ...entry.value, ...(spent ? { consumed: entry.spentAt } : {}) };
  };

  const findByAlias = async (name: 'uid' | 'userCode', value: string) => {
    const entry = await read(alias(name, value));
    return entry === undefined ? undefined : find((entry.value as { id: string }).id);
  };

  const revokeByGrantId = async (grantId: string) => {
    const tokens = await expiring.members(grantSet(grantId));
    await Promise.all(tokens.map((token) => expiring.remove(token)));
    await expiring.remove(grantSet(grantId));
  };

  /** Puts down by what else an artifact is found. */
  const index = async (id: string, payload: AdapterPayload, deadline: number) => {
    const { grantId, uid, userCode, accountId } = payload;
    const entries: Promise<unknown>[] = [];
    if (GRANTED.has(kind) && grantId !== undefined) entries.push(expiring.join(grantSet(grantId), key(id), deadline));
    if (kind === 'Session' && uid !== undefined) {
      memory.forget(alias('uid', uid));
      entries.push(expiring.put(alias('uid', uid), { id }, deadline));
    }
    if (userCode !== undefined) entries.push(expiring.put(alias('userCode', userCode), { id }, deadline));
    if ((kind === 'Session' || kind === 'Grant') && accountId !== undefined)
      entries.push(expiring.join(accountSet(kind, accountId), id, deadline));
    await Promise.all(entries);
  };

  /**
   * The record as far as this request knows it. Of an id that it has not read it takes for granted that there is none: such an id was
   * just made. Where that is wrong, the swap says so.
   */
  const asKnown = async (id: string): Promise<Entry | undefined> =>
    memory.isOpen() ? memory.get(key(id)) : expiring.get(key(id));

  /**
   * Saves a session. Requests that ran beside each other each hold a copy: what it was used for is what all of them say.
   * Its end has consequences, whether or not anybody comes by then. One that has ended stays ended.
   */
  const saveSession = async (id: string, payload: SessionPayload, wanted: number): Promise<void> => {
    const { accountId, loginTs, uid } = payload;
    const last = loginTs === undefined ? wanted : (loginTs + overall) * 1000;
    const deadline = Math.min(wanted, last);
    let entry = await asKnown(id);
    for (;;) {
      if (entry?.spentAt !== undefined) return;
      const before = (entry?.value ?? {}) as SessionPayload;
      // What leads to a session is put down for as long as it can last, so that most saves need not do it again.
      const isIndexed =
        before.uid === uid && before.accountId === accountId && Number(before.indexedUntil ?? 0) >= deadline;
      if (!isIndexed) await index(id, payload, last);
      const authorizations = {
        ...(before.accountId === accountId ? before.authorizations : {}),
        ...payload.authorizations,
      };
      const indexedUntil = isIndexed ? before.indexedUntil : last;
      // Every save is activity.
      const merged =
        accountId === undefined
          ? { ...payload, indexedUntil }
          : { ...payload, indexedUntil, authorizations, usedAt: seconds(clock) };
      const version = entry?.version ?? 0;
      if (await expiring.swap(key(id), version, merged, deadline)) {
        memory.keep(key(id), { value: merged, version: version + 1 });
        if (accountId === undefined) return;
        return schedule.put(SESSION_ENDS, id, deadline, { accountId, authorizations } satisfies SessionEnd);
      }
      entry = await expiring.get(key(id));
    }
  };

  /**
   * Saves an authorization request that waits for the member. One that was answered is not brought back to life by who read it
   * before: each is answered once, and gives one code.
   */
  const saveInteraction = async (id: string, payload: AdapterPayload, deadline: number): Promise<void> => {
    const version = (await asKnown(id))?.version ?? 0;
    if (!(await expiring.swap(key(id), version, payload, deadline))) {
      memory.forget(key(id));
      throw isGone();
    }
    memory.keep(key(id), { value: payload, version: version + 1 });
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
      if (kind === 'Session') return saveSession(id, payload, deadline);
      if (kind === 'Interaction') return saveInteraction(id, payload, deadline);
      // Both at once: nobody gets a token before both are there, and none counts without its grant.
      await Promise.all([index(id, payload, deadline), expiring.put(key(id), payload, deadline)]);
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
      if (kind !== 'Session') {
        const isFirst = await expiring.remove(key(id));
        memory.forget(key(id));
        // It is destroyed when it is answered: of two answers that come together the second finds it gone.
        if (kind === 'Interaction' && !isFirst) throw isGone();
        return;
      }
      memory.forget(key(id));
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
