import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Account, findBySignInName } from '../../src/core/account/account.ts';
import { withFactors } from '../../src/core/factors/factors.ts';
import { setRoles } from '../../src/core/staff/staff.ts';
import { change } from '../../src/core/storage/collection.ts';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { describeInChromium, launch, newVisitor } from '../support/browser.ts';
import { AGENT, SECOND_AGENT, saying } from '../support/desk.ts';
import { codeFrom, inboxOf } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';

const member = (name: string, number: string, lastName: string, birthDate: string, postalCode: string) => ({
  ...{ username: name, password: MEMBER.password, email: `${name}@example.com`, phone: '+12025550177' },
  ...{ memberNumber: number, firstName: 'Called', lastName, birthDate, postalCode },
});
const LOCKED = member('locked.out', 'MHP-100-2201', 'Locked', '1950-04-05', '97240');
const LOST = member('lost.phone', 'MHP-100-2202', 'Lost', '1951-05-06', '97241');
const EVERYTHING = member('lost.everything', 'MHP-100-2203', 'Everything', '1952-06-07', '97242');
const UNREACHED = { ...member('un.reached', 'MHP-100-2008', 'Contact', '1945-06-02', '97215'), firstName: 'Without' };
const FORMER = { ...member('for.mer', 'MHP-100-2010', 'Member', '1969-02-11', '97217'), firstName: 'Former' };
const PLAIN_AGENT = {
  ...{ ...SECOND_AGENT, username: 'agent.three', email: 'agent.three@example.com', phone: '+12025550154' },
  ...{ memberNumber: 'MHP-100-2105', lastName: 'Three' },
};
const said = (of: typeof LOCKED) => saying(of.firstName, of.lastName, of.birthDate, of.postalCode);

describeInChromium('the support desk', (pair) => {
  let provider: RunningProvider;
  let browser: Browser;
  let agent: Page;
  let complaints: string[][] = [];
  beforeAll(async () => {
    provider = await startProvider(pair, {
      members: [AGENT, SECOND_AGENT, PLAIN_AGENT, LOCKED, LOST, EVERYTHING, UNREACHED, FORMER],
    });
    browser = await launch();
    agent = await agentAt(AGENT);
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
    return visitor.page;
  };
  const heading = (page: Page) => page.locator('h1').innerText();
  const signIn = async (page: Page, { username, password }: typeof MEMBER) => {
    await page.fill('#username', username);
    await page.fill('#password', password);
    await page.click('button#sign-in');
  };
  const fill = async (page: Page, fields: Readonly<Record<string, string>>, button = 'continue') => {
    for (const [id, text] of Object.entries(fields)) await page.fill(`#${id}`, text);
    await page.click(`#${button}`);
  };
  const edit = async ({ username }: typeof MEMBER, to: (account: Account) => Account) => {
    const { accounts } = provider.stores;
    await change(accounts, String((await findBySignInName(accounts, username))?.id), to);
  };
  const withPhone = (who: typeof LOCKED) =>
    edit(who, (account) => withFactors(account, { phone: { to: '+12025550188', addedAt: 1 }, lastUsed: 'text' }));
  /** Sets up an authenticator app, from the choice of a second step as far as the page after the recovery codes. */
  const setUpApp = async (page: Page) => {
    await page.check('#method-totp');
    await page.click('#continue');
    const app = new AuthenticatorApp(String(await page.locator('#seed').textContent()));
    await fill(page, { code: app.code(Date.now()) });
    await page.check('#saved');
    await page.click('#continue');
    return app;
  };
  /** An agent at the desk, signed in with two steps; with or without script. */
  const agentAt = async (who: typeof AGENT, options: BrowserContextOptions = {}) => {
    const { accounts, staff } = provider.stores;
    const id = String((await findBySignInName(accounts, who.username))?.id);
    await setRoles(staff, id, ['support'], { by: 'test', at: 1 });
    const page = await visit(options);
    await page.goto(`${provider.issuer}/support`);
    await signIn(page, who);
    await setUpApp(page);
    expect(await heading(page)).toBe('Support desk');
    return page;
  };
  /** Finds the member by what the caller says, and checks the caller. */
  const openFile = async (page: Page, identifier: string, who: typeof LOCKED) => {
    await page.goto(`${provider.issuer}/support`);
    await fill(page, { identifier, 'find-reason': 'called and cannot sign in' }, 'find');
    await fill(page, said(who), 'check');
    expect(await heading(page)).toBe(`${who.firstName} ${who.lastName}`);
  };
  const act = async (page: Page, what: string, choose?: string) => {
    await page.click(`#act-${what} summary`);
    if (choose !== undefined) await page.check(`#${choose}`);
    if (await page.locator(`#${what}-sure`).count()) await page.check(`#${what}-sure`);
    await page.click(`#do-${what}`);
    return page.locator('#done').innerText();
  };
  const linkTo = async (to: string) => {
    const message = (await inboxOf(provider)).find((one) => one.to === to && one.text.includes('/invitation/'));
    return String(/https?:\/\/\S+\/invitation\/[\w-]+/.exec(message?.text ?? '')?.[0]);
  };
  const atPortal = async (page: Page, who: typeof MEMBER) => {
    await page.goto(`${provider.portal}/login`);
    await signIn(page, who);
  };
  const isIn = async (page: Page) => {
    if (await page.locator('#skip').count()) await page.click('#skip');
    await page.waitForURL(`${provider.portal}/`);
  };

  test('a member who is locked out is let try again, and hears of it', async () => {
    const page = await visit();
    await page.goto(`${provider.portal}/login`);
    for (let i = 0; i < 6; i += 1) await signIn(page, { ...LOCKED, password: `wrong ${i}` });
    expect(await heading(page)).toBe('Sign-in is paused for now');
    await openFile(agent, LOCKED.username, LOCKED);
    expect(await act(agent, 'unlock')).toBe('Sign-in was unlocked.');
    await atPortal(page, LOCKED);
    await isIn(page);
    const subjects = (await inboxOf(provider)).filter(({ to }) => to === LOCKED.email).map(({ subject }) => subject);
    expect(subjects).toContain('Our support desk unlocked sign-in');
  });

  test('a member who has lost the phone sets up a new second step by a link and the password', async () => {
    await withPhone(LOST);
    await openFile(agent, LOST.memberNumber, LOST);
    await act(agent, 'second-step', 'second-step-way-0');
    const page = await visit();
    await page.goto(await linkTo(LOST.email));
    await page.click('#continue');
    await fill(page, { password: LOST.password });
    const app = await setUpApp(page);
    expect(await heading(page)).toBe('Your new second step works');
    await atPortal(page, LOST);
    await fill(page, { code: app.code(Date.now() + 30_000) });
    await isIn(page);
  });

  test('a member who has lost everything: two people remove the second steps, then a link leads to a new password', async () => {
    await withPhone(EVERYTHING);
    await openFile(agent, EVERYTHING.email, EVERYTHING);
    expect(await act(agent, 'removal')).toContain('A second person has to decide now.');
    const second = await agentAt(SECOND_AGENT);
    await second.click('#waiting a');
    expect(await second.locator('#why').innerText()).toBe('called and cannot sign in');
    await second.fill('#approve-reason', 'called back and knew the last claim');
    await second.check('#approve-sure');
    await second.click('#approve');
    expect(await second.locator('#done').innerText()).toBe('All second steps were removed.');
    await openFile(agent, EVERYTHING.username, EVERYTHING);
    await act(agent, 'password', 'password-way-0');
    const page = await visit();
    await page.goto(await linkTo(EVERYTHING.email));
    await page.click('#continue');
    await fill(page, { 'new-password': 'many stairs to the attic' }, 'save-password');
    expect(await heading(page)).toBe('Your password was changed');
    await atPortal(page, { ...EVERYTHING, password: 'many stairs to the attic' });
    await isIn(page);
  });

  test('a member whom no message reaches gets a letter, and then has a contact and a new password', async () => {
    await edit(UNREACHED, (account) => ({ ...account, emailConfirmed: false, phoneConfirmed: false }));
    await openFile(agent, UNREACHED.memberNumber, UNREACHED);
    expect(await act(agent, 'letter')).toContain('The letter is on its way');
    const letter = (await inboxOf(provider)).find(({ to }) => to === UNREACHED.memberNumber);
    const page = await visit();
    await page.goto(String(/https?:\/\/\S+\/letter\b/.exec(letter?.text ?? '')?.[0]));
    await fill(page, said(UNREACHED));
    await fill(page, { 'member-number': UNREACHED.memberNumber });
    await fill(page, { code: String(/\b\d{6}\b/.exec(letter?.text ?? '')?.[0]) });
    await fill(page, { address: 'granddaughter.gave.me@example.com' });
    await fill(page, { code: await codeFrom(provider, 'granddaughter.gave.me@example.com') });
    expect(await page.locator('.lead').innerText()).toContain('un.reached');
    await page.click('#set-password');
    await fill(page, { username: UNREACHED.username });
    await fill(page, { code: await codeFrom(provider, 'granddaughter.gave.me@example.com') });
    await fill(page, { 'new-password': 'many stairs to the cellar' }, 'save-password');
    await atPortal(page, { ...UNREACHED, password: 'many stairs to the cellar' });
    await isIn(page);
  });

  test('a member whose membership has ended is let in for a month; the agent has no script', async () => {
    const page = await visit();
    await atPortal(page, FORMER);
    expect(await heading(page)).toBe('Your membership has ended');
    const plain = await agentAt(PLAIN_AGENT, { javaScriptEnabled: false });
    await openFile(plain, FORMER.username, FORMER);
    expect(await plain.locator('#standing').innerText()).toContain('ended');
    expect(await act(plain, 'let-in')).toBe('The member can sign in for 30 days.');
    await atPortal(page, FORMER);
    await isIn(page);
  });
});
