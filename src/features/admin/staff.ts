import { type Account, findBySignInName } from '../../core/account/account.ts';
import type { Audit } from '../../core/audit/event.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { proven, refused } from '../../core/refusal.ts';
import { may, ROLES } from '../../core/staff/roles.ts';
import { everyStaffMember, type Staff, setRoles } from '../../core/staff/staff.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffPage } from '../../http/staffDoor.ts';
import { doneAt } from './done.ts';

export interface StaffDependencies {
  readonly accounts: Collection<Account>;
  readonly staff: Collection<Staff>;
  readonly clock: Clock;
  readonly audit: Audit;
}

const PATH = '/staff';

/** Who of the staff may do what. */
export const staffPage = ({ accounts, staff, clock, audit }: StaffDependencies): StaffPage => ({
  path: PATH,
  view: 'admin/staff',
  may: 'staff.read',
  async show({ roles }, __, typed) {
    const members = (await everyStaffMember(staff)).map(async ({ accountId, roles: theirs, since }) => ({
      ...{ accountId, roles: theirs, since, username: (await accounts.find(accountId))?.value.username ?? accountId },
    }));
    return {
      members: await Promise.all(members),
      mayChange: may(roles, 'staff.change'),
      all: ROLES,
      typed: typed?.get('username') ?? '',
      chosen: ROLES.filter((role) => typed?.has(`role-${role}`)),
    };
  },
  actions: {
    set: {
      fresh: true,
      may: 'staff.change',
      async run(form, { account: { id: by } }) {
        const account = await findBySignInName(accounts, form.get('username') ?? '');
        if (account === undefined) return refused('staff-unknown');
        const roles = ROLES.filter((role) => form.has(`role-${role}`));
        const outcome = await setRoles(staff, account.id, roles, { by, at: seconds(clock) });
        if (!outcome.ok) return outcome;
        await audit.record({
          ...{ action: 'roles-set', actor: { kind: 'staff', id: by }, subject: { kind: 'account', id: account.id } },
          ...{ reason: reasonIn(form), detail: { roles: roles.join(' ') } },
        });
        return proven(doneAt(`/admin${PATH}`, 'roles-set'));
      },
      fieldOf: () => 'username',
    },
  },
});
