import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientDirectory, describeApp, findMetadata } from '../../core/client/client.ts';
import type { Refusal } from '../../core/refusal.ts';
import { type PageState, pageContext, routePath, seeOther } from '../../http/context.ts';
import { allowFormsTo } from '../../http/headers.ts';
import type { NetworkGuard } from '../../http/lockout.ts';
import { type ProblemPages, REFUSAL_STATUS } from '../../http/problems.ts';
import type { Render } from '../../http/render.ts';

export interface DeviceDependencies {
  readonly clients: ClientDirectory;
  readonly render: Render;
  readonly issuer: string;
}

/** What oidc-provider says about a code, by the name of its error. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  NoCodeError: 'device-code-missing',
  NotFoundError: 'device-code-unknown',
  ExpiredError: 'device-code-unknown',
  AlreadyUsedError: 'device-code-used',
};

/** Signing in on a television or another device without a keyboard (RFC 8628), as seen on the member's phone. */
export function devicePages({ clients, render, issuer }: DeviceDependencies) {
  const show = (ctx: KoaContextWithOIDC, view: string, locals: object, status?: number) => {
    allowFormsTo(pageContext(ctx), []);
    render(pageContext(ctx), view, locals, status);
  };

  return {
    async deviceCode(ctx: KoaContextWithOIDC, formToken: string, error: Error | undefined): Promise<void> {
      if (error?.name === 'AbortedError') return show(ctx, 'device/stopped', {});
      const refusal = error && REFUSALS[error.name];
      if (error !== undefined && refusal === undefined) return beginAnew(ctx);
      const userCode = pageContext(ctx).state.userCode ?? String(ctx.oidc.params?.user_code ?? '');
      const status = refusal === undefined ? 200 : REFUSAL_STATUS[refusal];
      show(ctx, 'device/code', { formToken, refusal, field: 'user-code', userCode }, status);
    },

    async confirmDevice(ctx: KoaContextWithOIDC, formToken: string, clientId: string, userCode: string): Promise<void> {
      const metadata = await findMetadata(clients, clientId);
      show(ctx, 'device/confirm', { formToken, userCode, app: metadata && describeApp(metadata, issuer) });
    },

    async deviceDone(ctx: KoaContextWithOIDC): Promise<void> {
      const metadata = await findMetadata(clients, ctx.oidc.client?.clientId);
      show(ctx, 'device/done', { app: metadata && describeApp(metadata, issuer) });
    },
  };
}

/** The form was not of this browser's session, or that is gone: a fresh one, and nothing of the old is kept. */
function beginAnew(ctx: KoaContextWithOIDC): void {
  // oidc-provider would save a session that was never stored, and fail.
  if (ctx.oidc.session !== undefined) Object.assign(ctx.oidc.session, { touched: false });
  seeOther(pageContext(ctx), '/device');
}

/**
 * In front of oidc-provider's own route: a link with the code in it fills in the form, and sends nothing by itself
 * (RFC 8628 3.3.1); a network that guesses codes has to wait (5.1).
 */
export function deviceGuard(guard: NetworkGuard, problems: ProblemPages): Middleware<PageState> {
  return async (ctx, next) => {
    if (routePath(ctx) !== '/device') return next();
    if (ctx.query.user_code !== undefined) {
      ctx.state.userCode = String([ctx.query.user_code].flat()[0]).slice(0, 20);
      ctx.query = {};
    }
    if (ctx.method !== 'POST') return next();
    const page = pageContext(ctx);
    const until = await guard(page, async () => {
      await next();
      return ctx.status !== REFUSAL_STATUS['device-code-unknown'];
    });
    if (until !== undefined) problems.locked(page, { refusal: 'locked', until, retryAt: '/device' });
  };
}
