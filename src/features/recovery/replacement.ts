import { type Account, confirmedEmails, contactsOf } from '../../core/account/account.ts';
import { type ChangeDependencies, changePassword } from '../../core/account/newPassword.ts';
import { recoveryContacts } from '../../core/account/recovery.ts';
import { hasSecondStep } from '../../core/factors/factors.ts';
import type { Contact } from '../../core/membership/membership.ts';
import { proven } from '../../core/refusal.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { Unlock } from '../../http/lockout.ts';
import { newPasswordForm } from '../../http/newPasswordForm.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

export interface ReplacementDependencies extends ChangeDependencies {
  readonly endSessions: (accountId: string) => Promise<void>;
  readonly unlock: Unlock;
  readonly post: Post;
}

/** What an account signs in with, and what its owner may try. */
const namesOf = (account: Account): string[] => [
  ...new Set([account.username, account.email ?? [], confirmedEmails(account)].flat()),
];

/** Opens what wrong passwords have locked, for who has shown that the account is theirs. */
export function unlockNamesOf(
  { id, value }: Stored<Account>,
  { network, knownDevice }: Pick<ErrandContext, 'network' | 'knownDevice'>,
  unlock: Unlock,
): Promise<void> {
  const { deviceEpoch, attemptsEpoch } = value;
  return unlock({ network, device: knownDevice({ id, deviceEpoch }) }, { id, attemptsEpoch }, namesOf(value));
}

/** A new password instead of the forgotten one. It signs nobody in, and ends what is open elsewhere. */
export const replacementStep = (deps: ReplacementDependencies) => {
  const { accountOf, fields } = newPasswordForm(deps, ({ journey }: ErrandContext) => journey.facts.name?.accountId);

  return step<string, ErrandContext>({
    name: 'replacement',
    view: 'recovery/replacement',
    ...fields,

    async submit(password, context) {
      const { journey, agent } = context;
      const { name, code, second } = journey.facts;
      const accountId = name?.accountId ?? '';
      let lost = false;
      let waiting: string | undefined;
      let before: Account | undefined;
      const also = (account: Account): Partial<Account> | undefined => {
        waiting = account.recovery?.message;
        before = account;
        lost = false;
        const isReached = ({ to }: Contact) => to === code?.way.to;
        const recovers = recoveryContacts(account, deps.clock).some(isReached);
        // The owner has taken this contact away since its code was sent.
        if (!recovers && !contactsOf(account).some(isReached)) return undefined;
        if (!hasSecondStep(account)) return {};
        const isOurs = second?.accountId === accountId && second.epoch === account.deviceEpoch;
        if (!recovers) return isOurs ? {} : undefined;
        // After the day's wait the second steps are gone with the password.
        lost = true;
        return { factors: undefined };
      };
      const changed = await changePassword(deps, accountId, name?.epoch ?? -1, password, also);
      // The password was changed on another way meanwhile, or a second step was set up: what was proven here is void.
      if (changed === undefined) return proven(FROM_THE_BEGINNING);
      if (!changed.ok) return changed;
      await deps.endSessions(accountId);
      if (waiting !== undefined) await deps.post.withdraw(waiting);
      const stored = await accountOf(context);
      const { id, value } = stored;
      await unlockNamesOf(stored, context, deps.unlock);
      const told = { id, before: before ?? value, after: value, agent };
      await deps.post.tellOfChange(told, 'password-changed');
      if (lost) await deps.post.tellOfChange(told, 'second-steps-removed');
      await changed.proven.settled();
      return proven({ replacement: { at: changed.proven.at } });
    },
  });
};

/** Facts that are undefined are taken away. */
const FROM_THE_BEGINNING = Object.fromEntries(
  ['name', 'code', 'sent', 'method', 'second', 'texted', 'fresh', 'codes'].map((fact) => [fact, undefined]),
);
