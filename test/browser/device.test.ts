import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import type { Browser } from 'playwright-core';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, TELEVISION } from '../support/relyingParty.ts';

describeInChromium('a member connects a television', (pair) => {
  let provider: RunningProvider;
  let television: RelyingParty;
  let browser: Browser;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [TELEVISION] });
    television = await RelyingParty.discover(provider.issuer, TELEVISION);
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  test.each([
    ['with the link that it shows', true],
    ['without JavaScript, by typing the code', false],
  ])('%s', async (_, javaScriptEnabled) => {
    const { page, complaints } = await newVisitor(browser, { javaScriptEnabled });
    const device = await openid.initiateDeviceAuthorization(television.config, { scope: 'openid profile' });
    const tokens = openid.pollDeviceAuthorizationGrant(television.config, { ...device, interval: 1 });
    await page.goto(javaScriptEnabled ? String(device.verification_uri_complete) : device.verification_uri);
    if (!javaScriptEnabled) await page.fill('#user-code', device.user_code.toLowerCase());
    await page.click('#continue');
    expect(await page.locator('#user-code').innerText()).toBe(device.user_code);
    await page.click('#confirm');
    await page.fill('#username', MEMBER.username);
    await page.fill('#password', MEMBER.password);
    await page.click('button#sign-in');
    await page.click('#allow');
    expect(await page.locator('h1').innerText()).toBe('Your device is connected');
    const info = await openid.fetchUserInfo(television.config, (await tokens).access_token, openid.skipSubjectCheck);
    expect(info.name).toBe('Sample Member');
    expect(complaints).toEqual([]);
  });
});
