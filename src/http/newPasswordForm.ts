import type { Account } from '../core/account/account.ts';
import { judgePassword, type PasswordRules } from '../core/account/newPassword.ts';
import { proven, refused } from '../core/refusal.ts';
import type { Collection, Stored } from '../core/storage/collection.ts';
import type { Form } from './form.ts';
import type { StepContext } from './step.ts';

/** What a step shares that asks an account's owner for a new password. `owner` says whose it is. */
export function newPasswordForm<Context extends StepContext>(
  { accounts, rules }: { readonly accounts: Collection<Account>; readonly rules: PasswordRules },
  owner: (context: Context) => string | undefined,
) {
  const accountOf = async (context: Context): Promise<Stored<Account>> => {
    const account = await accounts.find(owner(context) ?? '');
    if (account === undefined) throw new Error('a new password is asked of nobody');
    return account;
  };
  const values = { least: rules.least };
  return {
    accountOf,
    fields: {
      show: async (context: Context) => ({ username: (await accountOf(context)).value.username, values }),

      parse(form: Form) {
        const password = form.get('new-password') ?? '';
        return password === '' ? refused('new-password-missing') : proven(password);
      },

      advise: async (password: string, context: Context) => ({
        ...judgePassword(rules, (await accountOf(context)).value, password),
        values,
      }),

      fieldOf: () => 'new-password',
    },
  };
}
