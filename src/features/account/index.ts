/**
 * What a member sees and changes about their own account, signed in. Every page is an `AccountPage`: what it shows, and what
 * its forms do. What takes several steps begins under `/account/change` and goes through the pipeline as an errand.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { OWN_CALLBACK } from '../../core/client/ownClient.ts';
import { mounted, type PageState, pageContext, seeOther } from '../../http/context.ts';
import { mountPage, type PageDependencies } from '../../http/page.ts';
import type { SignedIn } from '../../http/signedIn.ts';
import { type ActivityDependencies, activityPage } from './activity.ts';
import { type AppsDependencies, appsPage } from './apps.ts';
import { type ContactsDependencies, contactPage, contactsPage } from './contacts.ts';
import { type DataDependencies, dataPage, mountDownload } from './data.ts';
import { type OverviewDependencies, overviewPage } from './overview.ts';
import { DONE } from './page.ts';
import { type ProfileDependencies, profilePage } from './profile.ts';
import { passkeyPage, type SecurityDependencies, secondStepPage, securityPage } from './security.ts';
import { type SessionsDependencies, sessionsPage } from './sessions.ts';

type AccountDependencies = Pick<PageDependencies, 'guard' | 'render' | 'problems' | 'audit'> & {
  readonly signedIn: SignedIn;
} & ContactsDependencies &
  SecurityDependencies &
  SessionsDependencies &
  AppsDependencies &
  ActivityDependencies &
  DataDependencies &
  OverviewDependencies &
  ProfileDependencies;

export function accountRoutes(deps: AccountDependencies): Middleware<PageState> {
  const router = new Router<PageState>();
  router.get(OWN_CALLBACK, async (context) => {
    const ctx = pageContext(context);
    seeOther(ctx, (await deps.signedIn.arrive(ctx)) ?? '/account/not-signed-in');
  });
  // Nobody signed in after all; a page with one button that tries again.
  router.get('/account/not-signed-in', (ctx) => deps.render(pageContext(ctx), 'account/not-signed-in'));
  // Where password managers lead (W3C, A Well-Known URL for Changing Passwords).
  router.get('/.well-known/change-password', (ctx) => seeOther(pageContext(ctx), '/account/change/password'));
  const pages = [
    overviewPage(deps),
    profilePage(deps),
    contactsPage(),
    contactPage(deps),
    securityPage(deps),
    secondStepPage(deps, 'totp'),
    secondStepPage(deps, 'text'),
    passkeyPage(deps),
    sessionsPage(deps),
    appsPage(deps),
    activityPage(deps),
    dataPage(),
  ];
  mountDownload(router, deps);
  const forPages = { ...deps, root: '/account', done: DONE, enter: deps.signedIn.enter, actor: 'member' as const };
  for (const page of pages) mountPage(router, forPages, page);
  return mounted(router);
}
