import type { Middleware } from 'koa';
import type { PageContext, PageState } from './context.ts';
import { LOCALES, pickLocale, translator } from './words.ts';

const COOKIE = 'lang';
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/**
 * Finds the language: the member's own choice (`?lang=`, kept in a cookie), else what the app asked for (`ui_locales`),
 * else the browser's, else English.
 */
export function locale(secureCookies: boolean): Middleware<PageState> {
  return async (ctx, next) => {
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
    const remembered = ctx.cookies.get(COOKIE, { signed: false });
    const asked = String(ctx.query.ui_locales ?? '').split(' ');
    const wanted = chosen ?? pickLocale([remembered ?? '']) ?? pickLocale(asked);
    speak(ctx, wanted ?? pickLocale([ctx.acceptsLanguages(...LOCALES) || 'en']) ?? 'en');
    await next();
  };
}

/** The app's wish counts only where the member has made no choice of their own. */
export function applyUiLocales(ctx: PageContext, uiLocales: string | undefined): void {
  const ownChoice = ctx.query.lang !== undefined || ctx.cookies.get(COOKIE, { signed: false }) !== undefined;
  const asked = ownChoice ? undefined : pickLocale((uiLocales ?? '').split(' '));
  if (asked !== undefined) speak(ctx, asked);
}

function speak(ctx: PageContext, locale: PageState['locale']): void {
  ctx.state.locale = locale;
  ctx.state.t = translator(locale);
  ctx.set('Content-Language', locale);
}
