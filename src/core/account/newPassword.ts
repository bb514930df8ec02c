import { seconds } from '../clock.ts';
import { type Outcome, proven, type Refusal, refused } from '../refusal.ts';
import type { Collection } from '../storage/collection.ts';
import type { Account } from './account.ts';
import { type AftermathDependencies, expectAftermath } from './aftermath.ts';
import { normalizePassword, type PasswordHash, type PasswordHasher } from './password.ts';

/** Lengths in characters (NIST SP 800-63B-4 3.1.1.2): alone a password needs 15, beside a second step 8. */
const PASSWORD_LENGTH = { alone: 15, besideSecondStep: 8, usualBesideSecondStep: 12, most: 256 } as const;

/** The least length here: what the operator wants, but never less than the standard allows. */
export function leastLength(secondStepAlways: boolean, wanted: number | undefined): number {
  const { alone, besideSecondStep, usualBesideSecondStep } = PASSWORD_LENGTH;
  return secondStepAlways
    ? Math.max(besideSecondStep, wanted ?? usualBesideSecondStep)
    : Math.max(alone, wanted ?? alone);
}

/** How well a password withstands guessing, and what makes it weak. */
export interface Strength {
  /** 0 is found at once; from 3 on an online guesser has no chance; 4 withstands a stolen database too. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly weakness: 'common' | 'personal' | 'pattern';
}

/** `personal`: what others know about the member and the plan. */
export type StrengthMeter = (password: string, personal: readonly string[]) => Strength;

const STRONG_ENOUGH = 3;
/** A password may come back after this many others. */
const REMEMBERED = 5;

/** What others may know about a member. */
export type Knowable = Pick<
  Account,
  'username' | 'email' | 'phone' | 'moreContacts' | 'memberNumber' | 'firstName' | 'lastName' | 'birthDate'
>;

export interface PasswordRules {
  readonly meter: StrengthMeter;
  readonly least: number;
  /** The plan's name. */
  readonly plan: string;
}

/**
 * Judges a password that a member wants to have. Length and guessing count; which characters it has does not
 * (NIST SP 800-63B-4 3.1.1.2: no composition rules, a blocklist with reasons).
 */
export function judgePassword(
  { meter, least, plan }: PasswordRules,
  account: Knowable,
  typed: string,
): { readonly refusal?: Refusal; readonly level: Strength['level'] } {
  const password = normalizePassword(typed);
  const length = [...password].length;
  if (length > PASSWORD_LENGTH.most) return { refusal: 'password-too-long', level: 0 };
  const { level, weakness } = meter(password, personalWords(account, plan));
  if (length < least) return { refusal: 'password-too-short', level };
  return level < STRONG_ENOUGH ? { refusal: `password-${weakness}`, level } : { level };
}

/** What a guesser tries first: names, numbers and addresses, whole and in parts. */
function personalWords(account: Knowable, plan: string): string[] {
  const { username, email = '', phone = '', moreContacts = [], memberNumber, firstName, lastName, birthDate } = account;
  const contacts = [email, phone, ...moreContacts.map(({ to }) => to)];
  const whole = [username, ...contacts, memberNumber, birthDate, `${firstName} ${lastName}`, plan];
  const parts = [username, ...contacts, firstName, lastName, plan].flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  const words = [...whole, ...parts].filter((word) => word !== undefined && word.length >= 3);
  return [...new Set(words.map((word) => String(word).toLowerCase()))];
}

export interface ChangeDependencies extends AftermathDependencies {
  readonly accounts: Collection<Account>;
  readonly hasher: PasswordHasher;
  readonly rules: PasswordRules;
}

interface Changed {
  /** Seconds since 1970. */
  readonly at: number;
  readonly epoch: number;
  /** To be called when what was open is ended and the owner told; otherwise both are done in a while. */
  readonly settled: () => Promise<void>;
}

/**
 * Gives an account another password, which none of its last five may be. Devices that it knew are strangers afterwards.
 * The caller has proven that the account's owner asks, at this `epoch` of the account; who comes with an older proof is
 * answered undefined, and changes nothing.
 * `also` says what changes with it; with undefined the proof does not reach that far.
 */
export async function changePassword(
  { accounts, hasher, rules, clock, schedule }: ChangeDependencies,
  accountId: string,
  epoch: number,
  typed: string,
  also: (account: Account) => Partial<Account> | undefined = () => ({}),
): Promise<Outcome<Changed> | undefined> {
  const password = normalizePassword(typed);
  for (;;) {
    const stored = await accounts.find(accountId);
    if (stored === undefined) throw new Error('the account whose password changes is gone');
    const account = stored.value;
    const more = also(account);
    if (account.deviceEpoch !== epoch || more === undefined) return undefined;
    const { refusal } = judgePassword(rules, account, password);
    if (refusal !== undefined) return refused(refusal);
    const former = [account.password, ...(account.formerPasswords ?? [])].slice(0, REMEMBERED);
    if (await isOneOf(hasher, former, password)) return refused('password-reused');
    const at = seconds(clock);
    // Who has set a password is back in: no other way in stays open.
    const { passwordMustChange: _, recovery: __, resetDemanded: ___, resetFrom: ____, ...kept } = account;
    const changed: Account = {
      ...kept,
      ...more,
      password: await hasher.hash(password),
      formerPasswords: former.slice(0, REMEMBERED - 1),
      deviceEpoch: epoch + 1,
      updatedAt: at,
    };
    const settled = await expectAftermath({ schedule, clock }, { accountId, epoch, what: 'password-changed' });
    if (await accounts.replace(accountId, stored.version, changed)) return proven({ at, epoch: epoch + 1, settled });
  }
}

async function isOneOf(hasher: PasswordHasher, hashes: readonly PasswordHash[], password: string): Promise<boolean> {
  for (const hash of hashes) if ((await hasher.verify(hash, password)) !== 'wrong') return true;
  return false;
}
