import { createHmac } from 'node:crypto';
import { sameText } from '../core/sameText.ts';
import type { PageContext } from './context.ts';

/** What the form token of the "Stay signed in" button is about. */
export const EXTEND_SESSION = 'session/extend';

/** Ties a form to what it acts on, so that only a page of ours can send it (OWASP CSRF Prevention: signed token). */
export interface FormGuard {
  /** The token to put into a form about `subject`. */
  token(subject: string): string;
  /** Whether the form came from our own page about this subject. */
  accepts(ctx: PageContext, subject: string, token: string | undefined): boolean;
}

/** `keys`: the current one first; forms signed with an older one still count. */
export function formGuard(keys: readonly string[], issuerOrigin: string): FormGuard {
  const sign = (key: string, subject: string) =>
    createHmac('sha256', key).update(`form:${subject}`).digest('base64url');
  return {
    token: (subject) => sign(keys[0] ?? '', subject),
    accepts: (ctx, subject, token) =>
      isSameOrigin(ctx, issuerOrigin) && token !== undefined && keys.some((key) => sameText(token, sign(key, subject))),
  };
}

/**
 * Fetch Metadata where the browser sends it (W3C Fetch Metadata 2.2), else the Origin header (RFC 6454). Every browser of
 * the last years sends one of them with a POST; what sends neither is no browser.
 */
function isSameOrigin(ctx: PageContext, issuerOrigin: string): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  return ctx.get('Origin') === issuerOrigin;
}
