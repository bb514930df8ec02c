import { type Clock, seconds } from '../clock.ts';
import { hasEnded } from '../membership/lifecycle.ts';
import type { Membership } from '../membership/membership.ts';
import type { Stored } from '../storage/collection.ts';
import { Unavailable } from '../storage/unavailable.ts';
import type { Account } from './account.ts';

export interface AdmissionDependencies {
  /** The membership of an account as the plan knows it now; undefined where it knows none. */
  readonly membershipOf: (account: Account) => Promise<Membership | undefined>;
  readonly clock: Clock;
  /** YYYY-MM-DD, where the plan is. */
  readonly today: () => string;
  readonly graceDays: number;
  /** Hears that the records could not be asked. */
  readonly onDown: (error: unknown) => void;
  /** Hears of a membership that will end, of whoever signs in. */
  readonly onEnding: (accountId: string, membership: Membership) => Promise<void>;
}

/** Why an account is closed to its own owner, who has just shown a password or a passkey; undefined where it is open. */
export type ClosedTo = (account: Stored<Account>) => Promise<'account-frozen' | 'membership-over' | undefined>;

/**
 * Our support desk or the plan may have frozen it, or the membership has ended. Where the plan's records are down, nobody is
 * kept from a doctor's message for it.
 */
export const closedTo =
  ({ membershipOf, clock, today, graceDays, onDown, onEnding }: AdmissionDependencies): ClosedTo =>
  async ({ id, value: account }) => {
    if (account.frozenAt !== undefined) return 'account-frozen';
    const membership = await membershipOf(account).catch((error) => {
      if (!(error instanceof Unavailable)) throw error;
      onDown(error);
      return undefined;
    });
    if (membership === undefined) return undefined;
    if (membership.standing !== 'active') return 'account-frozen';
    const isLetIn = (account.openUntil ?? 0) > seconds(clock);
    if (hasEnded(membership, today(), graceDays) && !isLetIn) return 'membership-over';
    if (membership.endsOn !== undefined) await onEnding(id, membership);
    return undefined;
  };
