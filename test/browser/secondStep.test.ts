import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import jsQRModule from 'jsqr';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { ACR } from '../../src/core/journey/assurance.ts';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { codeFrom } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { hiddenFields, Visitor } from '../support/visitor.ts';

const jsQR = jsQRModule as unknown as typeof jsQRModule.default;
const SAMPLES = Array.from({ length: 14 }, (_, i) => ({
  ...{ ...MEMBER, username: `second.${i}`, email: `second.${i}@example.com`, phone: '+12025550143' },
  ...{ memberNumber: `MHP-400-${i}`, firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14' },
  postalCode: '97201',
}));

describeInChromium('a member with a second step', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  let complaints: string[][] = [];
  const waiting = SAMPLES.slice();
  beforeAll(async () => {
    provider = await startProvider(pair, { members: SAMPLES });
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
  const heading = (page: Page) => page.locator('h1').innerText();
  const signIn = async (page: Page, { username, password }: typeof MEMBER) => {
    await page.fill('#username', username);
    await page.fill('#password', password);
    await page.click('button#sign-in');
  };
  const nextMember = () => waiting.shift() as (typeof SAMPLES)[0];
  /** From the portal, by its link for a second step, as far as the choice. */
  const choose = async (page: Page, member: typeof MEMBER, method: string) => {
    await page.goto(`${provider.portal}/login`);
    await signIn(page, member);
    // Where the device can make a passkey it is offered first.
    await page.waitForSelector('#second-step, #skip');
    if (await page.locator('#skip').count()) await page.click('#skip');
    await page.click('#second-step');
    // Who has a session without one shows the password again before setting one up.
    await signIn(page, member);
    await page.check(`#method-${method}`);
    await page.click('#continue');
  };
  const answer = async (page: Page, fields: Readonly<Record<string, string>>) => {
    for (const [id, text] of Object.entries(fields)) await page.fill(`#${id}`, text);
    await page.click('#continue');
  };
  const saveCodes = async (page: Page): Promise<string[]> => {
    const codes = await page.locator('#recovery-codes li').allInnerTexts();
    await page.check('#saved');
    await page.click('#continue');
    return codes;
  };
  const isIn = async (page: Page) => {
    await page.waitForURL(`${provider.portal}/`);
    expect(await heading(page)).toBe('Welcome, Sample');
  };
  /** A device with a finger on it. */
  const withAuthenticator = async (context: BrowserContext, page: Page) => {
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const options = {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
    } as const;
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: { ...options, isUserVerified: true, automaticPresenceSimulation: true },
    });
    return { cdp, authenticatorId };
  };
  /** What a phone reads in the picture. */
  const readPicture = async (context: BrowserContext, page: Page): Promise<string> => {
    const picture = (await page.locator('#qr').screenshot()).toString('base64');
    const blank = await context.newPage();
    const { data, width, height } = (await blank.evaluate(`(async () => {
      const image = new Image();
      image.src = 'data:image/png;base64,${picture}';
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
      canvas.drawImage(image, 0, 0);
      const { data, width, height } = canvas.getImageData(0, 0, image.width, image.height);
      return { data: [...data], width, height };
    })()`)) as { data: number[]; width: number; height: number };
    await blank.close();
    return String(jsQR(Uint8ClampedArray.from(data), width, height)?.data);
  };

  test.each([
    ['with JavaScript, in the dark', { colorScheme: 'dark' }, true],
    ['without JavaScript', { javaScriptEnabled: false }, false],
  ] as const)(
    'sets up an app by its picture, %s, and signs in with it and with a recovery code',
    async (_, options, scripts) => {
      const member = nextMember();
      const { page, context } = await visit(options);
      await choose(page, member, 'totp');
      let app: AuthenticatorApp;
      if (scripts) {
        const uri = new URL(await readPicture(context, page));
        expect([uri.protocol, uri.searchParams.get('issuer')]).toEqual(['otpauth:', 'Meadowlark Health Plan']);
        app = new AuthenticatorApp(String(uri.searchParams.get('secret')));
      } else {
        app = new AuthenticatorApp(String(await page.locator('#seed').textContent()));
      }
      await answer(page, { code: '000000' });
      expect(await page.locator('#error-summary').innerText()).toContain('not the code that the app shows');
      await answer(page, { code: app.code(Date.now()) });
      const codes = await saveCodes(page);
      expect(codes).toHaveLength(10);
      await isIn(page);

      await context.clearCookies();
      await page.goto(`${provider.portal}/login`);
      await signIn(page, member);
      // The code of the next half minute: this one's was used.
      await answer(page, { code: app.code(Date.now() + 30_000) });
      await isIn(page);

      await context.clearCookies();
      await page.goto(`${provider.portal}/login`);
      await signIn(page, member);
      await page.click('#other-method');
      await page.check('#method-recovery-code');
      await page.click('#continue');
      await answer(page, { 'recovery-code': String(codes[3]) });
      expect(await saveCodes(page)).toHaveLength(1);
      await isIn(page);
    },
  );

  test('sets up a phone in Spanish, and signs in with a text', async () => {
    const member = nextMember();
    const { page, context } = await visit({ locale: 'es-MX', viewport: { width: 320, height: 640 } });
    await choose(page, member, 'text');
    await answer(page, { phone: '(202) 555-0188' });
    expect(await heading(page)).toBe('Escriba el código de su teléfono');
    await answer(page, { code: await codeFrom(provider, '+12025550188') });
    await saveCodes(page);
    await isIn(page);
    await context.clearCookies();
    await page.goto(`${provider.portal}/login`);
    await signIn(page, member);
    await page.click('#send-sms');
    await answer(page, { code: await codeFrom(provider, '+12025550188') });
    await isIn(page);
  });

  test('steps an open session up without the password', async () => {
    const member = nextMember();
    const first = await visit();
    await first.page.goto(`${provider.portal}/login`);
    await signIn(first.page, member);
    await isIn(first.page);
    const second = await visit();
    await choose(second.page, member, 'totp');
    const app = new AuthenticatorApp(String(await second.page.locator('#seed').textContent()));
    await answer(second.page, { code: app.code(Date.now()) });
    await saveCodes(second.page);

    await first.page.goto(`${provider.portal}/login?acr_values=${encodeURIComponent(ACR.aal2)}`);
    expect(await heading(first.page)).toBe('Type the code from your app');
    await answer(first.page, { code: app.code(Date.now() + 30_000) });
    await isIn(first.page);
    await first.page.goto(`${provider.portal}/profile`);
    expect(await first.page.locator('table').innerText()).toContain(ACR.aal2);
  });

  test('makes a passkey, and signs in with it alone, and with it after the password', async () => {
    const member = nextMember();
    const { page, context } = await visit();
    const { cdp, authenticatorId } = await withAuthenticator(context, page);
    await choose(page, member, 'passkey');
    await page.click('#use-passkey');
    await page.waitForSelector('#recovery-codes');
    await saveCodes(page);
    await isIn(page);
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);

    // What the username field offers; this device takes it at once.
    await context.clearCookies();
    await page.goto(`${provider.portal}/login`);
    await isIn(page);
    const presence = (enabled: boolean) =>
      cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    // By the button.
    await context.clearCookies();
    await presence(false);
    await page.goto(`${provider.portal}/login`);
    await page.waitForSelector('#use-passkey');
    await presence(true);
    const sent = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/passkey'));
    await page.click('#use-passkey');
    await isIn(page);
    // What was sent opens no other journey.
    const thief = new Visitor();
    const there = await thief.go(`${provider.portal}/login`, provider.issuer);
    const stolen = {
      ...hiddenFields(there),
      passkey: String(new URLSearchParams(String((await sent).postData())).get('passkey')),
    };
    const body = new URLSearchParams(stolen);
    expect(stolen.passkey).toContain('signature');
    expect((await thief.fetch(`${there.url}/passkey`, { method: 'POST', body })).status).toBe(422);
    await page.goto(`${provider.portal}/profile`);
    const claims = await page.locator('table').innerText();
    expect([claims.includes(ACR.aal2), claims.includes('["pop","user","mfa"]')]).toEqual([true, true]);

    await context.clearCookies();
    await presence(false);
    await page.goto(`${provider.portal}/login`);
    await signIn(page, member);
    await presence(true);
    expect(await heading(page)).toBe('Use your passkey');
    await page.click('#use-passkey');
    await isIn(page);
    // The session is as safe as an app can ask for.
    const told = async () => {
      await page.goto(`${provider.portal}/profile`);
      return (await page.locator('table').innerText()).includes(ACR.phishingResistant);
    };
    expect(await told()).toBe(false);
    await page.goto(`${provider.portal}/login?acr_values=${encodeURIComponent(ACR.phishingResistant)}`);
    await isIn(page);
    expect(await told()).toBe(true);
  });

  test('is offered a passkey after the sign-in on a device that can make one, and makes it by one click', async () => {
    const member = nextMember();
    const { page, context } = await visit({ viewport: { width: 320, height: 640 } });
    await withAuthenticator(context, page);
    await page.goto(`${provider.portal}/login`);
    await signIn(page, member);
    expect(await heading(page)).toBe('Sign in faster next time?');
    await page.click('#make-passkey');
    await page.click('#use-passkey');
    await page.waitForSelector('#recovery-codes');
    await saveCodes(page);
    await isIn(page);
    await context.clearCookies();
    await page.goto(`${provider.portal}/login`);
    await isIn(page);
  });

  test('adds a passkey to the app, where nothing less is enough', async () => {
    const member = nextMember();
    const { page, context } = await visit({ locale: 'es-MX' });
    await withAuthenticator(context, page);
    await choose(page, member, 'totp');
    const app = new AuthenticatorApp(String(await page.locator('#seed').textContent()));
    await answer(page, { code: app.code(Date.now()) });
    await saveCodes(page);
    await page.goto(`${provider.portal}/login?acr_values=${encodeURIComponent(ACR.phishingResistant)}`);
    await answer(page, { code: app.code(Date.now() + 30_000) });
    expect(await page.locator('.lead').innerText()).toContain('una llave de acceso');
    await page.click('#continue');
    await page.click('#use-passkey');
    await page.waitForURL(`${provider.portal}/`);
  });

  test('gets nowhere with a passkey that the account does not have, or that did not ask for the finger', async () => {
    const { page, context } = await visit();
    const { cdp, authenticatorId } = await withAuthenticator(context, page);
    const member = nextMember();
    await choose(page, member, 'passkey');
    await page.click('#use-passkey');
    await page.waitForSelector('#recovery-codes');
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    const [credential] = credentials;
    if (credential === undefined) throw new Error('no passkey was made');
    await saveCodes(page);
    await isIn(page);
    await context.clearCookies();

    // The finger is not on it.
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.goto(`${provider.portal}/login`);
    await page.click('#use-passkey');
    await page.locator('#use-passkey-status', { hasText: 'did not work here' }).waitFor();

    // Another key under the same name.
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const privateKey = key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, privateKey } });
    await page.click('#use-passkey');
    await page.waitForSelector('#error-summary');
    expect(await heading(page)).toBe('Sign in with a passkey');
    await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
    await page.click('#use-password');
    expect(await heading(page)).toBe('Sign in');
  });
});
