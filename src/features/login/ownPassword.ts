import { type PasswordProof, provePassword } from '../../core/account/password.ts';
import { canonicalSignInName } from '../../core/account/signInName.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven, refused } from '../../core/refusal.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** The password of the account that an errand is about, where it is not forgotten: it proves that the link was not somebody else's. */
export const ownPasswordStep = (deps: PasswordProof & { readonly clock: Clock }) => {
  const known = ({ account }: ErrandContext) => {
    if (account === undefined) throw new Error('a password is asked of nobody');
    return account;
  };
  return step<string, ErrandContext>({
    name: 'ownPassword',
    view: 'login/own-password',
    show: async (context) => ({ username: known(context).value.username }),
    parse(form) {
      const password = form.get('password') ?? '';
      return password === '' ? refused('password-missing') : proven(password);
    },
    async identify(input, context) {
      const { id, value } = known(context);
      const { deviceEpoch, attemptsEpoch } = value;
      const account = { id, deviceEpoch, attemptsEpoch };
      return { name: canonicalSignInName(value.username), account, keep: { username: context.rememberedName }, input };
    },
    async submit(password, context) {
      const account = known(context);
      if (!(await provePassword(deps, account, password))) return refused('password-wrong');
      const { deviceEpoch: epoch } = account.value;
      return proven({ ownPassword: { at: seconds(deps.clock), accountId: account.id, epoch, amr: ['pwd'] } });
    },
    fieldOf: () => 'password',
  });
};
