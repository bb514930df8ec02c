import { may } from '../../core/staff/roles.ts';
import type { StaffPage } from '../../http/staffDoor.ts';

const PAGES = [
  ['clients', 'clients.read'],
  ['staff', 'staff.read'],
  ['keys', 'keys.read'],
  ['audit', 'audit.read'],
  ['support', 'members.read'],
] as const;

/** What there is to do here, for these roles. */
export const overviewPage = (): StaffPage => ({
  path: '',
  view: 'admin/overview',
  show: async ({ account, roles }) => ({
    name: account.value.firstName,
    roles,
    pages: PAGES.filter(([, action]) => may(roles, action)).map(([page]) => page),
  }),
});
