import type { Factors } from '../factors/factors.ts';
import type { Agreements } from '../journey/journey.ts';
import { canonicalMemberNumber } from '../membership/matching.ts';
import type { Contact } from '../membership/membership.ts';
import { type Collection, change, type Stored } from '../storage/collection.ts';
import { Unavailable } from '../storage/unavailable.ts';
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
  /** Our support desk has closed it, at this time in seconds since 1970, until it opens it again. */
  readonly frozenAt?: number | undefined;
  /** Until when it opens, in seconds since 1970, though the membership has ended: our support desk has allowed it. */
  readonly openUntil?: number | undefined;
  /** Grows each time the support desk unlocks it: what was counted before counts no more. */
  readonly attemptsEpoch?: number | undefined;
  /** No code opens a new password before this time, in seconds since 1970; see `afterObjection`. */
  readonly resetFrom?: number | undefined;
  readonly email?: string | undefined;
  readonly emailConfirmed: boolean;
  /** E.164. */
  readonly phone?: string | undefined;
  readonly phoneConfirmed: boolean;
  /** It is called, and gets no texts. */
  readonly isLandline?: boolean | undefined;
  /** Confirmed ones besides these two, the main ones. */
  readonly moreContacts?: readonly Contact[] | undefined;
  /** Undefined for the plan's staff, who need not be members. */
  readonly memberNumber?: string | undefined;
  readonly firstName: string;
  readonly lastName: string;
  /** YYYY-MM-DD. */
  readonly birthDate?: string | undefined;
  readonly postalCode?: string | undefined;
  /** BCP 47. */
  readonly locale: string;
  /** The versions of the plan's texts that the member has agreed to here. */
  readonly agreed?: Agreements | undefined;
  /** What it has besides the password. */
  readonly factors?: Factors | undefined;
  /** When its owner was last asked to make a passkey, and whether they never want to be again. */
  readonly passkeyOffer?: { readonly askedAt: number; readonly never?: boolean | undefined } | undefined;
  /** When its owner was last asked whether the contacts are right. */
  readonly contactsAskedAt?: number | undefined;
  /** A contact that a message came back from since. */
  readonly bounced?: string | undefined;
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

/** What an account says of where its owner is reached. */
export type Contacts = Pick<
  Account,
  'email' | 'emailConfirmed' | 'phone' | 'phoneConfirmed' | 'isLandline' | 'moreContacts'
>;

/** Seconds after which a member is asked again whether their contacts are right. */
const REVIEW_EVERY = 180 * 86_400;

/** Whether to ask at a sign-in: not for half a year, or since a message came back. `now`: seconds since 1970. */
export const isReviewDue = (account: Account, now: number): boolean =>
  contactsOf(account).length > 0 &&
  (account.bounced !== undefined || (account.contactsAskedAt ?? account.createdAt) + REVIEW_EVERY <= now);

/** Where messages to an account go, and codes: its confirmed contacts, the main ones first. */
export function contactsOf(account: Contacts): Contact[] {
  const { email, emailConfirmed, phone, phoneConfirmed, isLandline, moreContacts = [] } = account;
  return [
    ...(email !== undefined && emailConfirmed ? [{ kind: 'email', to: email } as const] : []),
    ...(phone !== undefined && phoneConfirmed
      ? [{ kind: isLandline ? 'landline' : 'mobile', to: phone } as const]
      : []),
    ...moreContacts,
  ];
}

/** A message to a contact came back: its owner is asked about it. */
export const markBounced = (accounts: Collection<Account>, id: string, to: string): Promise<Account | undefined> =>
  change(accounts, id, (account) =>
    contactsOf(account).some((contact) => contact.to === to) ? { ...account, bounced: to } : undefined,
  );

/** Whose attempts they are, as pools of attempts name it. */
export const attemptsOwner = (id: string, { attemptsEpoch = 0 }: Pick<Account, 'attemptsEpoch'>): string =>
  attemptsEpoch === 0 ? id : `${id}#${attemptsEpoch}`;

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
  const [account, second] = await Promise.all([
    accounts.findByClaim(signInNameClaim(name)),
    name.includes('@') ? accounts.findByClaim(sharedClaim(name)) : undefined,
  ]);
  // The second has it alone once the first has given it up.
  if (account === undefined) return second;
  // An address that two accounts have confirmed signs in to neither; a username is its owner's whoever has confirmed it.
  return second === undefined || canonicalSignInName(account.value.username) === name ? account : undefined;
}

/** Says that a second account has confirmed an address that signed in to another. */
export const sharedClaim = (email: string): string => `shared:${canonicalSignInName(email)}`;

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
 * journey: the form was sent twice. Rejects with Unavailable where a writer died over these very claims; they are free again after a
 * minute.
 */
export async function registerAccount(
  accounts: Collection<Account>,
  id: string,
  account: Account & { readonly memberNumber: string },
  formerNumbers: readonly string[],
): Promise<'opened' | 'membership-taken' | 'username-taken'> {
  const [name, membership] = [signInNameClaim(account.username), memberClaim(account.memberNumber)];
  const shared = confirmedEmails(account).map(sharedClaim);
  for (const former of formerNumbers) {
    if ((await accounts.findByClaim(memberClaim(former))) !== undefined) return 'membership-taken';
  }
  const found = async () => {
    if ((await accounts.find(id)) !== undefined) return 'opened';
    if ((await accounts.findByClaim(membership)) !== undefined) return 'membership-taken';
    return (await accounts.findByClaim(name)) === undefined ? undefined : 'username-taken';
  };
  for (const claims of [claimsOf(account), [name, membership, ...shared], [name, membership]]) {
    if ((await accounts.insert(id, account, claims)) === 'inserted') return 'opened';
    const outcome = await found();
    if (outcome !== undefined) return outcome;
  }
  // Somebody holds them who has not come to write the account: in this very moment, or never, because the store went away.
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    const outcome = await found();
    if (outcome !== undefined) return outcome;
  }
  throw new Unavailable('accounts', 'a name or a membership is held by no account');
}

const LOOKS = 10;
const LOOK_AGAIN_MS = 100;

type Addresses = Pick<Account, 'email' | 'emailConfirmed' | 'moreContacts'>;
type Holder = Addresses & Pick<Account, 'username' | 'memberNumber'>;

/** The email addresses that are confirmed on an account, as sign-in names. */
export function confirmedEmails({ email, emailConfirmed, moreContacts = [] }: Addresses): string[] {
  const main = email !== undefined && emailConfirmed ? [email] : [];
  const more = moreContacts.filter(({ kind }) => kind === 'email').map(({ to }) => to);
  return [...new Set([...main, ...more].map(canonicalSignInName))];
}

/** Under which an account holds its membership. */
export const memberClaim = (memberNumber: string): string => `member:${canonicalMemberNumber(memberNumber)}`;

/** Who holds a membership, under one of these numbers: its own, and those that were merged into it. */
export async function findByMemberNumbers(
  accounts: Collection<Account>,
  numbers: readonly string[],
): Promise<Stored<Account> | undefined> {
  const holders = await Promise.all(numbers.map((number) => accounts.findByClaim(memberClaim(number))));
  return holders.find((holder) => holder !== undefined);
}

/** What an account holds for itself alone: its sign-in names and its membership. */
export function claimsOf(account: Holder): string[] {
  const names = [account.username, ...confirmedEmails(account)].map(signInNameClaim);
  return [...new Set(names), ...(account.memberNumber === undefined ? [] : [memberClaim(account.memberNumber)])];
}
