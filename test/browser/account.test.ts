import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { type Hand, KEYBOARD, MOUSE } from '../support/hands.ts';
import { DEVELOPMENT_CLIENTS, MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';

interface Way {
  readonly options: BrowserContextOptions;
  readonly hand: Hand;
  /** The headings of the account's pages, in the order of its front page. */
  readonly pages: readonly string[];
}
const ENGLISH = [
  ...(['Your details', 'How we reach you', 'Password and second steps', 'Where you are signed in'] as const),
  ...(['Connected apps', 'Activity', 'Your data'] as const),
];
const SPANISH = [
  ...([
    'Sus datos',
    'Cómo comunicarnos con usted',
    'Contraseña y segundos pasos',
    'Dónde tiene la sesión abierta',
  ] as const),
  ...(['Aplicaciones conectadas', 'Actividad', 'Sus datos guardados'] as const),
];
const WAYS: Readonly<Record<string, Way>> = {
  'on a phone': { options: { viewport: { width: 320, height: 640 } }, hand: MOUSE, pages: ENGLISH },
  'without JavaScript': { options: { javaScriptEnabled: false }, hand: MOUSE, pages: ENGLISH },
  'in Spanish': { options: { locale: 'es-MX' }, hand: MOUSE, pages: SPANISH },
  'by keyboard alone': { options: {}, hand: KEYBOARD, pages: ENGLISH },
};
const NAMES = [...Object.keys(WAYS), 'the owner', 'the one with passkeys'];
const memberOf = (name: string) => {
  const i = NAMES.indexOf(name);
  return {
    ...{ ...MEMBER, username: `account.${i}`, email: `account.${i}@example.com`, phone: `+1202555016${i}` },
    ...{ memberNumber: `MHP-700-${i}`, firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14' },
    ...{ postalCode: '97201', locale: name === 'in Spanish' ? 'es' : 'en' },
  };
};
const NEW_PASSWORD = 'seven quiet herons at dawn';

describeInChromium('a member at their account', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  let complaints: string[][] = [];
  beforeAll(async () => {
    provider = await startProvider(pair, { members: NAMES.map(memberOf), clients: DEVELOPMENT_CLIENTS });
    browser = await launch();
  });
  afterEach(() => {
    expect(complaints.flat()).toEqual([]);
    complaints = [];
  });
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  const visit = async (options: BrowserContextOptions = {}) => {
    const visitor = await newVisitor(browser, options);
    complaints.push(visitor.complaints);
    return visitor;
  };
  /** Opens the inbox in another tab and reads the newest message to this address there. */
  const read = async (context: BrowserContext, to: string, about: RegExp): Promise<string> => {
    await provider.work();
    const inbox = await context.newPage();
    await inbox.goto(`${provider.issuer}/dev/inbox`);
    const message = await inbox.locator('.message', { hasText: to }).filter({ hasText: about }).first().innerText();
    await inbox.close();
    return message;
  };
  const codeIn = (message: string) => String(/\b\d{6}\b/.exec(message)?.[0]);
  const heading = (page: Page) => page.locator('h1').innerText();
  const signIn = async (page: Page, { username, password }: typeof MEMBER, hand: Hand = MOUSE) => {
    await hand.fill(page, 'username', username);
    await hand.fill(page, 'password', password);
    await hand.press(page, 'sign-in');
  };

  test.each(Object.entries(WAYS))('sees and changes all there is, %s', async (name, { options, hand, pages }) => {
    const member = memberOf(name);
    const { page, context } = await visit(options);
    const press = (id: string) => hand.press(page, id);
    const isDone = async () => expect(await page.locator('#done').count()).toBe(1);

    // From the portal: two clicks to where one is signed in.
    await page.goto(`${provider.portal}/login`);
    await signIn(page, member, hand);
    await press('account');
    await press('to-sessions');
    expect(await heading(page)).toBe(pages[3]);
    expect(await page.locator('#this-device').count()).toBe(1);
    for (const [i, id] of ['profile', 'contacts', 'security', 'sessions', 'apps', 'activity', 'data'].entries()) {
      await page.goto(`${provider.issuer}/account`);
      await press(`to-${id}`);
      expect(await heading(page)).toBe(pages[i]);
    }

    // Another email address: signing in again, and a code.
    await page.goto(`${provider.issuer}/account/contacts`);
    await press('add-email');
    await signIn(page, member, hand);
    const email = `second.${member.email}`;
    await hand.fill(page, 'email', email);
    await press('continue');
    await hand.fill(page, 'code', codeIn(await read(context, email, /\b\d{6}\b/)));
    await press('continue');
    await isDone();
    expect(await read(context, member.email, /\/not-me\//)).toContain('•••@example.com');

    // A second step, with its key typed by hand.
    await page.goto(`${provider.issuer}/account/security`);
    await press('add-second-step');
    await press('method-totp');
    await press('continue');
    const app = new AuthenticatorApp(String(await page.locator('#seed').textContent()));
    await hand.fill(page, 'code', app.code(Date.now()));
    await press('continue');
    await press('saved');
    await press('continue');
    await isDone();

    // From now on changes ask for it too. A code works once, so the next is of the next half minute.
    await press('totp');
    await signIn(page, member, hand);
    await hand.fill(page, 'code', app.code(Date.now() + 30_000));
    await press('continue');
    await press('remove');
    await isDone();

    await press('change-password');
    if (await page.locator('#password').count()) await signIn(page, member, hand);
    await hand.fill(page, 'new-password', NEW_PASSWORD);
    await press('save-password');
    await isDone();
    const changed = { ...member, password: NEW_PASSWORD };

    // An app of somebody else, connected and disconnected.
    await page.goto(`${provider.portal}/partner/login`);
    if (await page.locator('#password').count()) await signIn(page, changed, hand);
    await press('allow');
    await page.goto(`${provider.issuer}/account/apps`);
    await press('disconnect-walking-app');
    await isDone();

    // What was changed stands in the activity.
    await page.goto(`${provider.issuer}/account/activity`);
    expect(await page.locator('#events li').count()).toBeGreaterThan(6);

    // Closing, and thinking better of it.
    await page.goto(`${provider.issuer}/account`);
    await press('close');
    if (await page.locator('#password').count()) await signIn(page, changed, hand);
    await press('understood');
    await press('continue');
    await hand.fill(page, 'username', member.username);
    await press('close-account');
    await isDone();
    await press('keep');
    await isDone();

    // The first address was told of every change, each with a link to object to it.
    await provider.work();
    const inbox = await context.newPage();
    await inbox.goto(`${provider.issuer}/dev/inbox`);
    const told = inbox.locator('.message', { hasText: member.email }).filter({ hasText: '/not-me/' });
    expect(await told.count()).toBeGreaterThanOrEqual(5);
    await context.close();
  });

  test('"This wasn\'t me" from another browser: the thief is out within five seconds, and the apps hear of it', async () => {
    const owner = memberOf('the owner');
    const thief = await visit();
    await thief.page.goto(`${provider.portal}/login`);
    await signIn(thief.page, owner);
    await thief.page.waitForURL(`${provider.portal}/`);
    await thief.page.goto(`${provider.issuer}/account/change/email`);
    await signIn(thief.page, owner);
    await thief.page.fill('#email', 'thief@example.com');
    await thief.page.click('#continue');
    await thief.page.fill('#code', codeIn(await read(thief.context, 'thief@example.com', /\b\d{6}\b/)));
    await thief.page.click('#continue');
    expect(await thief.page.locator('#done').count()).toBe(1);

    const { page, context } = await visit({ viewport: { width: 320, height: 640 } });
    const message = await read(context, owner.email, /\/not-me\//);
    await page.goto(String(/http\S+\/not-me\/[\w-]+/.exec(message)?.[0]));
    const pressed = Date.now();
    await page.click('#not-me');
    expect(await heading(page)).toBe('Your account is secured');
    await thief.page.goto(`${provider.issuer}/account`);
    expect(await heading(thief.page)).toBe('Sign in');
    await provider.work();
    await thief.page.goto(provider.portal);
    expect(await heading(thief.page)).toBe('Welcome');
    expect(Date.now() - pressed).toBeLessThan(5_000);

    // The owner is back in by a code to the address of before; the thief's opens nothing.
    await page.click('#set-password');
    await page.fill('#username', owner.username);
    await page.click('#continue');
    await page.fill('#code', codeIn(await read(context, owner.email, /\b\d{6}\b/)));
    await page.click('#continue');
    await page.fill('#new-password', NEW_PASSWORD);
    await page.click('#save-password');
    await page.goto(`${provider.issuer}/account/contacts`);
    await signIn(page, { ...owner, password: NEW_PASSWORD });
    expect(await page.locator('main').innerText()).not.toContain('thief@');
  });

  test('a passkey is named, and one that was removed is no longer offered by the device', async () => {
    const member = memberOf('the one with passkeys');
    const { page, context } = await visit();
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...({ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true } as const),
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    await page.goto(`${provider.issuer}/account/change/second-step`);
    await signIn(page, member);
    await page.check('#method-passkey');
    await page.click('#continue');
    await page.click('#use-passkey');
    await page.check('#saved');
    await page.click('#continue');
    expect(await page.locator('#done').innerText()).toBe('Your passkey was added.');
    expect((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toHaveLength(1);

    await page.click('.rows a[id^=passkey-]');
    // The device answers the sign-in page at once: the passkey alone is both steps.
    await page.fill('#passkey-name', 'Kitchen computer');
    await page.click('#rename');
    expect(await page.locator('.rows').innerText()).toContain('Kitchen computer');
    await page.click('.rows a[id^=passkey-]');
    await page.click('#remove');
    expect(await page.locator('#done').innerText()).toBe('Your passkey was removed.');
    for (let i = 0; i < 50; i += 1) {
      if ((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length === 0) break;
      await page.waitForTimeout(100);
    }
    expect((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toEqual([]);
  });
});
