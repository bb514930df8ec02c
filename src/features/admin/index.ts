/**
 * The console of the plan's staff, under `/admin`: they sign in as members do, always with two steps, and see and do what
 * their roles are for (`src/core/staff/roles.ts`). Every page is an `StaffPage`.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageState } from '../../http/context.ts';
import { mountPage, type PageDependencies } from '../../http/page.ts';
import { type DoorDependencies, staffDoor } from '../../http/staffDoor.ts';
import { type AuditDependencies, auditPage } from './audit.ts';
import { type ClientsDependencies, clientPage, clientsPage, editClientPage, newClientPage } from './clients.ts';
import { DONE } from './done.ts';
import { type KeysDependencies, keysPage } from './keys.ts';
import { lookPage } from './look.ts';
import { overviewPage } from './overview.ts';
import { type StaffDependencies, staffPage } from './staff.ts';
import { mountTestSignIn, type TestDependencies } from './testSignIn.ts';

type AdminDependencies = Pick<PageDependencies, 'guard' | 'render' | 'problems' | 'audit' | 'firstTime'> &
  DoorDependencies &
  ClientsDependencies &
  KeysDependencies &
  StaffDependencies &
  AuditDependencies &
  Omit<TestDependencies, 'enter'>;

export function adminRoutes(deps: AdminDependencies): Middleware<PageState> {
  const router = new Router<PageState>();
  const { guard, render, problems, audit } = deps;
  const enter = staffDoor(deps);
  const { firstTime } = deps;
  const forPages = {
    root: '/admin',
    done: DONE,
    enter,
    guard,
    render,
    problems,
    audit,
    actor: 'staff' as const,
    firstTime,
  };
  const pages = [
    overviewPage(),
    clientsPage(deps),
    newClientPage(deps),
    clientPage(deps),
    editClientPage(deps),
    lookPage(deps),
    staffPage(deps),
    keysPage(deps),
    auditPage(deps),
  ];
  mountTestSignIn(router, { ...deps, enter });
  for (const page of pages) mountPage(router, forPages, page);
  return mounted(router);
}
