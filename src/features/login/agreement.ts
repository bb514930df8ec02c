import type { Account } from '../../core/account/account.ts';
import { agreedNow } from '../../core/account/agreements.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import type { Plan } from '../../core/plan.ts';
import { proven, refused } from '../../core/refusal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { type StepContext, step } from '../../http/step.ts';

export interface AgreementDependencies {
  readonly accounts: Collection<Account>;
  readonly agreements: Plan['agreements'];
  readonly clock: Clock;
}

/** The terms have changed since the member agreed to them: again, before anything opens. */
export const agreementStep = ({ accounts, agreements, clock }: AgreementDependencies) =>
  step<{ readonly texts: boolean }>({
    name: 'agreement',
    view: 'login/agreement',

    async show({ account }: StepContext, typed) {
      return { terms: false, texts: typed?.has('texts') ?? account?.value.agreed?.sms !== undefined };
    },

    parse: (form) => (form.has('terms') ? proven({ texts: form.has('texts') }) : refused('terms-not-accepted')),

    async submit({ texts }, { account }) {
      const agreed = agreedNow(agreements, texts);
      const now = seconds(clock);
      if (account === undefined) throw new Error('nobody is there to agree');
      await change(accounts, account.id, (held) => ({ ...held, agreed, updatedAt: now }));
      return proven({ agreement: { at: now } });
    },

    fieldOf: () => 'terms',
  });
