import type { Account } from '../../core/account/account.ts';
import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { recoveryContacts } from '../../core/account/recovery.ts';
import { hasSecondStep } from '../../core/factors/factors.ts';
import { proven } from '../../core/refusal.ts';
import type { Unlock } from '../../http/lockout.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

export interface ReplacementDependencies extends ChangeDependencies {
  readonly endSessions: (accountId: string) => Promise<void>;
  readonly unlock: Unlock;
  readonly post: Post;
}

/** What an account signs in with. */
export const namesOf = ({ username, email }: Account): string[] =>
  email === undefined ? [username] : [username, email];

/** A new password instead of the forgotten one. It signs nobody in, and ends what is open elsewhere. */
export const replacementStep = (deps: ReplacementDependencies) => {
  const { accountOf, fields } = newPasswordForm(deps, ({ journey }: ErrandContext) => journey.facts.name?.accountId);

  return step<string, ErrandContext>({
    name: 'replacement',
    view: 'recovery/replacement',
    ...fields,

    async submit(password, { journey }) {
      const { name, code, second } = journey.facts;
      let lost = false;
      const also = (account: Account): Partial<Account> | undefined => {
        if (!hasSecondStep(account)) return {};
        // After the day's wait the second steps are gone with the password.
        lost = recoveryContacts(account, deps.clock).some(({ to }) => to === code?.way.to);
        return lost ? { factors: undefined } : second && {};
      };
      const changed = await changePassword(deps, name?.accountId ?? '', name?.epoch ?? -1, password, also);
      // The password was changed on another way meanwhile, or a second step was set up: what was proven here is void.
      if (changed === undefined) return proven(FROM_THE_BEGINNING);
      if (!changed.ok) return changed;
      await deps.endSessions(name?.accountId ?? '');
      return proven({ replacement: { at: changed.proven.at, ...(lost ? { lost } : {}) } });
    },

    async conclude({ replacement }, context) {
      if (replacement === undefined) return;
      const { id, value } = await accountOf(context);
      await deps.unlock(context.network, id, namesOf(value));
      await deps.post.tellOwner(id, value, 'password-changed');
      if (replacement.lost) await deps.post.tellOwner(id, value, 'second-steps-removed');
    },
  });
};

/** Facts that are undefined are taken away. */
const FROM_THE_BEGINNING = { name: undefined, code: undefined } as object;
