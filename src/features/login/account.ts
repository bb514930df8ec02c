import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { step } from '../../http/step.ts';

/** "Continue as …?", for an app that lets the member choose (`prompt=select_account`). The other way out is "Not you?". */
export const accountStep = (deps: { accounts: Collection<Account>; clock: Clock }) =>
  step<undefined>({
    name: 'account',
    view: 'login/account',
    show: async ({ request }) => ({ username: (await deps.accounts.find(request.accountId ?? ''))?.value.username }),
    parse: () => proven(undefined),
    submit: async () => proven({ account: { at: seconds(deps.clock) } }),
    fieldOf: () => undefined,
  });
