import type { App } from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/refusal.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import type { PageContext } from './context.ts';
import type { Render } from './render.ts';

/** The status of each refusal. Its words stand under `refusals.<name>` in every language. */
export const REFUSAL_STATUS: Readonly<Record<Refusal, number>> = {
  'credentials-rejected': 401,
  locked: 429,
  'username-missing': 422,
  'password-missing': 422,
  'decision-missing': 422,
  'new-password-missing': 422,
  'password-too-short': 422,
  'password-too-long': 422,
  'password-common': 422,
  'password-personal': 422,
  'password-pattern': 422,
  'password-reused': 422,
  'device-code-missing': 422,
  'device-code-unknown': 404,
  'device-code-used': 410,
  'form-not-ours': 403,
  'form-too-large': 413,
  'form-unreadable': 400,
};

/** Pages for what is nobody's step: a lost request, a broken dependency, a bug. */
export interface ProblemPages {
  expired(ctx: PageContext, app: App | undefined): void;
  notFound(ctx: PageContext): void;
  refused(ctx: PageContext, refusal: Refusal, retryAt: string): void;
  locked(ctx: PageContext, until: number, retryAt: string): void;
  appMistake(ctx: PageContext, detail: { error: string; error_description?: string | undefined }, status: number): void;
  failed(ctx: PageContext, error: unknown): void;
}

const RETRY_AFTER_SECONDS = '10';
const DAY_MS = 24 * 60 * 60 * 1000;

export function problemPages(render: Render, clock: Clock): ProblemPages {
  return {
    expired: (ctx, app) => render(ctx, 'problems/expired', { app }, 410),
    notFound: (ctx) => render(ctx, 'problems/not-found', {}, 404),
    refused: (ctx, refusal, retryAt) => render(ctx, 'problems/refused', { refusal, retryAt }, REFUSAL_STATUS[refusal]),
    locked(ctx, until, retryAt) {
      const wait = Math.max(1, until - clock.now());
      ctx.set('Retry-After', String(Math.ceil(wait / 1000)));
      // Longer than a day means: until somebody does something about it.
      const locals = { retryAt, until, minutes: Math.ceil(wait / 60_000), forGood: wait > DAY_MS };
      render(ctx, 'problems/locked', locals, REFUSAL_STATUS.locked);
    },
    appMistake: (ctx, detail, status) => render(ctx, 'problems/app-mistake', { detail }, status),
    failed(ctx, error) {
      const unavailable = error instanceof Unavailable;
      if (unavailable) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
      ctx.state.log.error(
        { err: error, ...(unavailable ? { dependency: error.dependency } : {}) },
        unavailable ? 'a dependency does not answer' : 'a request failed',
      );
      // A form that could not be taken is asked for again on its own page.
      const page = /^\/interaction\/[\w-]+/.exec(ctx.path)?.[0];
      const retryAt = ctx.method === 'GET' ? ctx.originalUrl : page;
      render(ctx, unavailable ? 'problems/unavailable' : 'problems/failed', { retryAt }, unavailable ? 503 : 500);
    },
  };
}
