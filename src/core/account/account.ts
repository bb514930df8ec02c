import type { Factors } from '../factors/factors.ts';
import type { Agreements } from '../journey/journey.ts';
import { canonicalMemberNumber } from '../membership/matching.ts';
import type { Contact } from '../membership/membership.ts';
import type { Collection, Stored } from '../storage/collection.ts';
import type { PasswordHash } from './password.ts';
import type { Recovery } from './recovery.ts';
import { canonicalSignInName, signInNameClaim } from './signInName.ts';

/** A member's account. Its id is the `sub` that relying parties see: random, and never used again. */
export interface Account {
  readonly username: string;
  readonly password: PasswordHash;
  /** Those before it, newest first; they may not come back. */
  readonly formerPasswords?: readonly PasswordHash[];
  /** The password opens nothing but the page on which a new one is chosen. */
  readonly passwordMustChange?: boolean;
  /** The owner has said that somebody else got in: nothing opens it until a new password was set by a code. */
  readonly resetDemanded?: boolean | undefined;
  readonly email?: string | undefined;
  readonly emailConfirmed: boolean;
  /** E.164. */
  readonly phone?: string | undefined;
  readonly phoneConfirmed: boolean;
  /** It is called, and gets no texts. */
  readonly isLandline?: boolean | undefined;
  readonly memberNumber: string;
  readonly firstName: string;
  readonly lastName: string;
  /** YYYY-MM-DD. */
  readonly birthDate: string;
  readonly postalCode: string;
  /** BCP 47. */
  readonly locale: string;
  /** The versions of the plan's texts that the member has agreed to here. */
  readonly agreed?: Agreements | undefined;
  /** What it has besides the password. */
  readonly factors?: Factors | undefined;
  /** When it is closed, in seconds since 1970, as its owner has asked. */
  readonly closesAt?: number | undefined;
  /** A way back in that opens after a day. */
  readonly recovery?: Recovery | undefined;
  /** Grows with each reset of the password; devices that were known before are strangers then. */
  readonly deviceEpoch: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Where messages to an account go, and codes: its confirmed contacts. */
export function contactsOf({ email, emailConfirmed, phone, phoneConfirmed, isLandline }: Account): Contact[] {
  return [
    ...(email !== undefined && emailConfirmed ? [{ kind: 'email', to: email } as const] : []),
    ...(phone !== undefined && phoneConfirmed
      ? [{ kind: isLandline ? 'landline' : 'mobile', to: phone } as const]
      : []),
  ];
}

/** Where its owner is told what happens to it: there, and on the phone of the second step. */
export function addressesOf(account: Account): Contact[] {
  const phone = account.factors?.phone?.to;
  const contacts = contactsOf(account);
  return phone === undefined || contacts.some(({ to }) => to === phone)
    ? contacts
    : [...contacts, { kind: 'mobile', to: phone }];
}

/**
 * The account that a typed sign-in name belongs to: its username, or an email address that is confirmed on it.
 */
export async function findBySignInName(
  accounts: Collection<Account>,
  typed: string,
): Promise<Stored<Account> | undefined> {
  const name = canonicalSignInName(typed);
  // An address that two accounts have confirmed signs in to neither.
  const [account, shared] = await Promise.all([
    accounts.findByClaim(signInNameClaim(name)),
    name.includes('@') ? accounts.findByClaim(sharedClaim(name)) : undefined,
  ]);
  const isItsEmail = account?.value.email !== undefined && canonicalSignInName(account.value.email) === name;
  return shared !== undefined && isItsEmail && canonicalSignInName(account.value.username) !== name
    ? undefined
    : account;
}

/** Says that a second account has confirmed an address that signed in to another. */
const sharedClaim = (email: string): string => `shared:${canonicalSignInName(email)}`;

/** Opens an account. Refuses when one of its sign-in names or its membership already belongs to another. */
export async function openAccount(
  accounts: Collection<Account>,
  id: string,
  account: Account,
): Promise<'opened' | 'taken'> {
  return (await accounts.insert(id, account, claimsOf(account))) === 'inserted' ? 'opened' : 'taken';
}

/**
 * Opens the account of a member who registers. The member number and the username are for one account each; an address
 * may be two people's, and then signs in neither. With an id that has an account already, that one was opened by the same
 * journey: the form was sent twice.
 */
export async function registerAccount(
  accounts: Collection<Account>,
  id: string,
  account: Account,
  formerNumbers: readonly string[],
): Promise<'opened' | 'membership-taken' | 'username-taken'> {
  const all = claimsOf(account);
  const [name, membership] = [signInNameClaim(account.username), memberClaim(account.memberNumber)];
  const email = account.email === undefined ? undefined : signInNameClaim(account.email);
  const withoutEmail = all.filter((claim) => claim !== email || claim === name);
  const shared = account.email === undefined ? [] : [sharedClaim(account.email)];
  for (const former of formerNumbers) {
    if ((await accounts.findByClaim(memberClaim(former))) !== undefined) return 'membership-taken';
  }
  for (const claims of [all, [...withoutEmail, ...shared], withoutEmail]) {
    if ((await accounts.insert(id, account, claims)) === 'inserted') return 'opened';
    if ((await accounts.find(id)) !== undefined) return 'opened';
    if ((await accounts.findByClaim(membership)) !== undefined) return 'membership-taken';
    if ((await accounts.findByClaim(name)) !== undefined) return 'username-taken';
  }
  return 'username-taken';
}

type Holder = Pick<Account, 'username' | 'email' | 'emailConfirmed' | 'memberNumber'>;

/** Under which an account holds its membership. */
export const memberClaim = (memberNumber: string): string => `member:${canonicalMemberNumber(memberNumber)}`;

/** What an account holds for itself alone: its sign-in names and its membership. */
export function claimsOf({ username, email, emailConfirmed, memberNumber }: Holder): string[] {
  const signsIn = email !== undefined && emailConfirmed ? [signInNameClaim(email)] : [];
  return [...new Set([signInNameClaim(username), ...signsIn]), memberClaim(memberNumber)];
}
