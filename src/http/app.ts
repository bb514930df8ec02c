import Koa, { type Middleware } from 'koa';
import type { Clock } from '../core/clock.ts';
import type { Measures } from '../core/measures.ts';
import type { Logger } from '../observe/logger.ts';
import type { Assets } from './assets.ts';
import type { PageState } from './context.ts';
import { securityHeaders } from './headers.ts';
import { locale } from './locale.ts';
import { measuredRequests } from './measured.ts';
import { type ProblemPages, RETRY_AFTER_SECONDS } from './problems.ts';
import { RequestState } from './requestState.ts';

export interface AppParts {
  readonly issuer: string;
  readonly cookieKeys: readonly string[];
  readonly log: Logger;
  readonly clock: Clock;
  readonly assets: Assets;
  readonly problems: ProblemPages;
  readonly measures: Pick<Measures, 'requestAnswered'>;
  /** Our pages, in order, then the protocol endpoints. */
  readonly routes: readonly Middleware<PageState>[];
}

/** The middleware list, top to bottom. */
export function makeApp(parts: AppParts): Koa<PageState> {
  const { protocol } = new URL(parts.issuer);
  const app = new Koa<PageState>();
  app.keys = [...parts.cookieKeys];
  // What no answer can be given to: a connection that broke, a request that was none.
  app.on('error', (error: Error) => parts.log.warn({ err: error }, 'connection failed'));
  app.use(measuredRequests(parts.measures));
  app.use(requestLog(parts.log, parts.clock));
  app.use(securityHeaders(protocol === 'https:'));
  app.use(parts.assets.serve);
  app.use(locale(protocol === 'https:'));
  app.use(async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined && ctx.accepts('json', 'html') === 'html') {
        parts.problems.notFound(ctx);
      }
      // Also what oidc-provider answers a program by itself.
      if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
    } catch (error) {
      parts.problems.failed(ctx, error);
    }
  });
  for (const route of parts.routes) app.use(route);
  return app;
}

/** Makes an app build every address from the issuer, never from the Host or X-Forwarded-* headers of a request. */
export function pinToIssuer(app: Koa, issuer: string): void {
  const { host, protocol } = new URL(issuer);
  Object.defineProperties(app.request, {
    host: { get: () => host },
    protocol: { get: () => protocol.slice(0, -1) },
  });
}

/** Ids of journeys and the like are half of what opens them; the other half is the cookie's signature. */
const withoutIds = (path: string): string => path.replace(/[\w-]{20,}/g, ':id');

/** One line for each request: which, how it ended, how long it took. Never a query, a body or a cookie. */
function requestLog(log: Logger, clock: Clock): Middleware<PageState> {
  return async (ctx, next) => {
    const started = clock.now();
    const state = new RequestState(ctx, log);
    ctx.state = state;
    const { requestId } = state;
    ctx.set('X-Request-Id', requestId);
    await next();
    // What watches us asks every few seconds, and would drown the rest.
    const level = ctx.path.startsWith('/health/') || ctx.path === '/metrics' ? 'debug' : 'info';
    const { method, status } = ctx;
    log[level]({ requestId, method, path: withoutIds(ctx.path), status, ms: clock.now() - started }, 'request');
  };
}
