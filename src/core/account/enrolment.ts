import type { Collection } from '../storage/collection.ts';
import { type Account, claimsOf, findBySignInName, openAccount } from './account.ts';
import { normalizePassword, type PasswordHash, type PasswordHasher } from './password.ts';
import { canonicalSignInName } from './signInName.ts';

/** What an operator tells about a member, or about one of the plan's staff, who need not be members. */
type Details = Pick<
  Account,
  'username' | 'email' | 'phone' | 'memberNumber' | 'firstName' | 'lastName' | 'birthDate' | 'postalCode' | 'locale'
>;

/** A member whom the operator brings, with a password or with its hash from another system. */
export interface NewMember extends Details {
  readonly password?: string | undefined;
  readonly passwordHash?: string | undefined;
  readonly passwordMustChange?: boolean | undefined;
  /** Both are taken as confirmed unless they are said not to be. Only a confirmed address signs in. */
  readonly emailConfirmed?: boolean | undefined;
  readonly phoneConfirmed?: boolean | undefined;
}

function newAccount(member: NewMember, password: PasswordHash, now: number): Account {
  return {
    username: member.username,
    email: member.email,
    phone: member.phone,
    memberNumber: member.memberNumber,
    firstName: member.firstName,
    lastName: member.lastName,
    birthDate: member.birthDate,
    postalCode: member.postalCode,
    locale: member.locale,
    password,
    ...(member.passwordMustChange ? { passwordMustChange: true } : {}),
    emailConfirmed: member.emailConfirmed ?? true,
    phoneConfirmed: member.phoneConfirmed ?? true,
    deviceEpoch: 0,
    createdAt: now,
    updatedAt: now,
  };
}

/** What this member's account is going to hold for itself alone. */
export const claimsOfMember = (member: NewMember): string[] =>
  claimsOf({ ...member, emailConfirmed: member.emailConfirmed ?? true });

/** `there`: the member has an account already. `taken`: a sign-in name or the membership belongs to another account. */
type Standing = 'new' | 'there' | 'taken';

/** How a member stands who is to have an account. */
export async function standingOf(accounts: Collection<Account>, member: NewMember): Promise<Standing> {
  const namesake = await findBySignInName(accounts, member.username);
  if (namesake !== undefined) {
    const same = canonicalSignInName(namesake.value.username) === canonicalSignInName(member.username);
    return same ? 'there' : 'taken';
  }
  const holders = await Promise.all(claimsOfMember(member).map((claim) => accounts.findByClaim(claim)));
  return holders.some((holder) => holder !== undefined) ? 'taken' : 'new';
}

export interface EnrolmentDependencies {
  readonly accounts: Collection<Account>;
  readonly hasher: PasswordHasher;
}

/**
 * Opens a member's account under this id; one that is there already stays as it is. The caller has judged the password.
 * `now`: seconds since 1970.
 */
export async function enrol(
  { accounts, hasher }: EnrolmentDependencies,
  id: string,
  member: NewMember,
  now: number,
): Promise<'opened' | 'there' | 'taken'> {
  const standing = await standingOf(accounts, member);
  if (standing !== 'new') return standing;
  const account = newAccount(member, await passwordOf(member, hasher), now);
  if ((await openAccount(accounts, id, account)) === 'opened') return 'opened';
  // Another process may have brought the same member meanwhile.
  return (await standingOf(accounts, member)) === 'there' ? 'there' : 'taken';
}

/** Hashes a password, or takes a hash that another system made as it is. */
async function passwordOf({ password, passwordHash }: NewMember, hasher: PasswordHasher): Promise<PasswordHash> {
  if (password !== undefined) return hasher.hash(normalizePassword(password));
  if (passwordHash !== undefined) return { phc: passwordHash, pepperId: '' };
  throw new Error('a member has neither a password nor a hash');
}
