import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { proven } from '../../core/refusal.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import { changedIn, type Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** Another password, for who is signed in. It ends every other session, and what apps were granted beyond them. */
export const newPasswordStep = (deps: ChangeDependencies & { readonly post: Post }) => {
  const { accountOf, fields } = newPasswordForm(deps, ({ account }: ErrandContext) => account?.id);

  return step<string, ErrandContext>({
    name: 'newPassword',
    view: 'account/new-password',
    ...fields,

    async submit(password, context) {
      const { account, journey, session, agent } = context;
      if (account === undefined) throw new Error('a new password is asked of nobody');
      const changed = await changePassword(deps, account.id, journey.owner?.epoch ?? -1, password);
      // Somebody was faster: the fresh sign-in of before is none any more.
      if (changed === undefined) return proven({});
      if (!changed.ok) return changed;
      const after = await accountOf(context);
      await context.keepOnlyThis?.(after);
      const where = changedIn({ account, session, agent });
      await deps.post.tellOfChange({ ...where, before: account.value, after: after.value }, 'password-changed');
      await changed.proven.settled();
      return proven({ newPassword: { at: changed.proven.at } });
    },
  });
};
