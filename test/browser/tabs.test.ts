import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';

/** No dead ends: each leads to the right next screen, or to the expired page with one button back. */
describeInChromium('with tabs, bookmarks and the Back button a member', (pair) => {
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

  const twoTabs = async () => {
    const { context, page } = await newVisitor(browser);
    const other = await context.newPage();
    for (const tab of [page, other]) await tab.goto(`${provider.portal}/login`);
    return { context, page, other };
  };
  const fill = async (page: Page) => {
    await page.fill('#username', MEMBER.username);
    await page.fill('#password', MEMBER.password);
  };
  const signIn = async (page: Page) => {
    await fill(page);
    await page.click('button#sign-in');
    await atHome(page);
  };
  const atHome = async (page: Page) => {
    await page.waitForURL(`${provider.portal}/`);
    expect(await page.locator('h1').innerText()).toBe('Welcome, Sample');
  };
  const expiredThenHome = async (page: Page) => {
    expect(await page.locator('h1').innerText()).toBe('This sign-in page has expired');
    await page.click('#way-back');
  };

  test('reloads the second tab after signing in in the first, and is signed in there too', async () => {
    const { page, other } = await twoTabs();
    await signIn(page);
    await other.reload();
    await atHome(other);
  });

  test('types the password in the second tab all the same', async () => {
    const { page, other } = await twoTabs();
    await signIn(page);
    await signIn(other);
    await page.goto(provider.portal);
    await atHome(page);
  });

  test('signs in in both tabs at the same moment', async () => {
    const { page, other } = await twoTabs();
    await Promise.all([fill(page), fill(other)]);
    await Promise.all([page.click('button#sign-in'), other.click('button#sign-in')]);
    await Promise.all([atHome(page), atHome(other)]);
  });

  test('clicks Sign in twice', async () => {
    const { page } = await newVisitor(browser);
    await page.goto(`${provider.portal}/login`);
    await fill(page);
    await page.dblclick('button#sign-in');
    await atHome(page);
  });

  test('goes back to the sign-in page after signing in, and forward again', async () => {
    const { page } = await newVisitor(browser);
    await page.goto(`${provider.portal}/login`);
    await signIn(page);
    await page.goBack();
    await atHome(page);
  });

  test('opens a bookmark of the sign-in page on another day', async () => {
    const { context, page } = await newVisitor(browser);
    await page.goto(`${provider.portal}/login`);
    const bookmark = page.url();
    await context.clearCookies();
    await page.goto(bookmark);
    await expiredThenHome(page);
    await signIn(page);
    await page.goto(bookmark);
    await atHome(page);
  });

  test('loses the cookies between reading the page and sending it', async () => {
    const { context, page } = await newVisitor(browser);
    await page.goto(`${provider.portal}/login`);
    await fill(page);
    await context.clearCookies();
    await page.click('button#sign-in');
    await expiredThenHome(page);
    await signIn(page);
  });

  test('has a browser that keeps no cookies, and is told the way on each time', async () => {
    const { context, page } = await newVisitor(browser);
    await page.route('**/*', async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      const { 'set-cookie': _, ...headers } = response.headers();
      await route.fulfill({ response, headers });
    });
    await page.goto(`${provider.portal}/login`);
    await context.clearCookies();
    await page.reload();
    expect(await page.locator('h1').innerText()).toBe('This sign-in page has expired');
    expect(await page.locator('#way-back').getAttribute('href')).toContain(provider.portal);
  });

  test('signs out in one tab and meets the sign-in page in the other', async () => {
    const { page, other } = await twoTabs();
    await signIn(page);
    await other.goto(`${provider.issuer}/session/end`);
    await page.click('#sign-out');
    await page.waitForURL(/signed-out/);
    await other.click('button#sign-out');
    expect(await other.locator('h1').innerText()).toBe('You are signed out');
  });
});
