import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInChromium, expectGoodPage, launch, newVisitor } from '../support/browser.ts';
import { DEVELOPMENT_MEMBERS, MEMBER, RENEWING, type RunningProvider, startProvider } from '../support/provider.ts';

const SPANISH_MEMBER = { username: 'miembro.ejemplo', password: 'un paseo junto al lago' };
const TWIN = { ...RENEWING, username: 'renewing.twice', email: 'twice@example.com', memberNumber: 'MHP-100-2019' };
const heading = (page: Page) => page.locator('h1').innerText();

describeInChromium('a member', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  const complaints: string[][] = [];
  beforeAll(async () => {
    provider = await startProvider(pair, { members: DEVELOPMENT_MEMBERS.concat(RENEWING, TWIN) });
    browser = await launch();
  });
  afterEach(() => expect(complaints.splice(0).flat()).toEqual([]));
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  const visit = async (...options: Parameters<typeof newVisitor> extends [unknown, ...infer Rest] ? Rest : never) => {
    const visitor = await newVisitor(browser, ...options);
    complaints.push(visitor.complaints);
    return visitor.page;
  };

  const signIn = async (page: Page, { username, password }: typeof MEMBER) => {
    await page.fill('#username', username);
    await page.fill('#password', password);
    await page.click('button#sign-in');
  };

  test.each([
    ['with JavaScript', true],
    ['without JavaScript', false],
  ])('%s goes from the portal to the sign-in page, back to the portal, and signs out', async (_, javaScriptEnabled) => {
    const page = await visit({ javaScriptEnabled });
    await page.goto(provider.portal);
    await page.click('#sign-in');
    expect(await page.title()).toBe('Sign in – Meadowlark Health Plan');
    expect(await page.locator('main').innerText()).toContain('to continue to Member Portal');

    await signIn(page, { ...MEMBER, password: 'wrong' });
    expect(await page.title()).toBe('Error: Sign in – Meadowlark Health Plan');
    expect(await page.inputValue('#username')).toBe(MEMBER.username);
    expect(await page.inputValue('#password')).toBe('');

    await signIn(page, MEMBER);
    expect(await heading(page)).toBe('Welcome, Sample');
    await page.goto(`${provider.portal}/profile`);
    expect(await page.locator('table').innerText()).toContain('MHP-100-2001');
    await page.goto(`${provider.portal}/refresh`);
    expect(await heading(page)).toBe('What the portal knows about you');

    await page.click('#sign-out');
    if (!javaScriptEnabled) await page.click('button#sign-out');
    await page.waitForURL(/signed-out/);
    expect(page.url()).toBe(`${provider.portal}/signed-out`);
    await page.click('a#sign-in');
    expect(await heading(page)).toBe('Sign in');
  });

  test.each([
    ['the browser speaks Spanish', { locale: 'es-MX' }, ''],
    ['the app asks for Spanish', {}, '?ui_locales=es'],
  ])('does it all in Spanish when %s', async (_, options, query) => {
    const page = await visit(options);
    await page.goto(`${provider.portal}/login${query}`);
    expect(await page.title()).toBe('Iniciar sesión – Meadowlark Health Plan');
    await signIn(page, { ...SPANISH_MEMBER, password: 'no' });
    expect(await page.locator('#error-summary').innerText()).toContain('no son correctos');
    await signIn(page, SPANISH_MEMBER);
    expect(await heading(page)).toBe('Welcome, Miembro');
    await page.goto(`${provider.issuer}/session/end`);
    if (query !== '') return;
    expect(await heading(page)).toBe('¿Cerrar sesión?');
    await page.click('button#sign-out');
    expect(await heading(page)).toBe('Cerró su sesión');
  });

  test('switches the language by a link and stays in it', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    await page.click('#lang-es');
    expect(await heading(page)).toBe('Iniciar sesión');
    await signIn(page, { ...MEMBER, password: 'wrong' });
    expect(await page.title()).toMatch(/^Error: Iniciar sesión/);
    await page.click('#lang-en');
    expect(await heading(page)).toBe('Sign in');
  });

  test('does it all by keyboard', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    const pressUntil = async (id: string) => {
      for (let i = 0; i < 12; i += 1) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate('document.activeElement.id')) === id) return;
      }
      throw new Error(`the keyboard does not reach ${id}`);
    };
    await pressUntil('username');
    await page.keyboard.type(MEMBER.username);
    await pressUntil('password');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#error-summary:focus');
    await pressUntil('password');
    await page.keyboard.type(MEMBER.password);
    await pressUntil('show-password');
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('#password', 'type')).toBe('text');
    expect(await page.locator('#show-password-status').innerText()).toBe('Your password is shown on the screen');
    await pressUntil('sign-in');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${provider.portal}/`);
    expect(await heading(page)).toBe('Welcome, Sample');
  });

  test.each([
    ['allows', '#allow', 'sample.member'],
    ['does not allow', '#deny', 'nothing was shared'],
  ])('%s a partner what it asks for', async (_, choice, shown) => {
    const page = await visit();
    await page.goto(`${provider.portal}/partner`);
    await page.click('#connect');
    await signIn(page, choice === '#allow' ? MEMBER : SPANISH_MEMBER);
    expect(await heading(page)).toBe('Share your information?');
    await page.click(choice);
    expect(await page.locator('main').innerText()).toContain(shown);
  });

  test('comes back with the Back button to a page that was refused, and finds the way on', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    await signIn(page, { ...MEMBER, password: 'wrong' });
    await page.waitForSelector('#error-summary');
    await page.reload();
    expect(await page.title()).toBe('Sign in – Meadowlark Health Plan');
    await signIn(page, { ...MEMBER, password: 'wrong' });
    await page.waitForSelector('#error-summary');
    await signIn(page, MEMBER);
    await page.waitForURL(`${provider.portal}/`);
    await page.goBack();
    await page.waitForURL(`${provider.portal}/`);
  });

  test('reads the help in the middle of signing in and comes back', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    await page.click('#help');
    await page.click('#help-signing-in');
    await page.click('#lang-es');
    await page.click('#back');
    expect(await heading(page)).toBe('Iniciar sesión');
    await signIn(page, MEMBER);
    await page.waitForURL(`${provider.portal}/`);
  });

  test('without JavaScript is asked for a new password, is told what is wrong with one, and connects a partner', async () => {
    const page = await visit({ javaScriptEnabled: false });
    await page.goto(`${provider.portal}/partner/login`);
    await signIn(page, { username: 'renewing.twice', password: RENEWING.password });
    await page.fill('#new-password', 'password1234567');
    await page.click('#save-password');
    expect(await page.locator('#new-password-error').innerText()).toContain('lists that thieves try first');
    await page.fill('#new-password', 'four kites above the bay');
    await page.click('#save-password');
    await page.click('#allow');
    expect(await page.locator('main').innerText()).toContain('renewing.twice');
  });

  test('sees how strong a new password is, also as words', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    await signIn(page, RENEWING);
    await page.fill('#new-password', 'password1234567');
    await page.waitForSelector('#strength-text:has-text("thieves")');
    await page.fill('#new-password', 'three lamps on the stairs');
    await page.waitForSelector('#strength-text:has-text("Strong password.")');
    expect(await page.evaluate("document.getElementById('strength-meter').value")).toBe(4);
    await page.click('#save-password');
    await page.waitForURL(`${provider.portal}/`);
  });

  test('comes back with the Back button after signing in and finds the way on', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    await signIn(page, MEMBER);
    await page.waitForURL(`${provider.portal}/`);
    await page.goBack();
    await page.waitForURL(`${provider.portal}/`);
    expect(await heading(page)).toBe('Welcome, Sample');
  });

  test.each([
    [320, 'light'],
    [320, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('sees good pages at %d pixels in %s colours', async (width, colorScheme) => {
    const page = await visit({ viewport: { width, height: 800 }, colorScheme });
    await page.goto(`${provider.portal}/login`);
    await expectGoodPage(page);
    await page.click('button#sign-in');
    await expectGoodPage(page);
    await signIn(page, { ...MEMBER, password: 'wrong' });
    await expectGoodPage(page);
    await signIn(page, MEMBER);
    await page.goto(`${provider.portal}/partner/login?ui_locales=es`);
    if (page.url().startsWith(provider.issuer)) await expectGoodPage(page);
    for (const path of ['/help', '/help/signing-in', '/help/paused', '/help/security', '/help/browser', '/status']) {
      await page.goto(provider.issuer + path);
      await expectGoodPage(page);
    }
    for (const path of [
      '/session/end',
      '/session/end/success',
      '/interaction/unknown',
      '/nowhere',
      '/auth?client_id=x',
    ]) {
      await page.goto(provider.issuer + path);
      await expectGoodPage(page);
    }
  });
});
