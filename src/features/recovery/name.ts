import { type Account, findBySignInName } from '../../core/account/account.ts';
import { recoveryContacts, resetContacts } from '../../core/account/recovery.ts';
import { SIGN_IN_NAME_MAX } from '../../core/account/signInName.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { codePurpose, subjectOf } from '../../core/codes/purposes.ts';
import type { Facts } from '../../core/journey/journey.ts';
import { missed, proven, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

export interface NameDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  readonly post: Post;
}

/** Sends a code to the contacts of the account that a name belongs to; for a name that is nobody's the same but for the message. */
export async function sendToNamed(
  { accounts, clock, post }: NameDependencies,
  { journey, locale, network, app }: ErrandContext,
  name: NonNullable<Facts['name']>,
  by?: 'email' | 'sms' | 'voice',
): Promise<void> {
  const account = await accounts.find(name.accountId ?? 'nobody');
  const contacts =
    account === undefined ? [] : [...recoveryContacts(account.value, clock), ...resetContacts(account.value)];
  const subject = subjectOf({ name });
  await post.sendCode({ purpose: codePurpose(journey.id, { name }), subject, contacts, by, locale, network, app });
}

/** Username or email of somebody who cannot sign in. Whether it is anybody's is never told. */
export const nameStep = (deps: NameDependencies) =>
  step<string, ErrandContext>({
    name: 'name',
    view: 'recovery/name',
    even: true,

    show: async ({ journey, rememberedName }, typed) => ({
      heading: `recovery.name.title.${journey.course}`,
      typed: typed?.get('username') ?? journey.facts.name?.typed ?? rememberedName ?? '',
    }),

    parse(form) {
      const name = (form.get('username') ?? '').trim();
      return name === '' ? refused('name-missing') : proven(name.slice(0, SIGN_IN_NAME_MAX));
    },

    identify: async (input) => ({ counted: [], lockedAs: 'locked', input }),

    async submit(typed) {
      const account = await findBySignInName(deps.accounts, typed);
      const at = seconds(deps.clock);
      const known = account === undefined ? {} : { accountId: account.id, epoch: account.value.deviceEpoch };
      return missed({ name: { at, typed, ...known }, sent: { at } });
    },

    conclude: ({ name }, context) => (name === undefined ? Promise.resolve() : sendToNamed(deps, context, name)),
    fieldOf: () => 'username',
  });
