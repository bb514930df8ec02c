import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { REFUSALS } from '../../src/core/refusal.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { makeApp } from '../../src/http/app.ts';
import { loadAssets } from '../../src/http/assets.ts';
import { problemPages, REFUSAL_STATUS } from '../../src/http/problems.ts';
import { makeRenderer } from '../../src/http/render.ts';
import { LOCALES, type Locale } from '../../src/http/words.ts';
import { makeLogger } from '../../src/observe/logger.ts';
import { prometheusMetrics } from '../../src/observe/metrics.ts';
import {
  describeInChromium,
  expectGoodPage,
  expectKeyboardReach,
  launch,
  newVisitor,
  weight,
} from '../support/browser.ts';
import {
  DEVELOPMENT_CLIENTS,
  DEVELOPMENT_MEMBERS,
  RENEWING,
  ROOT,
  type RunningProvider,
  startProvider,
} from '../support/provider.ts';
import { TELEVISION, VIOLET } from '../support/relyingParty.ts';
import { rosterRow } from '../support/roster.ts';
import { ACCOUNT } from './states/account.ts';
import { ADMIN } from './states/admin.ts';
import { DESK } from './states/desk.ts';
import { ERRANDS } from './states/errands.ts';
import { AGENTS, CARD, NAMED, PEOPLE, type States } from './states/place.ts';
import { PROBLEMS } from './states/problems.ts';
import { SECOND_STEP } from './states/secondStep.ts';
import { SIGN_IN } from './states/signIn.ts';

const STATES: States = { ...SIGN_IN, ...ERRANDS, ...SECOND_STEP, ...ACCOUNT, ...ADMIN, ...DESK, ...PROBLEMS };

export const describeList = () =>
  describe('the list of states', () => {
    const named = Object.keys(STATES);
    test('has every view', () => {
      const views = readdirSync(join(ROOT, 'views'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ejs') && file.includes('/') && !file.startsWith('parts/'))
        .map((file) => file.slice(0, -'.ejs'.length));
      expect(views.filter((view) => !named.some((state) => state.split(/[:,]/)[0] === view))).toEqual([]);
    });
    test('is walked through in every language', () => {
      const files = readdirSync(import.meta.dirname);
      expect(LOCALES.filter((locale) => !files.includes(`states.${locale}.test.ts`))).toEqual([]);
    });
    test('has every refusal, and each has a status', () => {
      expect(REFUSALS.filter((refusal) => !named.some((state) => state.endsWith(`: ${refusal}`)))).toEqual([]);
      expect(REFUSALS.filter((refusal) => REFUSAL_STATUS[refusal] < 400)).toEqual([]);
    });
  });

/** Walks to every state in one language, and looks at it on a phone and on a desktop. */
export const describeStates = (language: Locale) =>
  describeInChromium(`the states of the pages in ${language}`, (pair) => {
    // The stores do not change what a page looks like.
    if (pair.name !== 'the embedded store') return;
    let provider: RunningProvider;
    let browser: Browser;
    let door: Server;
    let empty: RunningProvider;
    let strict: RunningProvider;
    beforeAll(async () => {
      provider = await startProvider(pair, {
        members: DEVELOPMENT_MEMBERS.concat(RENEWING, NAMED, AGENTS),
        clients: [...DEVELOPMENT_CLIENTS, TELEVISION, VIOLET],
        roster: [...PEOPLE, ...NAMED.map(({ memberNumber: number, email }) => ({ ...CARD, number, email }))].map(
          ({ number, ...more }) => rosterRow(number, more),
        ),
        env: { REMEMBER_BROWSER_DAYS: '30', SHARED_NETWORKS: '127.0.0.1, ::1' },
      });
      empty = await startProvider(pair);
      strict = await startProvider(pair, { members: NAMED.slice(-1), env: { MFA_POLICY: 'required' } });
      browser = await launch({ justPages: true });
      door = await brokenApp(provider);
      // Some hundred passwords are hashed.
    }, 120_000);
    afterAll(async () => {
      await browser.close();
      door.close();
      await Promise.all([provider, empty, strict].map((one) => one.close()));
    });

    test.each(Object.keys(STATES))('%s', async (state) => {
      const snapshots: string[] = [];
      const { context, page } = await newVisitor(browser, { locale: language, userAgent: USER_AGENT });
      const broken = `http://localhost:${(door.address() as AddressInfo).port}`;
      await STATES[state]?.({ page, provider, broken, empty, strict });
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect(await weight(page)).toBeLessThan(50_000);
      for (const window of WINDOWS) {
        await page.setViewportSize(window);
        await expectGoodPage(page);
        await expectKeyboardReach(page);
        snapshots.push(withoutWhatAlwaysDiffers(await page.locator('body').ariaSnapshot()));
      }
      await context.close();
      expect(snapshots[1]).toBe(snapshots[0]);
      expect(snapshots[0]).toMatchSnapshot();
    });
  });

/** A phone, which is also a screen of 1280 x 1024 pixels at 400 % (WCAG 2.2, 1.4.10); and a desktop. */
const WINDOWS = [
  { width: 1280, height: 800 },
  { width: 320, height: 256 },
];

/** What the list of sessions names, wherever the tests run. */
const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Our whole middleware around two routes that fail. */
function brokenApp({ config, issuer, portal }: RunningProvider): Promise<Server> {
  const assets = loadAssets(join(ROOT, 'views/assets'));
  const render = makeRenderer(join(ROOT, 'views'), assets, { ...config.plan, website: portal });
  const app = makeApp({
    ...{ issuer, cookieKeys: ['k'.repeat(32)], log: makeLogger('silent'), clock: systemClock, assets },
    problems: problemPages(render, systemClock),
    measures: prometheusMetrics(),
    routes: [
      async (ctx, next) => {
        if (ctx.path === '/unavailable') throw new Unavailable('redis', 'gone');
        if (ctx.path === '/membership') throw new Unavailable('membership', 'gone');
        if (ctx.path === '/failed') throw new Error('a bug');
        await next();
      },
    ],
  });
  return new Promise((resolve) => {
    const server: Server = createServer(app.callback()).listen(0, () => resolve(server));
  });
}

const MONTHS = {
  en: 'January|February|March|April|May|June|July|August|September|October|November|December',
  es: 'enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre',
};
/** A day of these years, with or without its weekday and year; a date of birth stays. */
const DAYS = [
  `(?:\\w+day, )?(?:${MONTHS.en}) \\d{1,2}\\b(?:, 20\\d\\d|(?!, \\d{4}))`,
  `(?:[a-záé]+, )?\\b\\d{1,2} de (?:${MONTHS.es})\\b(?: de 20\\d\\d|(?! de \\d{4}))`,
].map((day) => new RegExp(day, 'g'));

const withoutWhatAlwaysDiffers = (snapshot: string): string =>
  DAYS.reduce((text, day) => text.replaceAll(day, '<day>'), snapshot)
    .replaceAll(/\/(support)\/(file|removal)\/[\w-]+/g, '/$1/$2/<handle>')
    .replaceAll(/\/(interaction|journey)\/[\w-]+/g, '/$1/<id>')
    .replaceAll(/\/account\/contacts\/[\w-]+/g, '/account/contacts/<handle>')
    .replaceAll(/\?(after|instead)=[\w-]+/g, '?$1=<id>')
    .replaceAll(/\?from=[\w-]+/g, '?from=<id>')
    .replaceAll(/\b\d+(-[2-9A-HJKMNP-Z]{4}){4}\b/g, '<recovery code>')
    .replaceAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){2}\b/g, '<request id>')
    .replaceAll(/(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?:[\w-]{43}|[\w-]{32}|[\w-]{22})(?![\w-])/g, '<random>')
    .replaceAll('"<random>"', '<random>')
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<id>')
    .replaceAll(/(auth_time|updated_at)\W+\d+/g, '$1 <moment>')
    .replaceAll(/localhost:\d+/g, 'localhost')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z · [\da-f]{8}\/\d+/g, '<moment> · <place>')
    .replaceAll(/"\?[^"]*\blang=(\w\w)"/g, '"?lang=$1"')
    .replaceAll(/\d{1,2}:\d\d/g, '<time>')
    .replaceAll(/\d+ (minut[eo]s)/g, '<count> $1')
    .replaceAll(/<time>\s(?:[ap]\.?\s?m\.|[AP]M)/g, '<time> <half>')
    .replaceAll(/data:text\/plain[^\s"]+/g, 'data:<codes>')
    .replaceAll(/secret=\w+/g, 'secret=<seed>')
    .replaceAll(/\b[A-Z2-7]{4}( [A-Z2-7]{4}){7}\b/g, '<seed>')
    .replaceAll(/\b[A-Z]{4}-[A-Z]{4}\b/g, '<device code>')
    .replaceAll(/\bMHP-([56]00)-\d+/g, 'MHP-$1-<number>')
    .replaceAll(/(locked|new|s\.member|named|agent)\.?\d+(\.[\w-]+)?/g, '$1.name');
