import { canonicalMemberNumber } from '../membership/matching.ts';
import type { Collection, Stored } from '../storage/collection.ts';
import type { PasswordHash } from './password.ts';
import { signInNameClaim } from './signInName.ts';

/** A member's account. Its id is the `sub` that relying parties see: random, and never used again. */
export interface Account {
  readonly username: string;
  readonly password: PasswordHash;
  /** Those before it, newest first; they may not come back. */
  readonly formerPasswords?: readonly PasswordHash[];
  /** The password opens nothing but the page on which a new one is chosen. */
  readonly passwordMustChange?: boolean;
  readonly email: string;
  readonly emailConfirmed: boolean;
  /** E.164. */
  readonly phone: string;
  readonly phoneConfirmed: boolean;
  readonly memberNumber: string;
  readonly firstName: string;
  readonly lastName: string;
  /** YYYY-MM-DD. */
  readonly birthDate: string;
  readonly postalCode: string;
  /** BCP 47. */
  readonly locale: string;
  /** Grows with each reset of the password; devices that were known before are strangers then. */
  readonly deviceEpoch: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * The account that a typed sign-in name belongs to: its username, or an email address that is confirmed on it.
 */
export function findBySignInName(accounts: Collection<Account>, typed: string): Promise<Stored<Account> | undefined> {
  return accounts.findByClaim(signInNameClaim(typed));
}

/** Opens an account. Refuses when one of its sign-in names or its membership already belongs to another. */
export async function openAccount(
  accounts: Collection<Account>,
  id: string,
  account: Account,
): Promise<'opened' | 'taken'> {
  return (await accounts.insert(id, account, claimsOf(account))) === 'inserted' ? 'opened' : 'taken';
}

type Holder = Pick<Account, 'username' | 'email' | 'emailConfirmed' | 'memberNumber'>;

/** What an account holds for itself alone: its sign-in names and its membership. */
export function claimsOf({ username, email, emailConfirmed, memberNumber }: Holder): string[] {
  const names = new Set([signInNameClaim(username), ...(emailConfirmed ? [signInNameClaim(email)] : [])]);
  return [...names, `member:${canonicalMemberNumber(memberNumber)}`];
}
