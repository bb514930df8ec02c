import type { Contact } from '../membership/membership.ts';
import type { Collection, Stored } from '../storage/collection.ts';
import { type Account, type Contacts, confirmedEmails, contactsOf, sharedClaim } from './account.ts';
import { canonicalSignInName, signInNameClaim } from './signInName.ts';

/** How many email addresses an account has at most, and how many phones. */
export const CONTACTS_MAX = 3;

/**
 * The account before and after: who is told of a change must be told where the account was reached before, too. They are
 * one and the same where nothing was left to change, as when a form comes twice.
 */
export interface ContactChange {
  readonly before: Account;
  readonly after: Account;
}

const isEmail = ({ kind }: Contact): boolean => kind === 'email';
const isSame = (a: string | undefined, b: string): boolean =>
  a !== undefined && canonicalSignInName(a) === canonicalSignInName(b);
const isAlike = (a: Contact) => (b: Contact) => isEmail(a) === isEmail(b);

/** For whom: who asks has shown at this `deviceEpoch` that the account is theirs; later that counts no more. */
interface Asked {
  readonly epoch?: number | undefined;
}

/** Whether an account has as many of this kind as it can, and the new one takes nobody's place. */
export const isOneTooMany = (account: Account, contact: Contact, replaces: string | undefined): boolean => {
  const own = contactsOf(account);
  const takesPlace = own.some(({ to }) => isSame(replaces, to) || isSame(contact.to, to));
  return !takesPlace && own.filter(isAlike(contact)).length >= CONTACTS_MAX;
};

/**
 * Puts a contact on the account that a code has just confirmed, or lets it take the place of the one that `replaces` names.
 * The first confirmed one of its kind is the main one. `at`: seconds since 1970. Undefined when the account is gone, or no
 * longer at the epoch.
 */
export const addContact = (
  accounts: Collection<Account>,
  id: string,
  contact: Contact,
  at: number,
  { replaces, epoch }: Asked & { readonly replaces?: string | undefined } = {},
): Promise<ContactChange | 'too-many-contacts' | undefined> =>
  changeContacts(accounts, id, { at, epoch }, (account) => {
    const before = contactsOf(account);
    const place = before.find(({ to }) => isSame(replaces, to)) ?? before.find(({ to }) => isSame(contact.to, to));
    if (place?.kind === contact.kind && place.to === contact.to) return account;
    const others = before.filter((other) => other === place || !isSame(contact.to, other.to));
    const after = place ? others.map((other) => (other === place ? contact : other)) : [...others, contact];
    const isMore = after.filter(isAlike(contact)).length > before.filter(isAlike(contact)).length;
    if (isMore && after.filter(isAlike(contact)).length > CONTACTS_MAX) return 'too-many-contacts';
    return withContacts(account, after);
  });

/** Takes a contact away, confirmed or not; the next of its kind becomes the main one. One confirmed contact stays. */
export const removeContact = (
  accounts: Collection<Account>,
  id: string,
  to: string,
  at: number,
  { epoch }: Asked = {},
): Promise<ContactChange | 'last-contact' | undefined> =>
  changeContacts(accounts, id, { at, epoch }, (account) => {
    const [has, rest] = [contactsOf(account), contactsOf(account).filter((contact) => !isSame(to, contact.to))];
    const isUnconfirmed = rest.length === has.length;
    if (isUnconfirmed && !isSame(account.email, to) && !isSame(account.phone, to)) return account;
    if (rest.length === 0) return 'last-contact';
    const { email, phone, ...others } = account;
    const kept = { ...others, ...(isSame(email, to) ? {} : { email }), ...(isSame(phone, to) ? {} : { phone }) };
    return withContacts(kept, rest);
  });

/** Makes a confirmed contact the main one of its kind: the one that apps hear of, and that is asked first. */
export const makeMain = (
  accounts: Collection<Account>,
  id: string,
  to: string,
  at: number,
  { epoch }: Asked = {},
): Promise<ContactChange | undefined> =>
  changeContacts<never>(accounts, id, { at, epoch }, (account) => {
    const contacts = contactsOf(account);
    const chosen = contacts.find((contact) => isSame(to, contact.to));
    if (chosen === undefined || contacts.find(isAlike(chosen)) === chosen) return account;
    return withContacts(account, [chosen, ...contacts.filter((contact) => contact !== chosen)]);
  });

/** How an account is reached, to be put back by `restoreContacts`. */
export const contactSnapshot = (contacts: Contacts): Contacts => ({
  email: contacts.email,
  emailConfirmed: contacts.emailConfirmed,
  phone: contacts.phone,
  phoneConfirmed: contacts.phoneConfirmed,
  isLandline: contacts.isLandline,
  moreContacts: contacts.moreContacts,
});

/** Puts the contacts back as they were. An address that somebody else signs in with meanwhile stays that one's sign-in name. */
export const restoreContacts = (
  accounts: Collection<Account>,
  id: string,
  snapshot: Contacts,
  at: number,
): Promise<ContactChange | undefined> =>
  changeContacts<never>(accounts, id, { at }, (account) => ({ ...account, ...contactSnapshot(snapshot) }));

/** These contacts without some of them; all of them where nothing else is left. */
export function contactsWithout(contacts: Contacts, gone: readonly string[]): Contacts {
  const left = contactsOf(contacts).filter(({ to }) => !gone.some((one) => isSame(one, to)));
  return left.length > 0 ? withContacts(contacts, left) : contacts;
}

/** The addresses and numbers that there are after a change and were not before it. */
export const addedContacts = (before: Contacts, after: Contacts): string[] =>
  contactsOf(after)
    .map(({ to }) => to)
    .filter((to) => !contactsOf(before).some((other) => isSame(to, other.to)));

/** The account with these confirmed contacts. An unconfirmed main one stays where no other of its kind takes its place. */
function withContacts<Holder extends Contacts>(account: Holder, contacts: readonly Contact[]): Holder {
  const email = contacts.find(isEmail);
  const phone = contacts.find((contact) => !isEmail(contact));
  const more = contacts.filter((contact) => contact !== email && contact !== phone);
  return {
    ...account,
    email: email?.to ?? (account.emailConfirmed ? undefined : account.email),
    emailConfirmed: email !== undefined,
    phone: phone?.to ?? (account.phoneConfirmed ? undefined : account.phone),
    phoneConfirmed: phone !== undefined,
    isLandline: phone ? phone.kind === 'landline' : account.isLandline,
    moreContacts: more.length > 0 ? more : undefined,
  };
}

/** Changes an account's contacts with its claims, and looks again where another writer was faster. */
async function changeContacts<No extends string>(
  accounts: Collection<Account>,
  id: string,
  { at, epoch }: Asked & { readonly at: number },
  to: (account: Account) => Account | No,
): Promise<ContactChange | No | undefined> {
  for (;;) {
    const stored = await accounts.find(id);
    if (stored === undefined || (epoch ?? stored.value.deviceEpoch) !== stored.value.deviceEpoch) return undefined;
    const before = stored.value;
    const changed = to(before);
    if (typeof changed === 'string') return changed;
    if (changed === before) return { before, after: before };
    const after = { ...changed, updatedAt: at };
    if (await replaceWithNames(accounts, stored, after)) return { before, after };
  }
}

/**
 * Replaces an account together with what signs in to it. For an address that it gains it holds the sign-in name; if that is
 * another's, it says that the address is shared; if that is said already, nothing: whoever has the address is never told.
 */
async function replaceWithNames(
  accounts: Collection<Account>,
  { id, version, value: before }: Stored<Account>,
  after: Account,
): Promise<boolean> {
  const [had, has] = [confirmedEmails(before), confirmedEmails(after)];
  const gained = has.filter((email) => !had.includes(email));
  const lost = had.filter((email) => !has.includes(email));
  const own = signInNameClaim(before.username);
  const release = lost
    .flatMap((email) => [signInNameClaim(email), sharedClaim(email)])
    .filter((claim) => claim !== own);
  // The later choices are for those who want an address at the same instant: who gets it is not seen yet.
  for (const choices of [[signInNameClaim, sharedClaim], [sharedClaim], []]) {
    const take = await Promise.all(gained.map((email) => firstFree(accounts, id, email, choices)));
    const outcome = await accounts.replaceWithClaims(id, version, after, { take: take.flat(), release });
    if (outcome !== 'claim-taken') return outcome === 'replaced';
  }
  return false;
}

/** The first of these claims on an address that no other account holds; none when there is no such. */
async function firstFree(
  accounts: Collection<Account>,
  id: string,
  email: string,
  choices: readonly ((email: string) => string)[],
): Promise<string[]> {
  for (const claimOn of choices) {
    const holder = await accounts.findByClaim(claimOn(email));
    if (holder === undefined || holder.id === id) return [claimOn(email)];
  }
  return [];
}
