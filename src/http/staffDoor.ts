import { type Action, may, type Role } from '../core/staff/roles.ts';
import { rolesOf, type Staff } from '../core/staff/staff.ts';
import type { Collection } from '../core/storage/collection.ts';
import type { PageContext } from './context.ts';
import type { Page } from './page.ts';
import type { Render } from './render.ts';
import type { SignedIn, Visit } from './signedIn.ts';

/** One of the staff at the console. */
export interface StaffVisit extends Visit {
  readonly roles: readonly Role[];
}

/** A page for staff: of the console, or of the support desk. */
export type StaffPage = Page<StaffVisit, Action>;

export interface DoorDependencies {
  readonly signedIn: SignedIn;
  readonly staff: Collection<Staff>;
  readonly render: Render;
}

/** Lets staff in, with two steps always, each to what their roles are for. The roles are read at every request. */
export const staffDoor =
  ({ signedIn, staff, render }: DoorDependencies) =>
  async (
    ctx: PageContext,
    entry: { readonly fresh: boolean; readonly to?: string; readonly may: Action | undefined },
  ): Promise<StaffVisit | undefined> => {
    const { fresh, to = ctx.path } = entry;
    const visit = await signedIn.enter(ctx, { fresh, to, level: 2 });
    if (visit === undefined) return undefined;
    const roles = await rolesOf(staff, visit.account.id);
    if (roles.length > 0 && (entry.may === undefined || may(roles, entry.may))) return { ...visit, roles };
    ctx.state.log.warn({ event: 'console-refused', accountId: visit.account.id, may: entry.may }, 'console');
    render(ctx, 'admin/forbidden', { username: visit.account.value.username }, 403);
    return undefined;
  };
