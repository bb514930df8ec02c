import { type Account, findBySignInName } from '../../core/account/account.ts';
import type { ClosedTo } from '../../core/account/admission.ts';
import { hasToAgreeAgain } from '../../core/account/agreements.ts';
import { type PasswordProof, provePassword } from '../../core/account/password.ts';
import { canonicalSignInName, SIGN_IN_NAME_MAX } from '../../core/account/signInName.ts';
import { OWN_CLIENT } from '../../core/client/ownClient.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { mayOfferPasskey } from '../../core/factors/factors.ts';
import type { Plan } from '../../core/plan.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import { pageOfClosed, step } from '../../http/step.ts';

export interface PasswordDependencies extends PasswordProof {
  readonly clock: Clock;
  readonly agreements: Plan['agreements'];
  readonly closedTo: ClosedTo;
  /** What the page needs to offer passkeys in this journey. */
  readonly passkeys: (journeyId: string) => Promise<object>;
}

interface Typed {
  readonly name: string;
  readonly password: string;
  readonly shared: boolean;
  readonly remember: boolean;
  /** The browser says that this device can make a passkey. */
  readonly canPasskey: boolean;
  readonly account?: Stored<Account> | undefined;
}

/** Username and password on one page. An unknown name and a wrong password are answered alike. */
export const passwordStep = (deps: PasswordDependencies) =>
  step<Typed>({
    name: 'password',
    view: 'login/password',

    async show({ request, rememberedName, journey }, typed) {
      const chosen = (box: string, before: boolean) => (typed === undefined ? before : typed.has(box));
      return {
        username: typed?.get('username') ?? request.loginHint ?? rememberedName ?? '',
        remember: chosen('remember', rememberedName !== undefined),
        shared: chosen('shared', false),
        // Somebody is signed in, and our own pages ask whether it is still them.
        isAgain: request.clientId === OWN_CLIENT && request.accountId !== undefined,
        passkeyOptions: await deps.passkeys(journey.id),
      };
    },

    parse(form) {
      const name = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      if (name === '') return refused('username-missing');
      if (password === '') return refused('password-missing');
      const canPasskey = form.get('can_passkey') === 'yes';
      return proven({ name, password, shared: form.has('shared'), remember: form.has('remember'), canPasskey });
    },

    async identify(typed) {
      const { name, shared, remember } = typed;
      const account = name.length > SIGN_IN_NAME_MAX ? undefined : await findBySignInName(deps.accounts, name);
      const { deviceEpoch = 0, attemptsEpoch } = account?.value ?? {};
      const owner = account && { id: account.id, deviceEpoch, attemptsEpoch };
      const keep = shared ? undefined : { username: remember ? name : undefined };
      return { name: canonicalSignInName(name), account: owner, keep, input: { ...typed, account } };
    },

    async submit({ password, account, shared, canPasskey }, { request }) {
      const right = await provePassword(deps, account, password);
      if (!right || account === undefined) return refused('credentials-rejected');
      if (account.value.resetDemanded) return refused('reset-demanded');
      const closed = await deps.closedTo(account);
      if (closed !== undefined) return refused(closed);
      const { passwordMustChange: mustChange = false, deviceEpoch: epoch } = account.value;
      const mustAgree = hasToAgreeAgain(account.value.agreed, deps.agreements);
      const at = seconds(deps.clock);
      // Who signs in again to change something is not held up.
      const offersPasskey =
        canPasskey && !shared && request.clientId !== OWN_CLIENT && mayOfferPasskey(account.value, at);
      const fact = { accountId: account.id, at, shared, epoch, mustChange, mustAgree, offersPasskey };
      return proven({ password: fact });
    },

    fieldOf: (refusal) => (refusal === 'username-missing' ? 'username' : 'password'),
    pageOf: pageOfClosed,
  });
