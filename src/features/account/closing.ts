import { askToClose, CLOSING_DAYS, type ClosingDependencies } from '../../core/account/closing.ts';
import { canonicalSignInName } from '../../core/account/signInName.ts';
import { seconds } from '../../core/clock.ts';
import { proven, refused } from '../../core/refusal.ts';
import { changedIn, type Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** Closing the account, asked once: what it means. */
export const closingStep = ({ clock }: ClosingDependencies) =>
  step<null, ErrandContext>({
    name: 'closing',
    view: 'account/closing',
    show: async () => ({ days: CLOSING_DAYS }),
    parse: (form) => (form.has('understood') ? proven(null) : refused('closing-not-understood')),
    submit: async () => proven({ closing: { at: seconds(clock) } }),
    fieldOf: () => 'understood',
  });

/** And asked twice: nobody types their username by mistake. */
export const closingSureStep = (deps: ClosingDependencies & { readonly post: Post }) =>
  step<string, ErrandContext>({
    name: 'closingSure',
    view: 'account/closing-sure',
    show: async ({ account }, typed) => ({ username: account?.value.username, typed: typed?.get('username') ?? '' }),
    parse: (form) => proven(form.get('username') ?? ''),
    async submit(typed, { account, session, agent }) {
      if (account === undefined) throw new Error('nobody asks to close an account');
      if (canonicalSignInName(typed) !== canonicalSignInName(account.value.username)) return refused('username-wrong');
      const { id, value: before } = account;
      const after = await askToClose(deps, id);
      const at = (after?.closesAt ?? 0) * 1_000;
      if (after !== undefined)
        await deps.post.tellOfChange({ ...changedIn({ account, session, agent }), before, after }, 'closing-asked', {
          at,
        });
      return proven({ closingSure: { at: seconds(deps.clock) } });
    },
    fieldOf: () => 'username',
  });
