import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { movableDate } from '../support/time.ts';

describeInChromium('the end of a session', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  beforeAll(async () => {
    provider = await startProvider(pair);
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await provider.close();
  });

  /** Signed in to the portal, and connected to the partner's app. */
  const inTwoApps = async (): Promise<Page> => {
    const { page } = await newVisitor(browser);
    await page.goto(`${provider.portal}/login`);
    await page.fill('#username', MEMBER.username);
    await page.fill('#password', MEMBER.password);
    await page.click('button#sign-in');
    await page.waitForURL(`${provider.portal}/`);
    await page.goto(`${provider.portal}/partner/login`);
    if (page.url().startsWith(provider.issuer)) await page.click('#allow');
    await page.waitForURL(`${provider.portal}/partner`);
    expect(await page.locator('main').innerText()).toContain('sample.member');
    return page;
  };
  const expectOutOfBoth = async (page: Page) => {
    await page.goto(provider.portal);
    expect(await page.locator('h1').innerText()).toBe('Welcome');
    await page.goto(`${provider.portal}/partner`);
    expect(await page.locator('#connect').innerText()).toBe('Connect my plan');
  };

  test('by signing out at the provider reaches two apps', async () => {
    const page = await inTwoApps();
    await page.goto(`${provider.issuer}/session/end`);
    await page.click('button#sign-out');
    expect(await page.locator('#apps').innerText()).toBe('Member Portal\nStep by Step Walking App');
    await provider.work();
    await expectOutOfBoth(page);
  });

  test('by its idle limit reaches them too', async () => {
    const date = movableDate();
    const page = await inTwoApps();
    await provider.work();
    await page.goto(provider.portal);
    expect(await page.locator('h1').innerText()).toBe('Welcome, Sample');
    date.advance(901);
    await provider.work();
    date.restore();
    await expectOutOfBoth(page);
  });
});
