import type { App } from '../core/client/client.ts';
import type { Refusal } from '../core/refusal.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import type { PageContext } from './context.ts';
import type { Render } from './render.ts';

/** The status of each refusal. Its words stand under `refusals.<name>` in every language. */
export const REFUSAL_STATUS: Readonly<Record<Refusal, number>> = {
  'credentials-rejected': 401,
  'username-missing': 422,
  'password-missing': 422,
  'decision-missing': 422,
  'form-not-ours': 403,
  'form-too-large': 413,
  'form-unreadable': 400,
};

/** Pages for what is nobody's step: a lost request, a broken dependency, a bug. */
export interface ProblemPages {
  expired(ctx: PageContext, app: App | undefined): void;
  notFound(ctx: PageContext): void;
  refused(ctx: PageContext, refusal: Refusal, retryAt: string): void;
  appMistake(ctx: PageContext, detail: { error: string; error_description?: string | undefined }, status: number): void;
  failed(ctx: PageContext, error: unknown): void;
}

const RETRY_AFTER_SECONDS = '10';

export function problemPages(render: Render): ProblemPages {
  return {
    expired: (ctx, app) => render(ctx, 'problems/expired', { app }, 410),
    notFound: (ctx) => render(ctx, 'problems/not-found', {}, 404),
    refused: (ctx, refusal, retryAt) => render(ctx, 'problems/refused', { refusal, retryAt }, REFUSAL_STATUS[refusal]),
    appMistake: (ctx, detail, status) => render(ctx, 'problems/app-mistake', { detail }, status),
    failed(ctx, error) {
      const unavailable = error instanceof Unavailable;
      if (unavailable) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
      ctx.state.log.error(
        { err: error, ...(unavailable ? { dependency: error.dependency } : {}) },
        unavailable ? 'a dependency does not answer' : 'a request failed',
      );
      const retryAt = ctx.method === 'GET' ? ctx.originalUrl : undefined;
      render(ctx, unavailable ? 'problems/unavailable' : 'problems/failed', { retryAt }, unavailable ? 503 : 500);
    },
  };
}
