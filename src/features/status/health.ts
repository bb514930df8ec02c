import type { Middleware } from 'koa';
import type { PageState } from '../../http/context.ts';
import type { AskDependencies } from './dependencies.ts';

/**
 * For the machines that watch this process. `GET /health/live`: it serves; when it does not, start it anew.
 * `GET /health/ready`: 200 when requests may be sent here, and 503 with the reason when a dependency is down or the
 * process is on its way out: `{ status, dependencies: { mongodb: { status, milliseconds }, … } }`.
 */
export function healthRoutes(ask: AskDependencies, isDraining: () => boolean): Middleware<PageState> {
  return async (ctx, next) => {
    const asked = ctx.method === 'GET' || ctx.method === 'HEAD' ? ctx.path : undefined;
    if (asked !== '/health/live' && asked !== '/health/ready') return next();
    ctx.set('Cache-Control', 'no-store');
    if (asked === '/health/live') {
      ctx.body = { status: 'live' };
      return;
    }
    const states = await ask();
    const status = isDraining() ? 'draining' : states.every(({ up }) => up) ? 'ready' : 'unavailable';
    ctx.status = status === 'ready' ? 200 : 503;
    ctx.body = {
      status,
      dependencies: Object.fromEntries(
        states.map(({ name, up, milliseconds }) => [name, { status: up ? 'up' : 'down', milliseconds }]),
      ),
    };
  };
}
