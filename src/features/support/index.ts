/**
 * The support desk, under `/support`, for who answers the phone. An agent searches by an exact name, number or case and says
 * why; types what the caller says about themself; and only then sees the member and can help. What opens an account goes to a
 * contact on file, or by letter to the address that the plan knows; an agent never sees or sets a password or a code (ASVS 5.0
 * 6.4.6). Each page and each form is on record, and the member hears of it.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { mounted, type PageState } from '../../http/context.ts';
import { mountPage, type PageDependencies } from '../../http/page.ts';
import { type DoorDependencies, staffDoor } from '../../http/staffDoor.ts';
import type { DeskDependencies } from './desk.ts';
import { DONE } from './done.ts';
import { filePage } from './file.ts';
import { removalPage } from './removal.ts';
import { searchPage } from './search.ts';

export function supportRoutes(
  deps: Pick<PageDependencies, 'guard' | 'render' | 'problems'> & DoorDependencies & DeskDependencies,
): Middleware<PageState> {
  const router = new Router<PageState>();
  const { guard, render, problems, audit } = deps;
  const forPages = {
    ...{ root: '/support', done: DONE, enter: staffDoor(deps), guard, render, problems, audit },
    actor: 'staff' as const,
  };
  for (const page of [searchPage(deps), filePage(deps), removalPage(deps)]) mountPage(router, forPages, page);
  return mounted(router);
}
