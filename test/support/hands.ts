import type { Page } from 'playwright-core';

/** How a person fills in a page and goes on. */
export interface Hand {
  fill(page: Page, id: string, text: string): Promise<void>;
  press(page: Page, id: string): Promise<void>;
}

export const MOUSE: Hand = {
  fill: (page, id, text) => page.fill(`#${id}`, text),
  press: (page, id) => page.click(`#${id}`),
};

/** Of a group of radio buttons Tab reaches one; the arrow keys go on from there. */
const focusRadio = async (page: Page, id: string) => {
  const name = await page.getAttribute(`#${id}`, 'name');
  for (let i = 0; i < 60; i += 1) {
    if ((await page.evaluate('document.activeElement.id')) === id) return;
    const isInGroup = (await page.evaluate('document.activeElement.name')) === name;
    await page.keyboard.press(isInGroup ? 'ArrowDown' : 'Tab');
  }
  throw new Error(`the keyboard does not reach ${id} on ${await page.title()}`);
};

const focus = async (page: Page, id: string) => {
  for (let i = 0; i < 60; i += 1) {
    if ((await page.evaluate('document.activeElement.id')) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach ${id} on ${await page.title()}`);
};
export const KEYBOARD: Hand = {
  async fill(page, id, text) {
    await focus(page, id);
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(text);
  },
  async press(page, id) {
    const type = await page.getAttribute(`#${id}`, 'type');
    await (type === 'radio' ? focusRadio : focus)(page, id);
    if (type === 'radio' || type === 'checkbox') await page.keyboard.press('Space');
    else await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  },
};
