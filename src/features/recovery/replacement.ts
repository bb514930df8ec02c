import type { Account } from '../../core/account/account.ts';
import { type ChangeDependencies, changePassword, judgePassword } from '../../core/account/newPassword.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { Unlock } from '../../http/lockout.ts';
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
  const accountOf = async ({ journey }: ErrandContext): Promise<Stored<Account>> => {
    const account = await deps.accounts.find(journey.facts.name?.accountId ?? '');
    if (account === undefined) throw new Error('a new password is asked of nobody');
    return account;
  };

  return step<string, ErrandContext>({
    name: 'replacement',
    view: 'recovery/replacement',

    show: async (context) => ({
      username: (await accountOf(context)).value.username,
      values: { least: deps.rules.least },
    }),

    parse(form) {
      const password = form.get('new-password') ?? '';
      return password === '' ? refused('new-password-missing') : proven(password);
    },

    async advise(password, context) {
      const { value } = await accountOf(context);
      return { ...judgePassword(deps.rules, value, password), values: { least: deps.rules.least } };
    },

    async submit(password, { journey }) {
      const { name } = journey.facts;
      const changed = await changePassword(deps, name?.accountId ?? '', name?.epoch ?? -1, password);
      // The password was changed on another way meanwhile: what was proven here is void, and the name is asked for again.
      if (changed === undefined) return proven(FROM_THE_BEGINNING);
      if (!changed.ok) return changed;
      await deps.endSessions(name?.accountId ?? '');
      return proven({ replacement: { at: changed.proven.at } });
    },

    async conclude({ replacement }, context) {
      if (replacement === undefined) return;
      const { id, value } = await accountOf(context);
      await deps.unlock(context.network, id, namesOf(value));
      await deps.post.tellOwner(id, value, 'password-changed');
    },

    fieldOf: () => 'new-password',
  });
};

/** Facts that are undefined are taken away. */
const FROM_THE_BEGINNING = { name: undefined, code: undefined } as object;
