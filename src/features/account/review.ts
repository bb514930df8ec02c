import { type Account, contactsOf } from '../../core/account/account.ts';
import type { Trail } from '../../core/audit/trail.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { maskedContact } from '../../core/codes/contacts.ts';
import { proven, refused } from '../../core/refusal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { step } from '../../http/step.ts';

export interface ReviewDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  readonly trail: Pick<Trail, 'record'>;
}

const ANSWERS = ['yes', 'later'] as const;

/** "Is this still how to reach you?" Who wants to change something goes to the page for it, and comes back here. */
export const reviewStep = ({ accounts, clock, trail }: ReviewDependencies) =>
  step<(typeof ANSWERS)[number]>({
    name: 'review',
    view: 'account/review',
    async show({ journey, request }) {
      const account = (await accounts.find(request.accountId ?? ''))?.value;
      const contacts = account === undefined ? [] : contactsOf(account);
      return {
        contacts: contacts.map((one) => ({
          kind: one.kind,
          masked: maskedContact(one),
          bounced: one.to === account?.bounced,
        })),
        changeUrl: `/account/contacts?from=${journey.id}`,
      };
    },
    parse(form) {
      const answer = ANSWERS.find((one) => one === form.get('answer'));
      return answer === undefined ? refused('decision-missing') : proven(answer);
    },
    async submit(answer, { request, agent }) {
      const id = request.accountId ?? '';
      const at = seconds(clock);
      await change(accounts, id, ({ bounced: _, ...now }) => ({ ...now, contactsAskedAt: at }));
      if (answer === 'yes') await trail.record(id, { what: 'contacts-confirmed', agent });
      return proven({ review: { at } });
    },
    fieldOf: () => 'contacts-right',
  });
