import { type Clock, seconds } from '../clock.ts';
import type { Collection } from '../storage/collection.ts';
import { change } from '../storage/collection.ts';
import { type Schedule, workOff } from '../storage/schedule.ts';
import type { Account } from './account.ts';

/** Days in which the owner can take it back. */
export const CLOSING_DAYS = 14;
const DAY = 86_400;

/** The list of accounts by the time at which they are closed; it lasts as long as the accounts. */
const CLOSINGS = 'closings';
const AT_ONCE = 20;
const LEASE_MS = 60_000;

export interface ClosingDependencies {
  readonly accounts: Collection<Account>;
  /** One that lasts. */
  readonly schedule: Schedule;
  readonly clock: Clock;
}

/** Puts down that an account is to be closed. Returns when, in seconds since 1970, with the account as it is then. */
export async function askToClose(
  { accounts, schedule, clock }: ClosingDependencies,
  id: string,
): Promise<Account | undefined> {
  const closesAt = seconds(clock) + CLOSING_DAYS * DAY;
  // The list first: what stands there without a mark on the account closes nothing.
  await schedule.put(CLOSINGS, id, closesAt * 1_000, {});
  return change(accounts, id, (now) => ({ ...now, closesAt, updatedAt: seconds(clock) }));
}

/** The owner keeps it. Returns the account as it is then; undefined where it was not to be closed. */
export async function keepOpen({ accounts, clock }: ClosingDependencies, id: string): Promise<Account | undefined> {
  let kept = false;
  const account = await change(accounts, id, ({ closesAt, ...now }) => {
    kept = closesAt !== undefined;
    return kept ? { ...now, updatedAt: seconds(clock) } : undefined;
  });
  return kept ? account : undefined;
}

/**
 * Closes the accounts whose time has come. `before` ends what hangs on one, and may be done twice; then it is gone with all that it
 * held for itself, and its id is never used again.
 */
export async function closeDue(
  { accounts, schedule, clock }: ClosingDependencies,
  before: (id: string, account: Account) => Promise<void>,
): Promise<void> {
  await workOff(schedule, CLOSINGS, { most: AT_ONCE, lease: LEASE_MS }, async ({ id }) => {
    const account = await accounts.find(id);
    if (account?.value.closesAt === undefined || account.value.closesAt > seconds(clock)) return;
    await before(id, account.value);
    // It may have changed this very moment.
    if (!(await accounts.remove(id, account.version))) await schedule.put(CLOSINGS, id, clock.now() + LEASE_MS, {});
  });
}
