import { type Outcome, proven, refused } from '../refusal.ts';
import { type Collection, change } from '../storage/collection.ts';
import { ROLES, type Role } from './roles.ts';

/** One of the plan's staff. */
export interface StaffMember {
  readonly accountId: string;
  readonly roles: readonly Role[];
  /** Seconds since 1970. */
  readonly since: number;
  /** Who gave the roles: the id of an account, or the command line. */
  readonly by: string;
}

/** All of them in one document, so that what holds for all of them together is settled by one write. */
export interface Staff {
  readonly members: readonly StaffMember[];
}

const ALL = 'staff';

export const everyStaffMember = async (staff: Collection<Staff>): Promise<readonly StaffMember[]> =>
  (await staff.find(ALL))?.value.members ?? [];

/** The roles of an account; none for a member who is no staff. */
export const rolesOf = async (staff: Collection<Staff>, accountId: string): Promise<readonly Role[]> =>
  (await everyStaffMember(staff)).find((one) => one.accountId === accountId)?.roles ?? [];

const hasAdministrator = ({ members }: Staff): boolean => members.some(({ roles }) => roles.includes('administrator'));

/**
 * Gives an account these roles, and takes the others away. Where there is an administrator, one at least stays. Answers with the
 * roles of before.
 */
export async function setRoles(
  staff: Collection<Staff>,
  accountId: string,
  wanted: readonly Role[],
  { by, at }: { readonly by: string; readonly at: number },
): Promise<Outcome<readonly Role[]>> {
  const roles = ROLES.filter((role) => wanted.includes(role));
  const member = roles.length === 0 ? [] : [{ accountId, roles, since: at, by }];
  if ((await staff.find(ALL)) === undefined) await staff.insert(ALL, { members: [] });
  let before: readonly Role[] = [];
  let isLast = false;
  await change(staff, ALL, (now) => {
    before = now.members.find((one) => one.accountId === accountId)?.roles ?? [];
    const changed = { members: [...now.members.filter((one) => one.accountId !== accountId), ...member] };
    isLast = hasAdministrator(now) && !hasAdministrator(changed);
    return isLast ? undefined : changed;
  });
  return isLast ? refused('last-administrator') : proven(before);
}
