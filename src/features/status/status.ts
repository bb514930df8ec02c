import type { Middleware } from 'koa';
import { type PageState, pageContext } from '../../http/context.ts';
import type { Render } from '../../http/render.ts';
import type { AskDependencies } from './dependencies.ts';

export interface StatusDependencies {
  readonly ask: AskDependencies;
  /** Whether what was last sent was taken. */
  readonly messages: () => boolean;
  /** Whether memberships can be looked up. */
  readonly membership: () => boolean;
  readonly render: Render;
}

/**
 * `GET /status`: in words, whether sign-in, messages and membership checks work right now; 503 where members cannot sign
 * in. Answers also when nothing behind it does.
 */
export function statusRoute({ ask, messages, membership, render }: StatusDependencies): Middleware<PageState> {
  return async (ctx, next) => {
    if (ctx.path !== '/status' || ctx.method !== 'GET') return next();
    const signIn = (await ask()).every(({ up }) => up);
    const works = { 'sign-in': signIn, messages: messages(), membership: membership() };
    render(pageContext(ctx), 'status/status', { works }, signIn ? 200 : 503);
  };
}
