import type { App } from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/refusal.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import type { PageContext } from './context.ts';
import type { Render } from './render.ts';

/** The status of each refusal. Its words stand under `refusals.<name>` in every language. */
export const REFUSAL_STATUS: Readonly<Record<Refusal, number>> = {
  'credentials-rejected': 401,
  'reset-demanded': 403,
  'reset-waits': 403,
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
  'name-missing': 422,
  'first-name-missing': 422,
  'last-name-missing': 422,
  'birth-date-missing': 422,
  'birth-date-wrong': 422,
  'postal-code-wrong': 422,
  'too-young': 403,
  'member-number-missing': 422,
  'details-unmatched': 422,
  'details-locked': 429,
  'membership-ended': 403,
  'way-missing': 422,
  'code-malformed': 422,
  'code-wrong': 422,
  'code-expired': 410,
  'code-used': 410,
  'code-locked': 429,
  'clock-wrong': 422,
  'app-code-wrong': 422,
  'app-code-used': 410,
  'passkey-failed': 422,
  'passkey-unknown': 404,
  'recovery-code-malformed': 422,
  'recovery-code-wrong': 422,
  'method-missing': 422,
  'last-second-step': 409,
  'passkey-name-missing': 422,
  'last-contact': 409,
  'too-many-contacts': 409,
  'last-administrator': 409,
  'staff-unknown': 404,
  'client-kind-missing': 422,
  'client-id-malformed': 422,
  'client-id-wrong': 422,
  'client-unknown': 404,
  'client-exists': 409,
  'client-moved-on': 409,
  'client-refused': 422,
  'client-has-no-secret': 409,
  'member-unknown': 404,
  'identifier-missing': 422,
  'too-many-searches': 429,
  'too-many-messages': 429,
  'own-account': 403,
  relative: 403,
  'staff-account': 403,
  'caller-wrong': 422,
  'caller-locked': 429,
  'caller-not-checked': 403,
  'no-contact': 409,
  'no-account': 409,
  'nothing-to-remove': 409,
  'removal-asked': 409,
  'removal-gone': 409,
  'own-request': 403,
  'membership-holds': 409,
  'account-frozen': 403,
  'membership-over': 403,
  'password-wrong': 401,
  'address-wrong': 422,
  'reason-missing': 422,
  'not-sure': 422,
  'sent-before': 409,
  'schedule-malformed': 422,
  'closing-not-understood': 422,
  'username-wrong': 422,
  'codes-not-saved': 422,
  'email-wrong': 422,
  'phone-wrong': 422,
  'contact-missing': 422,
  'terms-not-accepted': 422,
  'username-malformed': 422,
  'username-taken': 409,
  'device-code-missing': 422,
  'device-code-unknown': 404,
  'device-code-used': 410,
  'form-not-ours': 403,
  'form-too-large': 413,
  'form-unreadable': 400,
};

/** What is locked, until when (milliseconds since 1970), and where to go on then. */
interface Lock {
  readonly refusal: Refusal;
  readonly until: number;
  readonly retryAt: string;
  /** Where the same is begun anew, if that helps. */
  readonly startUrl?: string | undefined;
}

/** Pages for what is nobody's step: a lost request, a broken dependency, a bug. */
export interface ProblemPages {
  expired(ctx: PageContext, app: App | undefined): void;
  notFound(ctx: PageContext): void;
  refused(ctx: PageContext, refusal: Refusal, retryAt: string): void;
  locked(ctx: PageContext, lock: Lock): void;
  appMistake(ctx: PageContext, detail: { error: string; error_description?: string | undefined }, status: number): void;
  failed(ctx: PageContext, error: unknown): void;
}

/** Dependencies without which only a part does not work. */
const VIEWS: Readonly<Record<string, string>> = { membership: 'problems/membership-down' };

export const RETRY_AFTER_SECONDS = '10';
const DAY_MS = 24 * 60 * 60 * 1000;

export function problemPages(render: Render, clock: Clock): ProblemPages {
  return {
    expired: (ctx, app) => render(ctx, 'problems/expired', { app }, 410),
    notFound: (ctx) => render(ctx, 'problems/not-found', {}, 404),
    refused: (ctx, refusal, retryAt) => render(ctx, 'problems/refused', { refusal, retryAt }, REFUSAL_STATUS[refusal]),
    locked(ctx, { refusal, until, retryAt, startUrl }) {
      const wait = Math.max(1, until - clock.now());
      ctx.set('Retry-After', String(Math.ceil(wait / 1000)));
      // A password that is refused for longer than a day is so until somebody does something about it.
      const forGood = refusal === 'locked' && wait > DAY_MS;
      const lasting = { until, minutes: Math.ceil(wait / 60_000), forGood };
      const from = /^\/interaction\/([\w-]+)$/.exec(retryAt)?.[1];
      const locals = {
        ...{ what: refusal, retryAt, startUrl, heading: `problems.locked.titles.${refusal}` },
        errandQuery: from === undefined ? '' : `?from=${from}&ui_locales=${ctx.state.locale}`,
      };
      render(ctx, 'problems/locked', { ...locals, ...lasting }, REFUSAL_STATUS[refusal]);
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
      const page = /^\/(interaction|journey)\/[\w-]+/.exec(ctx.path)?.[0];
      const retryAt = ctx.method === 'GET' ? ctx.originalUrl : page;
      const view = unavailable ? (VIEWS[error.dependency] ?? 'problems/unavailable') : 'problems/failed';
      render(ctx, view, { retryAt }, unavailable ? 503 : 500);
    },
  };
}
