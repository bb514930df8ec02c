import type { Account } from '../../core/account/account.ts';
import { type ChangeDependencies, changePassword, judgePassword } from '../../core/account/newPassword.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import { type StepContext, step } from '../../http/step.ts';

/** Where the password that was typed may not be used any longer: a new one, before anything else opens. */
export const renewalStep = (deps: ChangeDependencies & { endSessions: (accountId: string) => Promise<void> }) => {
  const accountOf = async ({ journey }: StepContext): Promise<Stored<Account>> => {
    const account = await deps.accounts.find(journey.facts.password?.accountId ?? '');
    if (account === undefined) throw new Error('a new password is asked of nobody');
    return account;
  };

  return step<string>({
    name: 'renewal',
    view: 'login/renewal',

    show: async (context) => ({
      username: (await accountOf(context)).value.username,
      values: { least: deps.rules.least },
    }),

    parse(form) {
      const password = form.get('new-password') ?? '';
      return password === '' ? refused('new-password-missing') : proven(password);
    },

    async advise(password, context) {
      return {
        ...judgePassword(deps.rules, (await accountOf(context)).value, password),
        values: { least: deps.rules.least },
      };
    },

    async submit(password, context) {
      const { password: fact } = context.journey.facts;
      if (fact === undefined) throw new Error('a new password is asked of nobody');
      const changed = await changePassword(deps, fact.accountId, fact.epoch, password);
      // Somebody was faster: what was proven is void, and the sign-in page follows.
      if (changed === undefined) return proven({});
      if (!changed.ok) return changed;
      // Who knew the old password may be signed in somewhere.
      await deps.endSessions(fact.accountId);
      const { at, epoch } = changed.proven;
      return proven({ renewal: { at }, password: { ...fact, epoch } });
    },

    fieldOf: () => 'new-password',
  });
};
