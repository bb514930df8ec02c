import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { REFUSALS } from '../../src/core/refusal.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { makeApp } from '../../src/http/app.ts';
import { loadAssets } from '../../src/http/assets.ts';
import { problemPages, REFUSAL_STATUS } from '../../src/http/problems.ts';
import { makeRenderer } from '../../src/http/render.ts';
import { LOCALES } from '../../src/http/words.ts';
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
  MEMBER,
  RENEWING,
  ROOT,
  type RunningProvider,
  startProvider,
} from '../support/provider.ts';

import { TELEVISION } from '../support/relyingParty.ts';

interface Place {
  readonly page: Page;
  readonly provider: RunningProvider;
  /** Our middleware around routes that fail. */
  readonly broken: string;
}

const begin = ({ page, provider }: Place) => page.goto(`${provider.portal}/login`);
const signIn = async ({ page }: Place, { username, password }: typeof MEMBER) => {
  await page.fill('#username', username);
  await page.fill('#password', password);
  await page.click('button#sign-in');
};
const signedIn = async (place: Place) => {
  await begin(place);
  await signIn(place, MEMBER);
  await place.page.waitForURL(`${place.provider.portal}/`);
};
const at =
  (path: string) =>
  ({ page, provider }: Place) =>
    page.goto(provider.issuer + path);
const consent = async (place: Place) => {
  await signedIn(place);
  await place.page.goto(`${place.provider.portal}/partner/login`);
};
/** Sends the sign-in form as it is after a change to it. */
const sendChanged = (change: string) => async (place: Place) => {
  await begin(place);
  await place.page.fill('#username', 'x');
  await place.page.evaluate(change);
  await place.page.click('button#sign-in');
};
const renewal = (password?: string) => async (place: Place) => {
  await begin(place);
  await signIn(place, RENEWING);
  if (password === undefined) return;
  await place.page.fill('#new-password', password);
  await place.page.click('#save-password');
};
const authorize = (query: string) => at(`/auth?client_id=member-portal&response_type=code&scope=openid&${query}`);

/** A television asks for a code. */
const newDeviceCode = async ({ provider }: Place): Promise<string> => {
  const body = new URLSearchParams({ client_id: TELEVISION.client_id, scope: 'openid profile' });
  const answer = await fetch(`${provider.issuer}/device/auth`, { method: 'POST', body });
  return ((await answer.json()) as { user_code: string }).user_code;
};
const deviceCode = (codeOf: (place: Place) => Promise<string>) => async (place: Place) => {
  const code = await codeOf(place);
  await at('/device')(place);
  await place.page.fill('#user-code', code);
  await place.page.click('#continue');
};

/** How to get to each state: `view`, or `view: refusal`. */
const STATES: Readonly<Record<string, (place: Place) => Promise<unknown>>> = {
  'login/password': begin,
  'login/password: username-missing': async (place) => {
    await begin(place);
    await signIn(place, { username: '', password: 'x' });
  },
  'login/password: password-missing': async (place) => {
    await begin(place);
    await signIn(place, { username: 'x', password: '' });
  },
  'login/password: credentials-rejected': async (place) => {
    await begin(place);
    await signIn(place, { ...MEMBER, password: 'wrong' });
  },
  'login/renewal': renewal(),
  'login/renewal: new-password-missing': renewal(''),
  'login/renewal: password-too-short': renewal('too short a one'.slice(1)),
  'login/renewal: password-too-long': renewal('long '.repeat(60)),
  'login/renewal: password-common': renewal('password1234567'),
  'login/renewal: password-personal': renewal('Meadowlark Health Plan'),
  'login/renewal: password-pattern': renewal('abcdefghijklmnop'),
  'login/renewal: password-reused': renewal(RENEWING.password),
  'login/account': async (place) => {
    await signedIn(place);
    const callback = encodeURIComponent(`${place.provider.portal}/callback`);
    const pkce = `code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`;
    await authorize(`redirect_uri=${callback}&${pkce}&prompt=select_account`)(place);
  },
  'consent/consent': consent,
  'consent/consent: decision-missing': async (place) => {
    await consent(place);
    await place.page.evaluate("document.getElementById('allow').value = 'maybe'");
    await place.page.click('#allow');
  },
  'device/code': at('/device'),
  'device/code: device-code-missing': deviceCode(async () => ''),
  'device/code: device-code-unknown': deviceCode(async () => 'BCDF-GHJK'),
  'device/code: device-code-used': deviceCode(async (place) => {
    const code = await newDeviceCode(place);
    await deviceCode(async () => code)(place);
    await place.page.click('#abort');
    return code;
  }),
  'device/confirm': deviceCode(newDeviceCode),
  'device/stopped': async (place) => {
    await deviceCode(newDeviceCode)(place);
    await place.page.click('#abort');
  },
  'device/done': async (place) => {
    await deviceCode(newDeviceCode)(place);
    await place.page.click('#confirm');
    await signIn(place, MEMBER);
    await place.page.click('#allow');
  },
  'signout/confirm': async (place) => {
    await signedIn(place);
    await at('/session/end')(place);
  },
  'signout/leaving': async (place) => {
    await signedIn(place);
    // Kept from sending itself, to be looked at.
    await place.page.route('**/page.js', (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));
    await place.page.click('#sign-out');
  },
  'signout/done': async (place) => {
    await signedIn(place);
    await at('/session/end')(place);
    await place.page.click('button#sign-out');
  },
  'problems/expired': at('/interaction/unknown'),
  'problems/locked: locked': async (place) => {
    for (let i = 0; i < 6; i += 1) {
      await begin(place);
      await signIn(place, { username: `locked.${place.page.viewportSize()?.width}`, password: 'wrong' });
    }
  },
  'problems/not-found': at('/nowhere'),
  'problems/refused: form-not-ours': sendChanged("document.querySelector('[name=form_token]').value = 'x'"),
  'problems/refused: form-too-large': sendChanged("document.getElementById('password').value = 'x'.repeat(20000)"),
  'problems/refused: form-unreadable': sendChanged(
    "document.querySelector('main form').enctype = 'multipart/form-data'",
  ),
  'problems/app-mistake': at('/auth?client_id=x'),
  'problems/unavailable': ({ page, broken }) => page.goto(`${broken}/unavailable`),
  'problems/failed': ({ page, broken }) => page.goto(`${broken}/failed`),
  'help/index': at('/help'),
  'help/topic': at('/help/security'),
  'status/status': at('/status'),
};

describe('the list of states', () => {
  const named = Object.keys(STATES);
  test('has every view', () => {
    const views = readdirSync(join(ROOT, 'views'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ejs') && file.includes('/') && !file.startsWith('parts/'))
      .map((file) => file.slice(0, -'.ejs'.length));
    expect(views.filter((view) => !named.some((state) => state.split(':')[0] === view))).toEqual([]);
  });
  test('has every refusal, and each has a status', () => {
    expect(REFUSALS.filter((refusal) => !named.some((state) => state.endsWith(`: ${refusal}`)))).toEqual([]);
    expect(REFUSALS.filter((refusal) => REFUSAL_STATUS[refusal] < 400)).toEqual([]);
  });
});

describeInChromium('the states of the pages', (pair) => {
  // The stores do not change what a page looks like.
  if (pair.name !== 'the embedded store') return;
  let provider: RunningProvider;
  let browser: Browser;
  let door: Server;
  beforeAll(async () => {
    provider = await startProvider(pair, {
      members: DEVELOPMENT_MEMBERS.concat(RENEWING),
      clients: [...DEVELOPMENT_CLIENTS, TELEVISION],
    });
    browser = await launch();
    door = await brokenApp(provider);
  });
  afterAll(async () => {
    await browser.close();
    door.close();
    await provider.close();
  });

  describe.each(LOCALES)('in %s', (language) => {
    test.each(Object.keys(STATES))('%s', async (state) => {
      const snapshots: string[] = [];
      for (const window of WINDOWS) {
        const { context, page } = await newVisitor(browser, { locale: language, ...window });
        const broken = `http://localhost:${(door.address() as AddressInfo).port}`;
        await STATES[state]?.({ page, provider, broken });
        expect(await page.locator('html').getAttribute('lang')).toBe(language);
        await expectGoodPage(page);
        await expectKeyboardReach(page);
        expect(await weight(page)).toBeLessThan(50_000);
        snapshots.push(withoutWhatAlwaysDiffers(await page.locator('body').ariaSnapshot()));
        await context.close();
      }
      expect(snapshots[1]).toBe(snapshots[0]);
      expect(snapshots[0]).toMatchSnapshot();
    });
  });
});

/** A phone, which is also a screen of 1280 x 1024 pixels at 400 % (WCAG 2.2, 1.4.10); and a desktop. */
const WINDOWS = [
  { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
  { viewport: { width: 1280, height: 800 } },
];

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
        if (ctx.path === '/failed') throw new Error('a bug');
        await next();
      },
    ],
  });
  return new Promise((resolve) => {
    const server: Server = createServer(app.callback()).listen(0, () => resolve(server));
  });
}

const withoutWhatAlwaysDiffers = (snapshot: string): string =>
  snapshot
    .replaceAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){2}\b/g, '<request id>')
    .replaceAll(/localhost:\d+/g, 'localhost')
    .replaceAll(/"\?[^"]*\blang=(\w\w)"/g, '"?lang=$1"')
    .replaceAll(/\/interaction\/[\w-]+/g, '/interaction/<id>')
    .replaceAll(/\d{1,2}:\d\d/g, '<time>')
    .replaceAll(/\d+ (minut[eo]s)/g, '<count> $1')
    .replaceAll(/[ap]\.?\sm\.|[AP]M/g, '<half>')
    .replaceAll(/\b[A-Z]{4}-[A-Z]{4}\b/g, '<device code>')
    .replaceAll(/locked\.\d+/g, 'locked.name');
