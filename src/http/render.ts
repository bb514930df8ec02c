import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { phoneText } from '../core/account/phone.ts';
import type { App } from '../core/client/client.ts';
import type { Plan } from '../core/plan.ts';
import type { Assets } from './assets.ts';
import { calendarDay, clockTime, day, dayAndTime } from './clockTime.ts';
import type { PageContext } from './context.ts';
import { lookOf } from './looks.ts';
import { LOCALES, languageName } from './words.ts';

/** Shows a view inside the layout: sets status, type and body of the answer. */
export type Render = (ctx: PageContext, view: string, locals?: object, status?: number) => void;

/** Compiles every view once, so that a broken one stops the start and not a member. */
export function makeRenderer(viewsDir: string, assets: Assets, plan: Plan): Render {
  const views = new Map<string, ejs.TemplateFunction>();
  for (const file of readdirSync(viewsDir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ejs')) continue;
    const filename = join(viewsDir, file);
    const template = ejs.compile(readFileSync(filename, 'utf8'), { filename, root: viewsDir, cache: true });
    views.set(file.slice(0, -'.ejs'.length), template);
  }
  const view = (name: string): ejs.TemplateFunction => {
    const template = views.get(name);
    if (template === undefined) throw new Error(`no view ${name}`);
    return template;
  };

  return (ctx, name, locals = {}, status = 200) => {
    const { t, locale, nonce, requestId } = ctx.state;
    const page = {
      ...{
        t,
        locale,
        nonce,
        requestId,
        plan,
        locales: LOCALES,
        languageName,
        languageUrl: languageUrl(ctx),
        asset: assets.url,
        signInPage: signInPage(ctx),
        clockTime: (at: number) => clockTime(at, locale, plan),
        phoneText,
        calendarDay: (date: string) => calendarDay(date, locale),
        day: (at: number) => day(at, locale, plan),
        dayAndTime: (at: number) => dayAndTime(at, locale, plan),
      },
      ...{
        heading: `${name.replace('/', '.')}.title`,
        refusal: undefined,
        field: undefined,
        values: {},
        app: undefined,
        session: undefined,
        done: undefined,
      },
      ...locals,
    };
    const { app } = page as { readonly app?: App | undefined };
    const body = view(name)(page);
    ctx.status = status;
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = view('layout')({ ...page, body, look: app && lookOf(app) });
  };
}

/** The sign-in page that the member is on, or came to the help from: the way back to it. */
function signInPage({ path, query }: PageContext): string | undefined {
  const from = path.startsWith('/help') || path === '/status' ? String(query.back ?? '') : path;
  return /^\/((?:interaction|journey)\/[\w-]{1,64}|device$)/.exec(from)?.[0];
}

/** The same page in another language, with all that it was asked. */
const languageUrl =
  (ctx: PageContext) =>
  (locale: string): string => {
    const query = new URLSearchParams(ctx.querystring);
    query.set('lang', locale);
    return `?${query}`;
  };
