import { AxeBuilder } from '@axe-core/playwright';
import { describe, expect, jest } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { STORE_PAIRS, type StorePair } from './stores.ts';

const { TEST_CHROMIUM, TEST_HEADLESS_SHELL } = process.env;

// A walk through many pages takes its time where other suites keep the processors busy.
jest.setTimeout(120_000);

/** Runs a suite in a real Chromium on every pair of stores; where either is missing it is named as skipped. */
export function describeInChromium(title: string, suite: (pair: StorePair) => void): void {
  for (const pair of STORE_PAIRS) {
    const runs = TEST_CHROMIUM !== undefined && pair.available;
    (runs ? describe : describe.skip)(`${title} in Chromium on ${pair.name}`, () => suite(pair));
  }
}

/** `justPages`: what has no passkeys of its own to offer and no windows is enough, and quicker where it is there. */
export function launch({ justPages = false } = {}): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium.launch({
    executablePath: String((justPages && TEST_HEADLESS_SHELL) || TEST_CHROMIUM),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet],
  });
}

/** A new person at a new browser. Everything that the browser's console complains about lands in `complaints`. */
export async function newVisitor(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Chromium reports every answer of 400 and more; those are asserted where they are meant.
    const expected = message.text().startsWith('Failed to load resource: the server responded with a status of 4');
    if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { context, page, complaints };
}

/** What every page of ours must be: accessible by axe's rules for WCAG 2.2 AA, and no wider than the window. */
export async function expectGoodPage(page: Page): Promise<void> {
  // Without frames there is nothing to put together in a page of its own.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  expect(await overflow(page)).toBe(0);
}

/** Every link, button and field is reached by the Tab key, in their order, and shows that it has the focus. */
export async function expectKeyboardReach(page: Page): Promise<void> {
  const wanted: string[] = await page.evaluate(`[...document.querySelectorAll('a[href], button, input, summary')]
    .filter((element) => element.type !== 'hidden' && element.tabIndex >= 0 && element.checkVisibility())
    // Of one group Tab reaches one; the arrow keys go on from there.
    .filter((element) => element.type !== 'radio' || element === (element.form.querySelector('[type=radio]:checked') ??
      element.form.querySelector('[type=radio]')))
    .map((element) => element.id || element.outerHTML)`);
  const reached: string[] = [];
  for (let i = 0; i <= wanted.length * 2 && !wanted.every((id) => reached.includes(id)); i += 1) {
    await page.keyboard.press('Tab');
    const [id, outline]: [string, string] = await page.evaluate(`(({ activeElement: at }) =>
      [at.id || at.outerHTML, getComputedStyle(at).outlineStyle])(document)`);
    if (!wanted.includes(id)) continue;
    expect([id, outline]).not.toEqual([id, 'none']);
    if (!reached.includes(id)) reached.push(id);
  }
  // The walk may begin anywhere, and goes round.
  const start = wanted.indexOf(reached[0] ?? '');
  expect(reached).toEqual([...wanted.slice(start), ...wanted.slice(0, start)]);
}

/** Pixels by which the page is wider than its window. Needs JavaScript in the page. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate('Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)');

/** Bytes of a page with its style sheet and script, as they are unpacked; pictures do not count. */
export const weight = (page: Page): Promise<number> =>
  page.evaluate(`[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(({ name }) => !name.endsWith('.svg'))
    .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0)`);
