import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { ask } from '../support/command.ts';
import { png } from '../support/picture.ts';
import { MEMBER } from '../support/provider.ts';
import { RelyingParty, webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers } from '../support/stores.ts';

const ADMIN = { username: 'first.admin', password: 'green lamps over quiet water' };
const APP = { id: 'care-plans', redirect: 'https://plans.example/callback' };

describeInChromium('an administrator', (pair) => {
  const folder = mkdtempSync(join(tmpdir(), 'console-'));
  let env: Record<string, string>;
  let provider: StartedProcess;
  let browser: Browser;
  beforeAll(async () => {
    const servers = pair.name === 'the embedded store' ? undefined : await freshServers();
    env = {
      DATA_DIR: join(folder, 'data'),
      ...(servers === undefined ? {} : { MONGODB_URI: servers.mongoUri, REDIS_URL: servers.redisUrl }),
    };
    provider = await startProcess(env);
    await provider.ready();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const signIn = async (page: Page, { username, password }: typeof MEMBER) => {
    await page.fill('#username', username);
    await page.fill('#password', password);
    await page.click('button#sign-in');
  };
  /** A member signs in in a browser of their own, and the app trades the code with its secret. */
  const memberSignsIn = async (secret: string) => {
    const party = await RelyingParty.discover(
      provider.issuer,
      webClient({ client_id: APP.id, client_secret: secret, redirect_uris: [APP.redirect] }),
    );
    const { page, context } = await newVisitor(browser);
    await page.route(`${new URL(APP.redirect).origin}/**`, (route) => route.fulfill({ body: 'back at the app' }));
    const started = await party.start();
    await page.goto(started.url);
    await signIn(page, MEMBER);
    if (await page.locator('#allow').count()) await page.click('#allow');
    await page.waitForURL(`${APP.redirect}**`);
    const tokens = await party.redeem(page.url(), started);
    await context.close();
    return { party, accessToken: tokens.access_token };
  };
  const userinfo = async (token: string) =>
    (await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status;

  const background = async (page: Page, button: string): Promise<string> => {
    // Its style sheet may still be on its way.
    await page.waitForLoadState('load');
    return page.evaluate(`getComputedStyle(document.querySelector('${button}')).backgroundColor`);
  };

  test('made from the command line signs in with two steps, registers an app, rotates its secret and disables it', async () => {
    const made = ['staff', 'make', '--username', ADMIN.username, '--email', 'first.admin@example.com'];
    const named = ['--first-name', 'First', '--last-name', 'Admin', '--role', 'administrator', '--password-stdin'];
    expect(await ask([...made, ...named], env, ADMIN.password)).toMatchObject({ roles: ['administrator'] });

    const { page, complaints } = await newVisitor(browser);
    await page.goto(`${provider.issuer}/admin`);
    await signIn(page, ADMIN);
    await page.check('#method-totp');
    await page.click('#continue');
    const app = new AuthenticatorApp(String(await page.locator('#seed').textContent()));
    await page.fill('#code', app.code(Date.now()));
    await page.click('#continue');
    await page.check('#saved');
    await page.click('#continue');
    expect(await page.locator('h1').innerText()).toBe('Console');

    await page.click('#to-clients');
    await page.click('#new-client');
    await page.check('#kind-web');
    await page.fill('#name', 'Care Plans');
    await page.fill('#redirect-uris', APP.redirect);
    await page.fill('#client-uri', 'https://plans.example/');
    await page.fill('#client-id', APP.id);
    await page.check('#first-party');
    await page.fill('#register-reason', 'the contract begins');
    await page.click('#register');
    const first = await page.locator('#client-secret').innerText();
    expect(await page.locator('pre').first().innerText()).toContain(`'${APP.id}', process.env.CLIENT_SECRET`);
    await memberSignsIn(first);

    await page.click('#to-client');
    await page.click('#test-sign-in');
    expect(await page.locator('#works').count()).toBe(1);
    await page.click('#back');
    await page.click('#look');
    await page.fill('#color', '#5B2A86');
    await page.setInputFiles('#logo', { name: 'logo', mimeType: 'image/png', buffer: png(200, 60) });
    await page.fill('#save-reason', 'their own colours');
    await page.click('#save');
    expect(await page.locator('#app-logo').getAttribute('alt')).toBe('Care Plans');
    expect(await background(page, '#save')).toBe('rgb(91, 42, 134)');
    await page.click('#back');
    await page.check('#overlap-day');
    await page.fill('#rotate-secret-reason', 'once a year');
    await page.check('#rotate-secret-sure');
    await page.click('#rotate');
    const second = await page.locator('#client-secret').innerText();
    // Both work, then only the new one.
    await memberSignsIn(first);
    const { accessToken } = await memberSignsIn(second);
    await page.click('#to-client');
    await page.fill('#end-old-secrets-reason', 'the new one is in use');
    await page.check('#end-old-secrets-sure');
    await page.click('#end-old-secrets');
    await expect(memberSignsIn(first)).rejects.toThrow();
    await memberSignsIn(second);

    expect(await userinfo(accessToken)).toBe(200);
    await page.fill('#switch-reason', 'the contract has ended');
    await page.check('#switch-sure');
    await page.click('#switch');
    const disabled = Date.now();
    expect(await page.locator('#disabled').innerText()).toBe('Disabled');
    while ((await userinfo(accessToken)) === 200) {
      expect(Date.now() - disabled).toBeLessThan(5_500);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }

    // What was changed, by whom, and why.
    const history = await page.locator('#history').innerText();
    for (const words of [
      'Registered',
      'New secret',
      'Old secrets ended',
      'Disabled',
      'the contract has ended',
      ADMIN.username,
    ])
      expect(history).toContain(words);
    expect(history).toContain('redirect_uris: ["https://plans.example/callback"]');
    expect(complaints).toEqual([]);
  }, 90_000);
});
