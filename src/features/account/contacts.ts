import { createHash } from 'node:crypto';
import { type Account, contactsOf } from '../../core/account/account.ts';
import { makeMain, removeContact } from '../../core/account/contactChange.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { maskedContact } from '../../core/codes/contacts.ts';
import type { Contact } from '../../core/membership/membership.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { changedIn, type Post } from '../../http/post.ts';
import type { Visit } from '../../http/signedIn.ts';
import { type AccountPage, done } from './page.ts';

export interface ContactsDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  readonly post: Post;
}

const PATH = '/contacts';
const HOME = `/account${PATH}`;

/** What stands for a contact in an address of ours, so that no log and no history names it. */
const handleOf = ({ to }: Contact): string =>
  createHash('sha256').update(`contact:${to}`).digest('base64url').slice(0, 16);

export const contactBy = (account: Account, handle: unknown): Contact | undefined =>
  contactsOf(account).find((contact) => handleOf(contact) === handle);

/** The ways on which we reach the member. They sign in with each of the email addresses. */
export const contactsPage = (): AccountPage => ({
  path: PATH,
  view: 'account/contacts',
  async show({ account: { value } }, ctx) {
    const from = /^[\w-]{1,64}$/.exec(String(ctx.query.from ?? ''))?.[0];
    const contacts = contactsOf(value).map((contact) => ({ ...contact, handle: handleOf(contact) }));
    const isMain = ({ to }: Contact) => to === value.email || to === value.phone;
    const unconfirmed = [
      ...(value.email !== undefined && !value.emailConfirmed ? [value.email] : []),
      ...(value.phone !== undefined && !value.phoneConfirmed ? [value.phone] : []),
    ];
    return {
      contacts: contacts.map((contact) => ({ ...contact, isMain: isMain(contact) })),
      unconfirmed,
      // Who was asked at sign-in whether this is right goes on to the app.
      continueUrl: from && `/interaction/${from}`,
      fromQuery: from === undefined ? '' : `?from=${from}`,
    };
  },
});

/** One contact: what it is used for, and taking it away. */
export const contactPage = (deps: ContactsDependencies): AccountPage => {
  const { accounts, clock, post } = deps;
  const at = () => seconds(clock);
  const found = ({ account }: Visit, handle: unknown) => contactBy(account.value, handle);

  const asked = ({ account }: Visit) => ({ epoch: account.value.deviceEpoch });

  async function remove(visit: Visit, contact: Contact): Promise<Outcome<string>> {
    const changed = await removeContact(accounts, visit.account.id, contact.to, at(), asked(visit));
    if (changed === 'last-contact') return refused(changed);
    if (changed !== undefined && changed.before !== changed.after)
      await post.tellOfChange({ ...changedIn(visit), ...changed }, 'contact-removed', {
        masked: maskedContact(contact),
      });
    return proven(done(HOME, 'contact-removed'));
  }

  return {
    path: `${PATH}/:handle`,
    view: 'account/contact',
    fresh: true,
    async show(visit, ctx) {
      const contact = found(visit, ctx.params.handle);
      if (contact === undefined) return undefined;
      const { value } = visit.account;
      const isLast = contactsOf(value).length === 1;
      return { contact, handle: handleOf(contact), isMain: [value.email, value.phone].includes(contact.to), isLast };
    },
    actions: {
      main: {
        fresh: true,
        async run(_, visit, ctx) {
          const contact = found(visit, ctx.params.handle);
          if (contact === undefined) return proven(HOME);
          const changed = await makeMain(accounts, visit.account.id, contact.to, at(), asked(visit));
          if (changed !== undefined && changed.before !== changed.after)
            await post.tellOfChange({ ...changedIn(visit), ...changed }, 'contact-first', {
              masked: maskedContact(contact),
            });
          return proven(done(HOME, 'contact-first'));
        },
      },
      remove: {
        fresh: true,
        async run(_, visit, ctx) {
          const contact = found(visit, ctx.params.handle);
          return contact === undefined ? proven(HOME) : remove(visit, contact);
        },
        fieldOf: () => 'remove',
      },
    },
  };
};
