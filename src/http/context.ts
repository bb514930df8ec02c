import type Router from '@koa/router';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Logger } from '../observe/logger.ts';
import type { Locale, Translate } from './words.ts';

/** What the middleware has found out about a request before a page sees it. */
export interface PageState {
  requestId: string;
  /** For `<script nonce>`; new with each answer. */
  nonce: string;
  locale: Locale;
  t: Translate;
  log: Logger;
  /** Work for this request that need not come first; the answer waits for it. */
  beside?: Promise<void>;
  /** The code of a device that a link brought along. */
  userCode?: string;
}

export type PageContext = ParameterizedContext<PageState>;

/** oidc-provider's middleware runs inside ours, so that its context is ours too; its type does not know. */
export const pageContext = (ctx: object): PageContext => ctx as PageContext;

/** A path as oidc-provider's router takes it, which folds case and a slash at the end. */
export const routePath = ({ path }: { readonly path: string }): string => path.toLowerCase().replace(/\/+$/, '');

/**
 * The routes of a feature as middleware. The router adds its own fields to the context that it is given. Requests whose path begins
 * with nothing that it has are not held against each of its routes.
 */
export function mounted(router: Router<PageState>): Middleware<PageState> {
  const routes = router.routes() as unknown as Middleware<PageState>;
  const beginnings = new Set(router.stack.map(({ path }) => beginningOf(String(path))));
  return (ctx, next) => (beginnings.has(beginningOf(ctx.path)) ? routes(ctx, next) : next());
}

/** The first part of a path, as the router compares it. No route of ours begins with a parameter. */
const beginningOf = (path: string): string => path.slice(1).split('/', 1)[0]?.toLowerCase() ?? '';

/** Sends the browser on with a GET (RFC 9110 15.4.4), and keeps no copy of the answer. */
export function seeOther(ctx: PageContext, to: string): void {
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(to);
}
