import { type Account, contactsOf } from '../../core/account/account.ts';
import { addContact, isOneTooMany } from '../../core/account/contactChange.ts';
import { readEmail } from '../../core/account/email.ts';
import { readPhone } from '../../core/account/phone.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { maskedContact } from '../../core/codes/contacts.ts';
import { addressPurpose } from '../../core/codes/purposes.ts';
import type { Facts } from '../../core/journey/journey.ts';
import type { Contact } from '../../core/membership/membership.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { changedIn, type Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

export interface AddressDependencies {
  readonly clock: Clock;
  readonly post: Post;
}

/** Sends the code that shows that a new contact reaches the member. */
export async function sendToAddress(
  post: Post,
  { journey, account, locale, network }: ErrandContext,
  contact: Contact | undefined,
): Promise<void> {
  if (account === undefined || contact === undefined) throw new Error('a code is sent to nobody');
  const purpose = addressPurpose(journey.id, account.id, contact.to);
  const order = { purpose, subject: `account:${account.id}`, contacts: [contact] };
  await post.sendCode({ ...order, locale, network, known: true });
}

/** A code that was sent to it has come back: the new contact counts. */
export async function confirmAddress(
  { accounts, clock, post }: AddressDependencies & { readonly accounts: Collection<Account> },
  { account, journey, session, agent }: ErrandContext,
): Promise<Outcome<Facts>> {
  const { address, instead } = journey.facts;
  if (account === undefined || address === undefined) throw new Error('a contact is confirmed for nobody');
  const { id } = account;
  const at = seconds(clock);
  const { deviceEpoch: epoch } = account.value;
  const changed = await addContact(accounts, id, address.contact, at, { replaces: instead?.to, epoch });
  if (changed === 'too-many-contacts') return refused(changed);
  if (changed !== undefined && changed.before !== changed.after) {
    const masked = maskedContact(address.contact);
    const old = contactsOf(changed.before).find(({ to }) => to === instead?.to);
    const told = { ...changedIn({ account, session, agent }), ...changed };
    if (old === undefined) await post.tellOfChange(told, 'contact-added', { masked });
    else await post.tellOfChange(told, 'contact-changed', { masked, old: maskedContact(old) });
  }
  return proven({ addressCode: { at } });
}

/** A new email address or phone number. It counts once a code that was sent there has come back. */
export const addressStep = ({ clock, post }: AddressDependencies) =>
  step<Contact, ErrandContext>({
    name: 'address',
    // Who has come by a letter has nothing yet that an address could be instead of.
    view: ({ journey: { course } }) => (course === 'letter' ? 'recovery/address' : `account/${course}`),
    show: async ({ journey: { course, facts } }, typed) => ({
      typed: typed?.get(course === 'letter' ? 'address' : course) ?? facts.address?.contact.to ?? '',
      landline: typed?.has('landline') ?? facts.address?.contact.kind === 'landline',
    }),

    parse(form, { journey }) {
      if (journey.course === 'letter') {
        const contact = eitherIn(form.get('address') ?? '');
        return contact === undefined || post.waysTo([contact]).length === 0
          ? refused('address-wrong')
          : proven(contact);
      }
      if (journey.course === 'email') {
        const email = readEmail(form.get('email') ?? '');
        return email === undefined ? refused('email-wrong') : proven({ kind: 'email', to: email });
      }
      const to = readPhone(form.get('phone') ?? '');
      const contact = { kind: form.has('landline') ? 'landline' : 'mobile', to: to ?? '' } as const;
      return to === undefined || post.waysTo([contact]).length === 0 ? refused('phone-wrong') : proven(contact);
    },

    async submit(contact, { account, journey }) {
      // Before a code goes there for nothing.
      const replaces = journey.facts.instead?.to;
      if (account !== undefined && isOneTooMany(account.value, contact, replaces)) return refused('too-many-contacts');
      const at = seconds(clock);
      return proven({ address: { at, contact }, sent: { at } });
    },

    conclude: ({ address }, context) => sendToAddress(post, context, address?.contact),
    fieldOf: (_, { journey }) => (journey.course === 'letter' ? 'address' : journey.course),
  });

/** An email address or a mobile number, whichever was typed. */
function eitherIn(typed: string): Contact | undefined {
  const [email, phone] = [readEmail(typed), readPhone(typed)];
  if (email !== undefined) return { kind: 'email', to: email };
  return phone === undefined ? undefined : { kind: 'mobile', to: phone };
}
