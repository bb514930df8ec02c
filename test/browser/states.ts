import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { findBySignInName } from '../../src/core/account/account.ts';
import { codePurpose } from '../../src/core/codes/purposes.ts';
import { type Factors, withFactors } from '../../src/core/factors/factors.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { REFUSALS } from '../../src/core/refusal.ts';
import { change } from '../../src/core/storage/collection.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { makeApp } from '../../src/http/app.ts';
import { loadAssets } from '../../src/http/assets.ts';
import { problemPages, REFUSAL_STATUS } from '../../src/http/problems.ts';
import { makeRenderer } from '../../src/http/render.ts';
import { LOCALES, type Locale } from '../../src/http/words.ts';
import { makeLogger } from '../../src/observe/logger.ts';
import { prometheusMetrics } from '../../src/observe/metrics.ts';
import { attemptDigest } from '../../src/parts.ts';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';
import {
  describeInChromium,
  expectGoodPage,
  expectKeyboardReach,
  launch,
  newVisitor,
  weight,
} from '../support/browser.ts';
import { codeFrom, inboxOf } from '../support/errands.ts';
import {
  DEVELOPMENT_CLIENTS,
  DEVELOPMENT_MEMBERS,
  MEMBER,
  RENEWING,
  ROOT,
  type RunningProvider,
  SECRETS,
  startProvider,
} from '../support/provider.ts';
import { TELEVISION, Visitor } from '../support/relyingParty.ts';
import { rosterRow } from '../support/roster.ts';
import { setUpApp } from '../support/secondStep.ts';

interface Place {
  readonly page: Page;
  readonly provider: RunningProvider;
  /** Our middleware around routes that fail. */
  readonly broken: string;
  /** A provider that has done nothing yet. */
  readonly empty: RunningProvider;
  readonly language: Locale;
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

const CARD = { first_name: 'Sample', last_name: 'Member', birth_date: '1951-03-14', postal_code: '97201' };
/** A membership of its own for each visit, so that no cap on messages is reached. */
const PEOPLE = Array.from({ length: 400 }, (_, i) => ({
  ...{ number: `MHP-500-${1000 + i}`, email: `s.member${i}@example.com`, phone: '+12025550143' },
  ...CARD,
  ends_on: i < 20 ? '2020-12-31' : '',
}));
const NAMED = Array.from({ length: 200 }, (_, i) => ({
  ...{ ...MEMBER, username: `named.${i}`, email: `named.${i}@example.com`, phone: '+12025550143' },
  ...{ memberNumber: `MHP-600-${i}`, firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14' },
  postalCode: '97201',
}));
const PERSON = {
  'first-name': 'Sample',
  'last-name': 'Member',
  'birth-month': '3',
  'birth-day': '14',
  'birth-year': '1951',
  'postal-code': '97201',
};
const waiting = { ended: PEOPLE.slice(0, 20), active: PEOPLE.slice(20), named: NAMED.slice() };
const nextOf = <One>(list: One[]): One => {
  const one = list.shift();
  if (one === undefined) throw new Error('there are more states than people');
  return one;
};
const fill = async ({ page }: Place, fields: Readonly<Record<string, string>>) => {
  for (const [id, value] of Object.entries(fields)) await page.fill(`#${id}`, value);
  await page.click('button.main');
};
const person =
  (changed: Readonly<Record<string, string>> = {}, course = 'register') =>
  async (place: Place) => {
    await at(`/${course}`)(place);
    await fill(place, { ...PERSON, ...changed });
  };
const member = (number: (place: Place) => string, course?: string) => async (place: Place) => {
  await person({}, course)(place);
  await fill(place, { 'member-number': number(place) });
};
/** As far as the page for the code; answers where it went. */
const toCode = async (place: Place, list = waiting.active): Promise<string> => {
  const { number, email } = nextOf(list);
  await member(() => number)(place);
  await place.page.check('#way-0');
  await place.page.click('#continue');
  return email;
};
const typeCode = async (place: Place, code: string) => fill(place, { code });
const wrongCode = async (place: Place, code = '000000') => {
  await toCode(place);
  await typeCode(place, code);
};
const throughCode = async (place: Place, list = waiting.active) => {
  const code = await codeFrom(place.provider, await toCode(place, list));
  await typeCode(place, code);
  return code;
};
const contacts =
  (fields: Readonly<Record<string, string>>, terms = true) =>
  async (place: Place) => {
    await throughCode(place);
    if (terms) await place.page.check('#terms');
    await fill(place, fields);
  };
const credentials = (fields: Readonly<Record<string, string>>) => async (place: Place) => {
  await contacts({})(place);
  await fill(place, fields);
};
/** As far as the right code of somebody who has an account. */
const named = (course: string) => async (place: Place) => {
  const { username, email } = nextOf(waiting.named);
  await at(`/${course}`)(place);
  await fill(place, { username });
  await typeCode(place, await codeFrom(place.provider, email));
};
/** As far as the right code of somebody who has shown the details of their membership. */
const toFound = async (place: Place, course: string, { memberNumber, email }: (typeof NAMED)[0]) => {
  await member(() => memberNumber, course)(place);
  await typeCode(place, await codeFrom(place.provider, email));
};
/** By the link in the message. */
const toStop = async (place: Place) => {
  await toFound(place, 'lost-contact', nextOf(waiting.named));
  await place.page.click('#begin-wait');
  const [newest] = (await inboxOf(place.provider)).filter(({ text }) => text.includes('/stop-recovery/'));
  await at(String(/\/stop-recovery\/[\w-]+/.exec(String(newest?.text))?.[0]))(place);
};
/** Signs in as somebody who agreed to terms of before. */
const agreeing = async (place: Place) => {
  const { username, password } = nextOf(waiting.named);
  const { accounts } = place.provider.stores;
  const id = String((await findBySignInName(accounts, username))?.id);
  await change(accounts, id, (account) => ({ ...account, agreed: { terms: '2020-01', privacy: '2020-01' } }));
  await begin(place);
  await signIn(place, { username, password });
};
/** Where an app of the plan asks for a second step, as far as the page after the password. */
const askedForSecond = async (place: Place, { username, password } = nextOf(waiting.named), acr: string = ACR.aal2) => {
  await place.page.goto(`${place.provider.portal}/login?acr_values=${encodeURIComponent(acr)}`);
  await signIn(place, { username, password });
};
const settingUp = (method: string) => async (place: Place) => {
  await askedForSecond(place);
  await place.page.check(`#method-${method}`);
  await place.page.click('#continue');
};
const settingUpPhone = async (place: Place, phone = '(202) 555-0177') => {
  await settingUp('text')(place);
  await fill(place, { phone });
};
const seenSeed = async ({ page }: Place) => new AuthenticatorApp(String(await page.locator('#seed').textContent()));
const newCodes = async (place: Place) => {
  await settingUp('totp')(place);
  await typeCode(place, (await seenSeed(place)).code(Date.now()));
};
/** Somebody who has set up an app, as far as the page that asks for its code. */
const withApp = async (place: Place) => {
  const { provider } = place;
  const member = nextOf(waiting.named);
  const visitor = new Visitor();
  const page = await visitor.go(`${provider.portal}/login?acr_values=${encodeURIComponent(ACR.aal2)}`, provider.issuer);
  const offered = await visitor.submit(page, { username: member.username, password: member.password }, provider.issuer);
  const { app, codes } = await setUpApp(visitor, offered, provider.issuer, () => Date.now());
  await askedForSecond(place, member);
  return { app, codes };
};
const withRecoveryCode = async (place: Place, code = (codes: string[]) => String(codes[0])) => {
  const { codes } = await withApp(place);
  await place.page.click('#other-method');
  await place.page.check('#method-recovery-code');
  await place.page.click('#continue');
  await fill(place, { 'recovery-code': code(codes) });
};
const owning = async (place: Place, factors: Partial<Factors>) => {
  const member = nextOf(waiting.named);
  const { accounts } = place.provider.stores;
  const id = String((await findBySignInName(accounts, member.username))?.id);
  await change(accounts, id, (account) => withFactors(account, factors));
  return member;
};
const having = (factors: Partial<Factors>) => async (place: Place) =>
  askedForSecond(place, await owning(place, factors));
/** Where the password would be enough. */
const rememberable = (factors: Partial<Factors>) => async (place: Place) => {
  const member = await owning(place, factors);
  await begin(place);
  await signIn(place, member);
};
const withPhone = having({ phone: { to: '+12025550177', addedAt: 1 } });
const PASSKEY = { id: 'AAAA', publicKey: 'AAAA', counter: 0, transports: [], backedUp: true, addedAt: 1 };
/** A device that answers with something else. */
const wrongPasskey = ({ page }: Place) =>
  Promise.all([
    page.waitForNavigation(),
    page.evaluate(`((form) => {
      form.elements.passkey.value = '{"id":"AAAA"}';
      form.submit();
    })(document.querySelector('form.passkey'))`),
  ]);
const journeyId = ({ page }: Place) => String(/journey\/([\w-]+)/.exec(page.url())?.[1]);

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
  'login/agreement': (place) => agreeing(place),
  'login/agreement: terms-not-accepted': async (place) => {
    await agreeing(place);
    await place.page.click('#agree');
  },
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
  'registration/person': at('/register'),
  'registration/person: first-name-missing': person({ 'first-name': '' }),
  'registration/person: last-name-missing': person({ 'last-name': '' }),
  'registration/person: birth-date-missing': person({ 'birth-month': '', 'birth-day': '', 'birth-year': '' }),
  'registration/person: birth-date-wrong': person({ 'birth-month': '2', 'birth-day': '30' }),
  'registration/person: postal-code-wrong': person({ 'postal-code': '97' }),
  'registration/too-young: too-young': person({ 'birth-year': '2020' }),
  'registration/member': person(),
  'registration/member: member-number-missing': member(() => ''),
  'registration/unmatched: details-unmatched': member(() => 'MHP-999-0000'),
  'problems/locked: details-locked': async (place) => {
    const number = `MHP-998-${place.page.viewportSize()?.width}${await place.page.evaluate('navigator.language')}`;
    for (let i = 0; i < 11; i += 1) {
      await (i === 0 ? person()(place) : place.page.goto(`${place.provider.issuer}/journey/${journeyId(place)}`));
      await fill(place, { 'member-number': number });
    }
  },
  'registration/contact': (place) => member(() => nextOf(waiting.active).number)(place),
  'registration/contact: way-missing': async (place) => {
    await member(() => nextOf(waiting.active).number)(place);
    await place.page.click('#continue');
  },
  'code/code': toCode,
  'code/code: code-malformed': (place) => wrongCode(place, '12'),
  'code/code: code-wrong': (place) => wrongCode(place),
  'code/code: code-expired': async (place) => {
    const email = await toCode(place);
    const { number = '' } = PEOPLE.find((one) => one.email === email) ?? {};
    const asked = { member: { at: 0, typed: number }, contact: { at: 0, way: { by: 'email', to: email } as const } };
    const purpose = codePurpose(journeyId(place), asked);
    // As it is a day later.
    await place.provider.stores.expiring.remove(`code:${attemptDigest(SECRETS)(`purpose:${purpose}`)}`);
    await typeCode(place, '000000');
  },
  'code/code: code-used': async (place) => {
    const code = await throughCode(place, waiting.ended);
    await place.page.goto(`${place.provider.issuer}/journey/${journeyId(place)}`);
    await typeCode(place, code);
  },
  'problems/locked: code-locked': async (place) => {
    await toCode(place);
    for (let i = 0; i < 6; i += 1) await typeCode(place, '000000');
  },
  'registration/ended: membership-ended': (place) => throughCode(place, waiting.ended),
  'registration/contacts': (place) => throughCode(place),
  'registration/contacts: email-wrong': contacts({ email: 'nobody' }),
  'registration/contacts: phone-wrong': contacts({ phone: '12' }),
  'registration/contacts: contact-missing': contacts({ email: '', phone: '' }),
  'registration/contacts: terms-not-accepted': contacts({}, false),
  'registration/credentials': contacts({}),
  'registration/credentials: username-malformed': credentials({ username: 'josé', 'new-password': 'x' }),
  'registration/credentials: username-taken': credentials({
    ...{ username: MEMBER.username, 'new-password': 'four kites above the bay' },
  }),
  'registration/done': async (place) => {
    const username = `new.${place.page.viewportSize()?.width}.${await place.page.evaluate('navigator.language')}`;
    await credentials({ username, 'new-password': 'four kites above the bay' })(place);
  },
  'mfa/enrolment': (place) => askedForSecond(place),
  'mfa/enrolment: method-missing': async (place) => {
    await askedForSecond(place);
    await place.page.click('#continue');
  },
  'mfa/enrolment, passkey only': (place) => askedForSecond(place, undefined, ACR.phishingResistant),
  'mfa/number': settingUp('text'),
  'mfa/number: phone-wrong': (place) => settingUpPhone(place, '12'),
  'mfa/text-setup': (place) => settingUpPhone(place),
  'mfa/totp-setup': settingUp('totp'),
  'mfa/totp-setup: app-code-wrong': async (place) => {
    await settingUp('totp')(place);
    await typeCode(place, '000000');
  },
  'mfa/codes': newCodes,
  'mfa/codes: codes-not-saved': async (place) => {
    await newCodes(place);
    await place.page.click('#continue');
  },
  'mfa/codes, one': (place) => withRecoveryCode(place),
  'mfa/totp': (place) => withApp(place),
  'mfa/totp: app-code-used': async (place) => {
    const { app } = await withApp(place);
    await typeCode(place, app.code(Date.now() - 30_000));
  },
  'mfa/totp: clock-wrong': async (place) => {
    const { app } = await withApp(place);
    app.ahead = 120;
    await typeCode(place, app.code(Date.now()));
  },
  'mfa/totp, to be remembered': rememberable({ totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } }),
  'mfa/passkey, to be remembered': rememberable({ passkeys: [PASSKEY] }),
  'mfa/text': withPhone,
  'mfa/text, sent': async (place) => {
    await withPhone(place);
    await place.page.click('#send-sms');
  },
  'mfa/passkey': having({ passkeys: [PASSKEY] }),
  'mfa/passkey-setup': settingUp('passkey'),
  'mfa/passkey-setup, nothing else': async (place) => {
    await askedForSecond(place, undefined, ACR.phishingResistant);
    await place.page.click('#continue');
  },
  'mfa/passkey-setup: passkey-failed': async (place) => {
    await settingUp('passkey')(place);
    await wrongPasskey(place);
  },
  'login/passkey: passkey-failed': async (place) => {
    await begin(place);
    await wrongPasskey(place);
  },
  'mfa/method': async (place) => {
    await withApp(place);
    await place.page.click('#other-method');
  },
  'mfa/recovery-code: recovery-code-malformed': (place) => withRecoveryCode(place, () => 'abc'),
  'mfa/recovery-code: recovery-code-wrong': (place) => withRecoveryCode(place, () => '1-AAAA-AAAA-AAAA-AAAA'),
  'recovery/name': at('/forgot-password'),
  'recovery/name: name-missing': async (place) => {
    await at('/unlock')(place);
    await fill(place, { username: '' });
  },
  'code/code, not told': async (place) => {
    await at('/unlock')(place);
    await fill(place, { username: 'nobody.here' });
  },
  'recovery/replacement': named('forgot-password'),
  'recovery/replaced': async (place) => {
    await named('forgot-password')(place);
    await fill(place, { 'new-password': 'four kites above the bay' });
  },
  'recovery/unlocked': named('unlock'),
  'recovery/no-account': async (place) => {
    const { number, email } = nextOf(waiting.active);
    await member(() => number, 'forgot-username')(place);
    await typeCode(place, await codeFrom(place.provider, email));
  },
  'recovery/delay': async (place) => toFound(place, 'lost-contact', nextOf(waiting.named)),
  'recovery/waiting': async (place) => {
    await toFound(place, 'lost-contact', nextOf(waiting.named));
    await place.page.click('#begin-wait');
  },
  'recovery/stop': (place) => toStop(place),
  'recovery/stopped': async (place) => {
    await toStop(place);
    await place.page.click('#stop');
  },
  'recovery/nothing-to-stop': at('/stop-recovery/none'),
  'recovery/username': async (place) => toFound(place, 'forgot-username', nextOf(waiting.named)),
  'inbox/inbox': ({ page, empty }) => page.goto(`${empty.issuer}/dev/inbox`),
  'problems/membership-down': ({ page, broken }) => page.goto(`${broken}/membership`),
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
    beforeAll(async () => {
      provider = await startProvider(pair, {
        members: DEVELOPMENT_MEMBERS.concat(RENEWING, NAMED),
        clients: [...DEVELOPMENT_CLIENTS, TELEVISION],
        roster: [...PEOPLE, ...NAMED.map(({ memberNumber: number, email }) => ({ ...CARD, number, email }))].map(
          ({ number, ...more }) => rosterRow(number, more),
        ),
        env: { SHARED_NETWORKS: '127.0.0.1, ::1', REMEMBER_BROWSER_DAYS: '30' },
      });
      empty = await startProvider(pair);
      browser = await launch();
      door = await brokenApp(provider);
    });
    afterAll(async () => {
      await browser.close();
      door.close();
      await Promise.all([provider.close(), empty.close()]);
    });

    test.each(Object.keys(STATES))('%s', async (state) => {
      const snapshots: string[] = [];
      const { context, page } = await newVisitor(browser, { locale: language });
      const broken = `http://localhost:${(door.address() as AddressInfo).port}`;
      await STATES[state]?.({ page, provider, broken, empty, language });
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

const withoutWhatAlwaysDiffers = (snapshot: string): string =>
  snapshot
    .replaceAll(/\/(interaction|journey)\/[\w-]+/g, '/$1/<id>')
    .replaceAll(/\?from=[\w-]+/g, '?from=<id>')
    .replaceAll(/\b\d+(-[2-9A-HJKMNP-Z]{4}){4}\b/g, '<recovery code>')
    .replaceAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){2}\b/g, '<request id>')
    .replaceAll(/localhost:\d+/g, 'localhost')
    .replaceAll(/"\?[^"]*\blang=(\w\w)"/g, '"?lang=$1"')
    .replaceAll(/\d{1,2}:\d\d/g, '<time>')
    .replaceAll(/\d+ (minut[eo]s)/g, '<count> $1')
    .replaceAll(/<time>\s(?:[ap]\.?\s?m\.|[AP]M)/g, '<time> <half>')
    .replaceAll(/data:text\/plain[^\s"]+/g, 'data:<codes>')
    .replaceAll(/secret=\w+/g, 'secret=<seed>')
    .replaceAll(/\b[A-Z2-7]{4}( [A-Z2-7]{4}){7}\b/g, '<seed>')
    .replaceAll(/\b[A-Z]{4}-[A-Z]{4}\b/g, '<device code>')
    .replaceAll(/(locked|new|s\.member|named)\.?\d+(\.[\w-]+)?/g, '$1.name');
