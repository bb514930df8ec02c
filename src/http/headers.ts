import type { Middleware } from 'koa';
import type { PageContext, PageState } from './context.ts';

/**
 * Security headers on every answer (OWASP ASVS 5.0, 3.4). No Cross-Origin-Opener-Policy: it would cut off apps that sign
 * in through a popup. `form-action` is added by the pages that have a form, because browsers apply it to the whole
 * redirect chain after the form, which ends at the app.
 */
export function securityHeaders(https: boolean): Middleware<PageState> {
  return (ctx, next) => {
    ctx.set(headersFor(ctx.state.nonce, https));
    return next();
  };
}

/** The security headers of an answer whose scripts have this nonce. */
export const headersFor = (nonce: string, https: boolean): Record<string, string> => ({
  'Content-Security-Policy': `default-src 'none'; script-src 'nonce-${nonce}'; ${REST_OF_POLICY}`,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  ...(https ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
});

const REST_OF_POLICY = ["style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'"]
  .concat("frame-ancestors 'none'")
  .join('; ');

/** Lets the forms of this page end at these origins besides our own. */
export function allowFormsTo(ctx: PageContext, sources: readonly string[]): void {
  const policy = ctx.response.get('Content-Security-Policy');
  ctx.set('Content-Security-Policy', `${policy}; form-action ${["'self'", ...sources].join(' ')}`);
}
