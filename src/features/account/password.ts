import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { proven } from '../../core/refusal.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** Another password, for who is signed in. It ends every other session, and what apps were granted beyond them. */
export const newPasswordStep = (deps: ChangeDependencies & { readonly post: Post }) => {
  const { accountOf, fields } = newPasswordForm(deps, ({ account }: ErrandContext) => account?.id);

  return step<string, ErrandContext>({
    name: 'newPassword',
    view: 'account/new-password',
    ...fields,

    async submit(password, { account, journey }) {
      const changed = await changePassword(deps, account?.id ?? '', journey.owner?.epoch ?? -1, password);
      // Somebody was faster: the fresh sign-in of before is none any more.
      if (changed === undefined) return proven({});
      return changed.ok ? proven({ newPassword: { at: changed.proven.at } }) : changed;
    },

    async conclude({ newPassword }, context) {
      if (newPassword === undefined) return;
      const account = await accountOf(context);
      await context.keepOnlyThis?.(account);
      await deps.post.tellOwner(account.id, account.value, 'password-changed');
    },
  });
};
