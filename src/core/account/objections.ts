import { createHash } from 'node:crypto';
import type { EventName } from '../audit/memberEvents.ts';
import type { Clock } from '../clock.ts';
import { type Factors, hasSecondStep } from '../factors/factors.ts';
import type { Seal } from '../seal.ts';
import type { Expiring } from '../storage/expiring.ts';
import type { Account, Contacts } from './account.ts';
import { addedContacts, contactSnapshot, contactsWithout } from './contactChange.ts';

/** Days in which the owner can say that a change was not theirs. */
export const OBJECTION_DAYS = 7;
const DAY_MS = 86_400_000;

/** Seconds in which the owner hears on every address that the reset of an account will take fewer proofs than before. */
const FEWER_PROOFS_WAIT = DAY_MS / 1_000;

/**
 * The account, closed until a new password was set, with the second steps of before. Those that came in these days stay away: a
 * thief may have come twice. Where that takes the last one that there was before, whoever reads the member's mail could get in
 * by this link alone: then a day goes by before a code opens the reset, as where all second steps are lost (NIST SP
 * 800-63B-4 4.2.2.2). `now`: seconds since 1970.
 */
export function afterObjection(
  { recovery: _, closesAt: __, ...account }: Account,
  before: Before,
  now: number,
): Account {
  const isOld = ({ addedAt }: { readonly addedAt: number }) => addedAt < now - (OBJECTION_DAYS * DAY_MS) / 1_000;
  const { passkeys = [], totp, phone } = before.factors ?? {};
  const factors: Factors = {
    passkeys: passkeys.filter(isOld),
    ...(totp !== undefined && isOld(totp) ? { totp } : {}),
    ...(phone !== undefined && isOld(phone) ? { phone } : {}),
    // Whoever was in may have seen the recovery codes, and may be remembered in a browser.
    changes: (account.factors?.changes ?? 0) + 1,
  };
  const isStripped = hasSecondStep({ factors: before.factors }) && !hasSecondStep({ factors });
  return {
    ...account,
    ...(isStripped ? { resetFrom: now + FEWER_PROOFS_WAIT } : {}),
    ...{ factors, resetDemanded: true, deviceEpoch: account.deviceEpoch + 1, updatedAt: now },
  };
}

/** How the account stood before a change. */
interface Before {
  readonly contacts: Contacts;
  readonly factors?: Factors | undefined;
}

/** A change that its account's owner was told of. */
export interface Objectionable {
  readonly accountId: string;
  readonly what: EventName;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly before: Before;
  /** Of this change and those that are undone with it; who got their links learns nothing more by them. */
  readonly digests: readonly string[];
}

interface Kept {
  readonly accountId: string;
  readonly what: EventName;
  readonly at: number;
  /** Which session it was made in, where there was one. */
  readonly session?: string | undefined;
  readonly sealed: string;
}

/** What is sealed. `added`: the contacts that came with the change. */
type State = Before & { readonly added?: readonly string[] };

const digestOf = (secret: string): string => createHash('sha256').update(`not-me:${secret}`).digest('base64url');

export interface ObjectionDependencies {
  readonly expiring: Expiring;
  readonly seal: Seal;
  readonly clock: Clock;
  /** 192 random bits, Base64url. */
  readonly newSecret: () => string;
}

/**
 * Every sensitive change can be objected to for some days, by the link in the messages that tell of it. What is kept for that is
 * how the account stood before, sealed, under the digest of what the link holds.
 */
export function objections({ expiring, seal, clock, newSecret }: ObjectionDependencies) {
  const key = (digest: string) => `not-me:${digest}`;
  const listOf = (accountId: string) => `not-me:of:${accountId}`;
  const read = async (digest: string): Promise<Kept | undefined> => {
    const entry = await expiring.get(key(digest));
    return entry === undefined || entry.spentAt !== undefined ? undefined : (entry.value as Kept);
  };
  const open = ({ digest, sealed }: Kept & { readonly digest: string }): State =>
    JSON.parse(seal.open(sealed, key(digest)));
  /** What nobody has objected to yet, the oldest first. */
  const standing = async (accountId: string) => {
    const digests = await expiring.members(listOf(accountId));
    const found = await Promise.all(digests.map(async (digest) => ({ digest, ...(await read(digest)) })));
    return found
      .filter((one): one is Kept & { digest: string } => one.at !== undefined)
      .toSorted((a, b) => a.at - b.at);
  };

  return {
    /** What a link holds. */
    newSecret,

    /** Keeps for this link how the account stood before a change. */
    async keep(
      secret: string,
      accountId: string,
      { before, after }: { readonly before: Account; readonly after: Account },
      { what, session }: { readonly what: EventName; readonly session?: string | undefined },
    ): Promise<void> {
      const digest = digestOf(secret);
      const deadline = clock.now() + OBJECTION_DAYS * DAY_MS;
      const added = addedContacts(before, after);
      const state: State = { contacts: contactSnapshot(before), factors: before.factors, added };
      const sealed = seal.seal(JSON.stringify(state), key(digest));
      const kept: Kept = { accountId, what, at: clock.now(), session, sealed };
      await expiring.put(key(digest), kept, deadline);
      await expiring.join(listOf(accountId), digest, deadline);
    },

    /**
     * The change that this secret is about, with how the account stood before it; where it was one of several that were made
     * in one session, before the first of these: a thief makes more than one. A contact that was added in these days does not
     * come back, since a thief gets links too, and may have come twice.
     */
    async find(secret: string): Promise<Objectionable | undefined> {
      const digest = digestOf(secret);
      const kept = /^[\w-]{32}$/.test(secret) ? await read(digest) : undefined;
      if (kept === undefined) return undefined;
      const { accountId, what, at, session } = kept;
      const all = await standing(accountId);
      const isBefore = (one: Kept) => session !== undefined && one.session === session && one.at < at;
      const first = all.find(isBefore) ?? { digest, ...kept };
      const { contacts, factors } = open(first);
      const added = all.flatMap((one) => open(one).added ?? []);
      const before = { contacts: contactsWithout(contacts, added), factors };
      const undone = all.filter((one) => one.at >= first.at).map((one) => one.digest);
      return { accountId, what, at, before, digests: [...new Set([digest, ...undone])] };
    },

    /** It was objected to: its link is used up, and those of what was undone with it. */
    async spend({ digests }: Objectionable): Promise<void> {
      await Promise.all(digests.map((digest) => expiring.spend(key(digest), clock.now())));
    },
  };
}

export type Objections = ReturnType<typeof objections>;
