import type { Middleware } from 'koa';
import { type PageState, pageContext } from '../../http/context.ts';
import type { Render } from '../../http/render.ts';

interface Entry {
  readonly channel: string;
  readonly to: string;
  readonly subject: string | null;
  readonly text: string;
  readonly at: string;
}

/** `GET /dev/inbox`: every message that was sent, the newest first; for people, and as JSON for programs. Never in production. */
export function inboxRoute(list: () => Promise<readonly Entry[]>, render: Render): Middleware<PageState> {
  return async (ctx, next) => {
    if (ctx.path !== '/dev/inbox' || ctx.method !== 'GET') return next();
    const messages = await list();
    ctx.set('Cache-Control', 'no-store');
    if (ctx.accepts('html', 'json') === 'json') ctx.body = messages;
    else render(pageContext(ctx), 'inbox/inbox', { messages });
  };
}
