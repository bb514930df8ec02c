import { may } from '../../core/staff/roles.ts';
import type { AdminPage } from './door.ts';

const PAGES = [
  ['clients', 'clients.read'],
  ['staff', 'staff.read'],
  ['keys', 'keys.read'],
  ['audit', 'audit.read'],
] as const;

/** What there is to do here, for these roles. */
export const overviewPage = (): AdminPage => ({
  path: '',
  view: 'admin/overview',
  show: async ({ account, roles }) => ({
    name: account.value.firstName,
    roles,
    pages: PAGES.filter(([, action]) => may(roles, action)).map(([page]) => page),
  }),
});
