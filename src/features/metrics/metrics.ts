import type { Middleware } from 'koa';
import { sameText } from '../../core/sameText.ts';
import type { PageState } from '../../http/context.ts';

/** Who may read the metrics: everybody, nobody, or who holds one of these tokens. */
type MetricsAccess = 'open' | 'closed' | readonly string[];

/** `GET /metrics`, for Prometheus: `Authorization: Bearer <token>` (RFC 6750 2.1). Closed, it is not there at all. */
export function metricsRoute(access: MetricsAccess, read: () => Promise<string>): Middleware<PageState> {
  const allowed = (header: string): boolean => {
    const given = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
    return typeof access === 'string' || access.some((token) => sameText(given, token));
  };
  return async (ctx, next) => {
    if (access === 'closed' || ctx.path !== '/metrics' || ctx.method !== 'GET') return next();
    ctx.set('Cache-Control', 'no-store');
    if (!allowed(ctx.get('Authorization'))) {
      ctx.status = 401;
      ctx.set('WWW-Authenticate', 'Bearer');
      ctx.body = 'The metrics need a bearer token.\n';
      return;
    }
    // The version of Prometheus's text format that the figures are written in.
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = await read();
  };
}
