import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { proven } from '../../core/refusal.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import type { Post } from '../../http/post.ts';
import { type StepContext, step } from '../../http/step.ts';

export interface RenewalDependencies extends ChangeDependencies {
  readonly endSessions: (accountId: string) => Promise<void>;
  readonly post: Post;
}

/** Where the password that was typed may not be used any longer: a new one, before anything else opens. */
export const renewalStep = (deps: RenewalDependencies) => {
  const { accountOf, fields } = newPasswordForm(deps, ({ journey }: StepContext) => journey.facts.password?.accountId);

  return step<string>({
    name: 'renewal',
    view: 'login/renewal',
    ...fields,

    async submit(password, context) {
      const { password: fact } = context.journey.facts;
      if (fact === undefined) throw new Error('a new password is asked of nobody');
      const { id, value: before } = await accountOf(context);
      const changed = await changePassword(deps, fact.accountId, fact.epoch, password);
      // Somebody was faster: what was proven is void, and the sign-in page follows.
      if (changed === undefined) return proven({});
      if (!changed.ok) return changed;
      // Who knew the old password may be signed in somewhere.
      await deps.endSessions(fact.accountId);
      const { at, epoch, settled } = changed.proven;
      const after = (await accountOf(context)).value;
      await deps.post.tellOfChange({ id, before, after, agent: context.agent }, 'password-changed');
      await settled();
      return proven({ renewal: { at }, password: { ...fact, epoch } });
    },
  });
};
