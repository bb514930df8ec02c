import type { Middleware } from 'koa';
import type { Clock } from '../../core/clock.ts';
import type { Plan } from '../../core/plan.ts';
import type { PageState } from '../../http/context.ts';
import { LOCALES } from '../../http/words.ts';

/** The one address where who has found a hole looks first (RFC 9116 3). */
const PATH = '/.well-known/security.txt';

const DAY = 86_400_000;
/** The standard wants less than a year. Who read it longer ago than this asks again. */
const GOOD_FOR_DAYS = 90;

/**
 * `GET /.well-known/security.txt`: whom to tell of a hole, from the plan's file (RFC 9116). What is served comes from the settings of a
 * process that runs, so that it expires a while after each answer, counted from midnight. Not there where the plan names nobody.
 */
export function securityTxtRoute(
  { security }: Pick<Plan, 'security'>,
  issuer: string,
  clock: Clock,
): Middleware<PageState> {
  return async (ctx, next) => {
    if (security === undefined || ctx.path !== PATH || !['GET', 'HEAD'].includes(ctx.method)) return next();
    const expires = new Date(Math.floor(clock.now() / DAY) * DAY + GOOD_FOR_DAYS * DAY);
    const fields = [
      ...security.contact.map((address) => ['Contact', address]),
      ['Expires', expires.toISOString().replace('.000', '')],
      ['Canonical', issuer + PATH],
      ['Preferred-Languages', LOCALES.join(', ')],
      ...(security.policy === undefined ? [] : [['Policy', security.policy]]),
    ];
    ctx.set('Cache-Control', 'public, max-age=86400');
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = fields.map(([name, value]) => `${name}: ${value}\n`).join('');
  };
}
