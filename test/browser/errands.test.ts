import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { type Hand, KEYBOARD, MOUSE } from '../support/hands.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { personOf, rosterRow } from '../support/roster.ts';

interface Way {
  readonly options: BrowserContextOptions;
  readonly hand: Hand;
  readonly words: readonly [title: string, ready: string, changed: string, paused: string, unlocked: string];
}
const ENGLISH = [
  ...(['Who are you?', 'Your account is ready', 'Your password was changed', 'Sign-in is paused for now'] as const),
  'Sign-in is unlocked',
] as const;
const SPANISH = [
  ...([
    '¿Quién es usted?',
    'Su cuenta está lista',
    'Su contraseña se cambió',
    'El inicio de sesión está en pausa',
  ] as const),
  'El inicio de sesión está desbloqueado',
] as const;
const WAYS: Readonly<Record<string, Way>> = {
  'on a phone': { options: { viewport: { width: 320, height: 640 } }, hand: MOUSE, words: ENGLISH },
  'without JavaScript': { options: { javaScriptEnabled: false }, hand: MOUSE, words: ENGLISH },
  'in Spanish': { options: { locale: 'es-MX' }, hand: MOUSE, words: SPANISH },
  'by keyboard alone': { options: {}, hand: KEYBOARD, words: ENGLISH },
};
const NAMES = Object.keys(WAYS);
const numberOf = (way: string) => `MHP-300-${1000 + NAMES.indexOf(way)}`;
const FIRST = 'four kites above the bay';
const SECOND = 'two lamps beside the stairs';

describeInChromium('a member who is new', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  let complaints: string[] = [];
  beforeAll(async () => {
    provider = await startProvider(pair, {
      roster: NAMES.map((way) => rosterRow(numberOf(way), { locale: way === 'in Spanish' ? 'es' : 'en' })),
    });
    browser = await launch();
  });
  afterEach(() => expect(complaints.splice(0)).toEqual([]));
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  test.each(Object.entries(WAYS))(
    'registers, signs in, and finds the way back after forgetting everything, %s',
    async (name, { options, hand, words: [who, ready, changed, paused, unlocked] }) => {
      const visitor = await newVisitor(browser, options);
      complaints = visitor.complaints;
      const { page, context } = visitor;
      const heading = () => page.locator('h1').innerText();
      const fill = (fields: Readonly<Record<string, string>>) =>
        Object.entries(fields).reduce(
          (before, [id, text]) => before.then(() => hand.fill(page, id, text)),
          Promise.resolve(),
        );
      /** Opens the inbox in another tab and reads the newest code there. */
      const code = async () => {
        await provider.work();
        const inbox = await context.newPage();
        await inbox.goto(`${provider.issuer}/dev/inbox`);
        const message = await inbox
          .locator('.message', { hasText: /\b\d{6}\b/ })
          .first()
          .innerText();
        await inbox.close();
        return String(/\b\d{6}\b/.exec(message)?.[0]);
      };
      const number = numberOf(name);
      const person = personOf(number);
      const [year = '', month = '', day = ''] = person.birthDate.split('-');
      const details = async () => {
        await fill({ 'first-name': person.firstName, 'last-name': person.lastName });
        await fill({ 'birth-month': month, 'birth-day': day, 'birth-year': year, 'postal-code': person.postalCode });
        await hand.press(page, 'continue');
        await fill({ 'member-number': number });
        await hand.press(page, 'continue');
      };
      const typeCode = async () => {
        await fill({ code: await code() });
        await hand.press(page, 'continue');
      };
      const username = `new.${NAMES.indexOf(name)}`;
      const signIn = async (password: string) => {
        await fill({ username, password });
        await hand.press(page, 'sign-in');
      };

      // From the portal to a new account, and in.
      await page.goto(provider.portal);
      await hand.press(page, 'sign-in');
      await hand.press(page, 'register');
      expect(await heading()).toBe(who);
      await details();
      await hand.press(page, 'way-0');
      await hand.press(page, 'continue');
      await typeCode();
      await hand.press(page, 'terms');
      await hand.press(page, 'continue');
      await fill({ username, 'new-password': FIRST });
      await hand.press(page, 'open-account');
      expect(await heading()).toBe(ready);
      await hand.press(page, 'sign-in');
      await signIn(FIRST);
      expect(await heading()).toBe('Welcome, Sample');
      expect(page.url()).toBe(`${provider.portal}/`);

      // Signed out, and the username is gone from the mind.
      await context.clearCookies();
      await page.goto(`${provider.portal}/login`);
      await hand.press(page, 'forgot-username');
      await details();
      await typeCode();
      expect(await page.locator('#found-username').innerText()).toBe(username);
      await hand.press(page, 'sign-in');

      // So is the password.
      await hand.press(page, 'forgot-password');
      await fill({ username });
      await hand.press(page, 'continue');
      await typeCode();
      await fill({ 'new-password': SECOND });
      await hand.press(page, 'save-password');
      expect(await heading()).toBe(changed);
      await hand.press(page, 'sign-in');

      // And then the wrong one too often.
      for (let i = 0; i < 6; i += 1) await signIn(FIRST);
      expect(await heading()).toBe(paused);
      await hand.press(page, 'unlock');
      await fill({ username });
      await hand.press(page, 'continue');
      await typeCode();
      expect(await heading()).toBe(unlocked);
      await hand.press(page, 'sign-in');
      await signIn(SECOND);
      expect(await heading()).toBe('Welcome, Sample');
      await context.close();
    },
  );
});
