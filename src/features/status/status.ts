import type { Middleware } from 'koa';
import { type PageState, pageContext } from '../../http/context.ts';
import type { Render } from '../../http/render.ts';
import type { AskDependencies } from './dependencies.ts';

/** `GET /status`: in words, whether members can sign in right now. Answers also when nothing behind it does. */
export function statusRoute(ask: AskDependencies, render: Render): Middleware<PageState> {
  return async (ctx, next) => {
    if (ctx.path !== '/status' || ctx.method !== 'GET') return next();
    const signIn = (await ask()).every(({ up }) => up);
    render(pageContext(ctx), 'status/status', { signIn }, signIn ? 200 : 503);
  };
}
