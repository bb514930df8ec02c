import type { Attempts, PoolRule, Taken } from './attempts.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Until the password is reset or the account unlocked. */
const FOR_GOOD = 365 * DAY;

/** How many guesses there are; every number can be set. */
export const LOCKOUT = {
  /** One name from one network, or on one known device. */
  bucket: {
    ...{ free: 5, firstWait: 15 * MINUTE, growth: 1, longestWait: 15 * MINUTE, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'last' },
  },
  /** One name from all networks together. */
  name: {
    ...{ free: 20, firstWait: 30 * SECOND, growth: 2, longestWait: HOUR, startsAgain: false },
    ...{ forgetAfter: 30 * DAY, forgetFrom: 'last' },
  },
  /** One account from all unknown devices, until reset; with `known` the hundred of NIST SP 800-63B-4 3.2.2. */
  unknown: {
    ...{ free: 90, firstWait: FOR_GOOD, growth: 1, longestWait: FOR_GOOD, startsAgain: false },
    ...{ forgetAfter: FOR_GOOD, forgetFrom: 'last' },
  },
  /** One account from its known devices, until reset. */
  known: {
    ...{ free: 10, firstWait: FOR_GOOD, growth: 1, longestWait: FOR_GOOD, startsAgain: false },
    ...{ forgetAfter: FOR_GOOD, forgetFrom: 'last' },
  },
  /** All names from one network, an hour. */
  network: {
    ...{ free: 100, firstWait: 30 * SECOND, growth: 2, longestWait: HOUR, startsAgain: false },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  /** The same for a network that many members share, such as a clinic's. */
  sharedNetwork: {
    ...{ free: 2_000, firstWait: 30 * SECOND, growth: 2, longestWait: HOUR, startsAgain: false },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  /** Forms from one network that were refused before anything was compared, an hour: so many are put on record. */
  forms: {
    ...{ free: 300, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  sharedForms: {
    ...{ free: 6_000, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  /** Codes of one second step of one account, from everywhere: who gets here knows the password. */
  second: {
    ...{ free: 5, firstWait: 15 * MINUTE, growth: 2, longestWait: DAY, startsAgain: false },
    ...{ forgetAfter: 30 * DAY, forgetFrom: 'last' },
  },
  /** Codes that one journey types; a new code does not begin anew. */
  codeJourney: {
    ...{ free: 5, firstWait: DAY, growth: 1, longestWait: DAY, startsAgain: false },
    ...{ forgetAfter: DAY, forgetFrom: 'last' },
  },
  /** Codes for one account or membership from one network. */
  codeBucket: {
    ...{ free: 10, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'last' },
  },
  /**
   * Codes for one account or membership from everywhere, an hour. Each code has five tries and there are few codes a day, so
   * that longer waits would only keep its owner out.
   */
  code: {
    ...{ free: 50, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'last' },
  },
  /**
   * Codes of letters to one member, from everywhere: a letter is good for three weeks and on every journey, so that fifty an hour
   * would be thousands (NIST SP 800-63B-4 3.2.2 allows a hundred). In the end one a day.
   */
  letter: {
    ...{ free: 20, firstWait: HOUR, growth: 2, longestWait: DAY, startsAgain: false },
    ...{ forgetAfter: 30 * DAY, forgetFrom: 'last' },
  },
  /** Wrong details for one member number, a day: nobody finds out a date of birth. */
  details: {
    ...{ free: 10, firstWait: DAY, growth: 1, longestWait: DAY, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'first' },
  },
  /** Wrong details from one network, an hour. */
  detailsNetwork: {
    ...{ free: 30, firstWait: 10 * MINUTE, growth: 2, longestWait: HOUR, startsAgain: false },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  detailsSharedNetwork: {
    ...{ free: 600, firstWait: 10 * MINUTE, growth: 2, longestWait: HOUR, startsAgain: false },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  /** Wrong answers to the questions of our support desk about one member, a day. */
  caller: {
    ...{ free: 5, firstWait: DAY, growth: 1, longestWait: DAY, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'first' },
  },
  /** What one agent of the support desk looks up, an hour. */
  deskSearch: {
    ...{ free: 120, firstWait: HOUR, growth: 1, longestWait: HOUR, startsAgain: true },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
  /** Links and letters that the support desk sends to one member, and how often it unlocks them, a day. */
  deskMessage: {
    ...{ free: 8, firstWait: DAY, growth: 1, longestWait: DAY, startsAgain: true },
    ...{ forgetAfter: DAY, forgetFrom: 'first' },
  },
  /** Wrong details from everybody, an hour. */
  detailsInAll: {
    ...{ free: 5_000, firstWait: MINUTE, growth: 1, longestWait: MINUTE, startsAgain: false },
    ...{ forgetAfter: HOUR, forgetFrom: 'first' },
  },
} as const satisfies Record<string, PoolRule>;

export interface Pool {
  readonly key: string;
  readonly rule: PoolRule;
  /** Cleared when the secret was right; otherwise only this attempt is given back. */
  readonly cleared: boolean;
}

/** Whose attempt it is. Every part is a digest. */
export interface Guess {
  /** The typed name. */
  readonly name: string;
  /** The account that it belongs to, or the name again where it belongs to none. */
  readonly subject: string;
  /** The network, or the device where the account knows it. */
  readonly bucket: string;
  readonly knownDevice: boolean;
}

/** The pools that a guess draws from, narrowest first, so that a locked bucket costs the account nothing. */
export function poolsOf({ name, subject, bucket, knownDevice }: Guess): Pool[] {
  const own = { key: `tries:${name}:${bucket}`, rule: LOCKOUT.bucket, cleared: true };
  // Strangers' failures do not touch a device that has signed in before, nor its failures theirs.
  if (knownDevice) return [own, { key: `tries:${subject}:known`, rule: LOCKOUT.known, cleared: true }];
  return [
    own,
    { key: `tries:${name}`, rule: LOCKOUT.name, cleared: true },
    { key: `tries:${subject}:unknown`, rule: LOCKOUT.unknown, cleared: true },
  ];
}

export const networkPool = (network: string, shared: boolean): Pool => ({
  key: `tries:network:${network}`,
  rule: shared ? LOCKOUT.sharedNetwork : LOCKOUT.network,
  cleared: false,
});

type TakenAll = (Taken & { readonly ok: false }) | (Taken & { readonly ok: true; readonly counts: readonly number[] });

/**
 * Takes one attempt from each pool, in order. Where one refuses, or cannot be asked, those before it get theirs back. `counts`: how many each of them
 * counts by now; `taken` is the most of these.
 */
export async function takeAll(attempts: Attempts, pools: readonly Pool[]): Promise<TakenAll> {
  const taken: Pool[] = [];
  const counts: number[] = [];
  for (const pool of pools) {
    const answer = await attempts.take(pool.key, pool.rule).catch(async (error) => {
      await giveBackAll(attempts, taken).catch(() => undefined);
      throw error;
    });
    if (!answer.ok) {
      await giveBackAll(attempts, taken);
      return answer;
    }
    taken.push(pool);
    counts.push(answer.taken);
  }
  return { ok: true, taken: Math.max(0, ...counts), counts };
}

/** The secret was never compared: nobody failed. */
export async function giveBackAll(attempts: Attempts, pools: readonly Pool[]): Promise<void> {
  await Promise.all(pools.map(({ key, rule }) => attempts.giveBack(key, rule)));
}

/** The secret was right. */
export async function settle(attempts: Attempts, pools: readonly Pool[]): Promise<void> {
  await Promise.all(
    pools.map(({ key, rule, cleared }) => (cleared ? attempts.clear(key) : attempts.giveBack(key, rule))),
  );
}
