import { type Account, memberClaim } from '../account/account.ts';
import type { ClosedTo } from '../account/admission.ts';
import type { Clock } from '../clock.ts';
import type { Collection } from '../storage/collection.ts';
import { type Schedule, workOff } from '../storage/schedule.ts';
import type { Membership } from './membership.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Accounts whose membership ends, by the time when that is looked at. */
const LIST = 'membership-endings';
const AT_ONCE = 100;

export interface EndingDependencies {
  readonly accounts: Collection<Account>;
  readonly schedule: Schedule;
  readonly clock: Clock;
}

type Ends = Pick<Membership, 'standing' | 'endsOn'>;

/** Milliseconds since 1970; undefined for a membership that goes on. The day may end half a day later where the plan is. */
function timeOf({ standing, endsOn }: Ends, now: number): number | undefined {
  // The import that says so is still to be written.
  if (standing !== 'active') return now + MINUTE_MS;
  return endsOn === undefined ? undefined : lookedAt(endsOn, now + MINUTE_MS);
}

/** When to look at an account whose membership ends on this day (YYYY-MM-DD); not before `earliest`. */
const lookedAt = (endsOn: string, earliest: number): number =>
  Math.max(earliest, Date.parse(`${endsOn}T00:00:00Z`) + 1.5 * DAY_MS);

/** Looks at an account again when its membership ends. */
export async function planEnding(
  { schedule, clock }: Pick<EndingDependencies, 'schedule' | 'clock'>,
  accountId: string,
  membership: Ends,
): Promise<void> {
  const at = timeOf(membership, clock.now());
  if (at !== undefined) await schedule.put(LIST, accountId, at, {});
}

/** The same for what an import changes: of whoever has an account. */
export const planEndingOf =
  (deps: EndingDependencies) =>
  async (membership: Membership): Promise<void> => {
    if (timeOf(membership, 0) === undefined) return;
    const holder = await deps.accounts.findByClaim(memberClaim(membership.memberNumber));
    if (holder !== undefined) await planEnding(deps, holder.id, membership);
  };

/**
 * Ends all that is open of an account whose membership has ended by now, or was frozen. What is still in its days of grace is looked
 * at again tomorrow.
 */
export async function endDue(
  { accounts, schedule, clock }: EndingDependencies,
  closedTo: ClosedTo,
  membershipOf: (account: Account) => Promise<Membership | undefined>,
  end: (accountId: string) => Promise<void>,
): Promise<void> {
  await workOff(schedule, LIST, { most: AT_ONCE, lease: MINUTE_MS }, async ({ id }) => {
    const account = await accounts.find(id);
    if (account === undefined) return;
    if ((await closedTo(account)) !== undefined) return end(id);
    const { standing = 'active', endsOn } = (await membershipOf(account.value)) ?? {};
    if (standing === 'active' && endsOn !== undefined)
      await schedule.put(LIST, id, lookedAt(endsOn, clock.now() + DAY_MS), {});
  });
}
