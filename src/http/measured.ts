import type { Middleware } from 'koa';
import type { Measures } from '../core/measures.ts';
import type { PageState } from './context.ts';

/** Measures every request under the name that oidc-provider has for its endpoint; a path could be anything. */
export function measuredRequests({ requestAnswered }: Pick<Measures, 'requestAnswered'>): Middleware<PageState> {
  return async (ctx, next) => {
    const started = performance.now();
    await next();
    // oidc-provider leaves its context here; our types do not know.
    const { oidc } = ctx as { oidc?: { route?: string } };
    requestAnswered(ctx.method, oidc?.route, ctx.status, (performance.now() - started) / 1000);
  };
}
