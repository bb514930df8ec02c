import type { Clock } from '../clock.ts';
import type { Collection } from '../storage/collection.ts';
import { type Schedule, workOff } from '../storage/schedule.ts';
import type { Account } from './account.ts';

/** Changes after which nothing that was open before may stay open, and of which the owner hears. */
export type Replaced = 'password-changed' | 'support-steps-removed';

/** The list of changes that somebody may have to finish. */
const CHANGES = 'changes';
/** Who makes a change has this long for what follows from it. */
const LATER_MS = 30_000;
const AT_ONCE = 20;
const LEASE_MS = 60_000;

export interface AftermathDependencies {
  /** One that lasts. */
  readonly schedule: Schedule;
  readonly clock: Clock;
}

interface Change {
  readonly accountId: string;
  /** The account's `deviceEpoch` before it. */
  readonly epoch: number;
  readonly what: Replaced;
}

/**
 * Puts down, before a change is written, that what follows from it has to be done also where this process dies in between or a
 * store goes away. Returns how to say that it was done.
 */
export async function expectAftermath(
  { schedule, clock }: AftermathDependencies,
  { accountId, epoch, what }: Change,
): Promise<() => Promise<void>> {
  const id = `${accountId}:${epoch}`;
  await schedule.put(CHANGES, id, clock.now() + LATER_MS, { accountId, epoch, what } satisfies Change);
  return () => schedule.remove(CHANGES, id);
}

/** Does what nobody has said is done, for changes that were made. `follow` may be done twice. */
export async function followDue(
  { accounts, schedule }: AftermathDependencies & { readonly accounts: Collection<Account> },
  follow: (id: string, account: Account, what: Replaced) => Promise<void>,
): Promise<void> {
  await workOff(schedule, CHANGES, { most: AT_ONCE, lease: LEASE_MS }, async ({ value }) => {
    const { accountId, epoch, what } = value as Change;
    const account = await accounts.find(accountId);
    if (account !== undefined && account.value.deviceEpoch > epoch) await follow(accountId, account.value, what);
  });
}
