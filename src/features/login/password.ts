import { type Account, findBySignInName } from '../../core/account/account.ts';
import { type PasswordProof, provePassword } from '../../core/account/password.ts';
import { canonicalSignInName, SIGN_IN_NAME_MAX } from '../../core/account/signInName.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import { step } from '../../http/step.ts';

export interface PasswordDependencies extends PasswordProof {
  readonly clock: Clock;
}

/** Username and password on one page. An unknown name and a wrong password are answered alike. */
export const passwordStep = (deps: PasswordDependencies) =>
  step<{ name: string; password: string; account?: Stored<Account> | undefined }>({
    name: 'password',
    view: 'login/password',

    show: async ({ request }, typed) => ({ username: typed?.get('username') ?? request.loginHint ?? '' }),

    parse(form) {
      const name = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      if (name === '') return refused('username-missing');
      if (password === '') return refused('password-missing');
      return proven({ name, password });
    },

    async identify({ name, password }) {
      const account = name.length > SIGN_IN_NAME_MAX ? undefined : await findBySignInName(deps.accounts, name);
      const owner = account && { id: account.id, deviceEpoch: account.value.deviceEpoch };
      return { name: canonicalSignInName(name), account: owner, input: { name, password, account } };
    },

    async submit({ password, account }) {
      const right = await provePassword(deps, account, password);
      if (!right || account === undefined) return refused('credentials-rejected');
      return proven({ password: { accountId: account.id, at: seconds(deps.clock) } });
    },

    fieldOf: (refusal) => (refusal === 'password-missing' ? 'password' : 'username'),
  });
