import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { proven } from '../../core/refusal.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import { type StepContext, step } from '../../http/step.ts';

/** Where the password that was typed may not be used any longer: a new one, before anything else opens. */
export const renewalStep = (deps: ChangeDependencies & { endSessions: (accountId: string) => Promise<void> }) =>
  step<string>({
    name: 'renewal',
    view: 'login/renewal',
    ...newPasswordForm(deps, ({ journey }: StepContext) => journey.facts.password?.accountId).fields,

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
  });
