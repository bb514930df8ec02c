import type { Account } from '../../core/account/account.ts';
import { RECOVERY_DELAY } from '../../core/account/recovery.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { type ErrandContext, step } from '../../http/step.ts';
import { type BeginDependencies, begin } from './stop.ts';

export interface DelayDependencies extends BeginDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
}

/**
 * Who reaches none of the account's contacts, but has typed a code that went to one that the plan has on file, waits for a
 * day in which every address hears of it and can stop it (NIST SP 800-63B-4 4.2.2.2 and 4.2.3).
 */
export const delayStep = (deps: DelayDependencies) =>
  step<null, ErrandContext>({
    name: 'delay',
    view: 'recovery/delay',
    show: async () => ({ hours: RECOVERY_DELAY / 3_600 }),
    parse: () => proven(null),
    async submit(_, { journey }) {
      const { member, code } = journey.facts;
      const contact = member?.found?.contacts.find(({ to }) => to === code?.way.to);
      if (member?.accountId === undefined || contact === undefined) throw new Error('nobody is there to wait');
      const readyAt = await begin(deps, member.accountId, contact, member.found?.contacts ?? []);
      return proven({ delay: { at: seconds(deps.clock), readyAt } });
    },
    fieldOf: () => undefined,
  });
