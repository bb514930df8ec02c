import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven } from '../../core/refusal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { LOCALES, pickLocale } from '../../http/words.ts';
import { type AccountPage, done } from './page.ts';

export interface ProfileDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
}

const PATH = '/profile';

/** Who the member is, as the plan's records have it, and the language that we write to them in. */
export const profilePage = ({ accounts, clock }: ProfileDependencies): AccountPage => ({
  path: PATH,
  view: 'account/profile',
  async show({ account: { value } }) {
    const { username, firstName, lastName, birthDate, postalCode, memberNumber, locale, createdAt } = value;
    const own = { username, name: `${firstName} ${lastName}`, birthDate, postalCode, memberNumber, createdAt };
    return { ...own, written: pickLocale([locale]), languages: LOCALES };
  },
  actions: {
    language: {
      fresh: false,
      async run(form, { account }) {
        const locale = LOCALES.find((one) => one === form.get('language'));
        if (locale !== undefined)
          await change(accounts, account.id, (now) => ({ ...now, locale, updatedAt: seconds(clock) }));
        return proven(done(`/account${PATH}`, 'language-saved'));
      },
    },
  },
});
