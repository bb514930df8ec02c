import type { Middleware } from 'koa';
import type { Stores } from '../../core/storage/stores.ts';
import { type PageState, pageContext } from '../../http/context.ts';
import type { Render } from '../../http/render.ts';

/** `GET /status`: in words, whether members can sign in right now. Answers also when nothing behind it does. */
export function statusRoute(stores: Pick<Stores, 'accounts' | 'expiring'>, render: Render): Middleware<PageState> {
  return async (ctx, next) => {
    if (ctx.path !== '/status' || ctx.method !== 'GET') return next();
    const asked = await Promise.allSettled([stores.accounts.find('status'), stores.expiring.get('status')]);
    const signIn = asked.every(({ status }) => status === 'fulfilled');
    render(pageContext(ctx), 'status/status', { signIn }, signIn ? 200 : 503);
  };
}
