import type { Context, Middleware } from 'koa';
import type { PageContext, PageState } from './context.ts';
import { LOCALES, type Locale, pickLocale } from './words.ts';

const COOKIE = 'lang';
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/**
 * Keeps the language that a member chooses (`?lang=`). What a query says about the language is looked at right away: what comes
 * after may change the query.
 */
export function locale(secureCookies: boolean): Middleware<PageState> {
  return (ctx, next) => {
    if (!/[?&](lang|ui_locales)=/.test(ctx.search)) return next();
    const chosen = pickLocale([String(ctx.query.lang ?? '')]);
    if (chosen !== undefined) {
      ctx.cookies.set(COOKIE, chosen, {
        httpOnly: true,
        sameSite: 'lax',
        maxAge: YEAR_MS,
        signed: false,
        secure: secureCookies,
        overwrite: true,
      });
    }
    ctx.state.locale = chosen ?? localeOf(ctx);
    return next();
  };
}

/** The member's own choice before, else what the app asked for (`ui_locales`), else the browser's language, else English. */
export function localeOf(ctx: Context): Locale {
  const remembered = ctx.cookies.get(COOKIE, { signed: false });
  const asked = String(ctx.query.ui_locales ?? '').split(' ');
  const wanted = pickLocale([remembered ?? '']) ?? pickLocale(asked);
  return wanted ?? pickLocale([ctx.acceptsLanguages(...LOCALES) || 'en']) ?? 'en';
}

/** The app's wish counts only where the member has made no choice of their own. */
export function applyUiLocales(ctx: PageContext, uiLocales: string | undefined): void {
  const ownChoice = ctx.query.lang !== undefined || ctx.cookies.get(COOKIE, { signed: false }) !== undefined;
  const asked = ownChoice ? undefined : pickLocale((uiLocales ?? '').split(' '));
  if (asked !== undefined) ctx.state.locale = asked;
}
