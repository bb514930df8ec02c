import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findBySignInName } from '../../src/core/account/account.ts';
import { removeContact } from '../../src/core/account/contactChange.ts';
import { withFactors } from '../../src/core/factors/factors.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { change } from '../../src/core/storage/collection.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, identify, inboxOf } from '../support/errands.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { personOf, rosterRow } from '../support/roster.ts';
import { setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const [MINE, THEIRS] = ['MHP-100-2851', 'MHP-100-2852'];
const [MY_MAIL, THEIR_MAIL] = ['sample.member@example.com', 'miembro.ejemplo@example.com'];
const PASSWORD = 'four kites above the bay';
const detailsOf = (number: string) => {
  const { firstName, lastName, postalCode, birthDate } = personOf(number);
  const [year = '', month = '', day = ''] = birthDate.split('-');
  return {
    ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': postalCode },
    ...{ 'birth-month': month, 'birth-day': day, 'birth-year': year },
  };
};

describeOnEveryStore('what was sent to one member', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    const roster = [MINE, THEIRS].map((number) => rosterRow(number, { email: `${number}@example.com` }));
    provider = await startProvider(pair, {
      clock,
      roster,
      clients: [webClient()],
      env: { TRUSTED_PROXIES: '127.0.0.1, ::1' },
    });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  const from = (address: string) => new Visitor({ 'x-forwarded-for': address });
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  const ask = async (visitor: Visitor, course: string, username: string) =>
    submit(visitor, await go(visitor, `/${course}`), { username });
  /** Sends the form of a step of this journey, whether it is the next or not. */
  const sendTo = (visitor: Visitor, page: Answer, step: string, fields: Record<string, string>) => {
    const form_token = String(/name="form_token" value="([^"]+)"/.exec(page.body)?.[1]);
    const home = String(/\/(journey|interaction)\/[\w-]+/.exec(page.url)?.[0]);
    const body = new URLSearchParams({ form_token, ...fields });
    return visitor.fetch(`${provider.issuer}${home}/${step}`, { method: 'POST', body });
  };
  const homeOf = (page: Answer) => String(/\/(journey|interaction)\/[\w-]+/.exec(page.url)?.[0]);
  const accountOf = async (username: string) => {
    const account = await findBySignInName(provider.stores.accounts, username);
    if (account === undefined) throw new Error(`${username} has no account`);
    return account;
  };
  /** Uses up the codes that may be sent to somebody. */
  const flood = async (username: string) => {
    for (let i = 0; i < 9; i += 1) await ask(from(`203.0.113.${100 + i}`), 'unlock', username);
  };

  test.each([false, true])('sets no password of another, who goes back and names them (capped: %s)', async (capped) => {
    const thief = from('203.0.113.1');
    const page = await ask(thief, 'forgot-password', MEMBER.username);
    const code = await codeFrom(provider, MY_MAIL);
    if (capped) await flood(OTHER_MEMBER.username);
    expect((await sendTo(thief, page, 'name', { username: OTHER_MEMBER.username })).status).toBe(303);
    const answer = await sendTo(thief, page, 'code', { code });
    expect(answer.status).toBe(422);
    expect((await go(thief, homeOf(page))).body).toContain('id="code"');
    // The code of who asked first is of no use to them any more, and that of the other opens the other's.
    if (capped) return;
    const right = await sendTo(thief, page, 'code', { code: await codeFrom(provider, THEIR_MAIL) });
    expect(right.status).toBe(303);
  });

  test('opens no account of another, who goes back and types their card', async () => {
    const thief = from('203.0.113.1');
    const contact = await identify(thief, provider, { person: detailsOf(MINE), number: MINE });
    const page = await submit(thief, contact, { way: '0' });
    const code = await codeFrom(provider, `${MINE}@example.com`);
    await sendTo(thief, page, 'person', detailsOf(THEIRS));
    await sendTo(thief, page, 'member', { 'member-number': THEIRS });
    await sendTo(thief, page, 'contact', { way: '0' });
    expect((await sendTo(thief, page, 'code', { code })).status).toBe(422);
  });

  test('confirms no address but the one that it went to', async () => {
    const visitor = from('203.0.113.1');
    const contact = await identify(visitor, provider, { person: detailsOf(MINE), number: MINE });
    const code = await submit(visitor, contact, { way: '0' });
    const contacts = await submit(visitor, code, { code: await codeFrom(provider, `${MINE}@example.com`) });
    const fields = { phone: '', terms: 'yes' };
    const confirm = await submit(visitor, contacts, { ...fields, email: 'mine@example.com' });
    const own = await codeFrom(provider, 'mine@example.com');
    await sendTo(visitor, confirm, 'contacts', { ...fields, email: THEIR_MAIL });
    expect((await sendTo(visitor, confirm, 'confirmation', { code: own })).status).toBe(422);
    // Corrected once more, the next code is good, though one was used up in between.
    await sendTo(visitor, confirm, 'contacts', { ...fields, email: 'mine@example.com' });
    const again = await codeFrom(provider, 'mine@example.com');
    expect((await sendTo(visitor, confirm, 'confirmation', { code: again })).status).toBe(303);
    await sendTo(visitor, confirm, 'contacts', { ...fields, email: 'other@example.com' });
    await sendTo(visitor, confirm, 'contacts', { ...fields, email: 'mine@example.com' });
    const third = await codeFrom(provider, 'mine@example.com');
    expect((await sendTo(visitor, confirm, 'confirmation', { code: third })).status).toBe(303);
  });

  test('is no second step of another, whose password was stolen', async () => {
    for (const [{ username }, to] of [
      [MEMBER, '+12025550111'],
      [OTHER_MEMBER, '+12025550122'],
    ] as const) {
      const { id } = await accountOf(username);
      await change(provider.stores.accounts, id, (account) => withFactors(account, { phone: { to, addedAt: 1 } }));
    }
    const thief = from('203.0.113.1');
    const page = await signIn(thief, provider.issuer, await app.start(), MEMBER);
    await sendTo(thief, page, 'second', { send: 'sms' });
    const code = await codeFrom(provider, '+12025550111');
    // Their own password is set anew elsewhere, which makes the journey begin again.
    const { id } = await accountOf(MEMBER.username);
    await change(provider.stores.accounts, id, (account) => ({ ...account, deviceEpoch: account.deviceEpoch + 1 }));
    expect((await sendTo(thief, page, 'password', OTHER_MEMBER)).status).toBe(303);
    expect((await go(thief, homeOf(page))).body).toContain('ends in 22');
    expect((await sendTo(thief, page, 'second', { code })).status).toBe(410);
  });

  test('as a second step is none for another’s new password', async () => {
    const enrolling = new Visitor();
    const offered = await signIn(enrolling, provider.issuer, await app.start({ acr_values: ACR.aal2 }), MEMBER);
    const { app: authenticator } = await setUpApp(enrolling, offered, provider.issuer, () => clock.now());
    const { id } = await accountOf(OTHER_MEMBER.username);
    await change(provider.stores.accounts, id, (account) =>
      withFactors(account, { phone: { to: '+12025550122', addedAt: 1 } }),
    );
    // Two journeys as far as the new password.
    const journeys = [];
    for (let i = 0; i < 2; i += 1) {
      const visitor = from(`203.0.113.${i + 1}`);
      const page = await ask(visitor, 'forgot-password', MEMBER.username);
      const second = await submit(visitor, page, { code: await codeFrom(provider, MY_MAIL) });
      clock.advance(30_000);
      journeys.push({ visitor, page: await submit(visitor, second, { code: authenticator.code(clock.now()) }) });
    }
    const [first, other] = journeys as [(typeof journeys)[0], (typeof journeys)[0]];
    await submit(first.visitor, first.page, { 'new-password': PASSWORD });
    // The other's is void, all of it.
    const void_ = await submit(other.visitor, other.page, { 'new-password': 'three lamps on the stairs' });
    expect(void_.body).toContain('id="username"');
    const named = await submit(other.visitor, void_, { username: OTHER_MEMBER.username });
    const second = await submit(other.visitor, named, { code: await codeFrom(provider, THEIR_MAIL) });
    expect(second.body).toContain('ends in 22');
    expect((await sendTo(other.visitor, second, 'replacement', { 'new-password': PASSWORD })).status).toBe(303);
    expect((await go(other.visitor, homeOf(second))).body).toContain('ends in 22');
  });

  test('is not kept from its owner at sign-in by strangers who ask for codes', async () => {
    const { id } = await accountOf(MEMBER.username);
    await change(provider.stores.accounts, id, (account) =>
      withFactors(account, { phone: { to: '+12025550143', addedAt: 1 } }),
    );
    await flood(MEMBER.username);
    const visitor = from('203.0.113.1');
    const page = await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const sent = await submit(visitor, page, { send: 'sms' });
    const back = await submit(visitor, sent, { code: await codeFrom(provider, '+12025550143') });
    expect(back.url).toContain('code=');
  });

  test('the same is said of a code that is none, long after, to whoever typed a name that is nobody’s', async () => {
    const answers = [];
    for (const username of [MEMBER.username, 'nobody.here']) {
      const visitor = from('203.0.113.1');
      const page = await ask(visitor, 'forgot-password', username);
      await submit(visitor, page, { send: 'sms' });
      clock.advance(12 * 60_000);
      answers.push((await submit(visitor, page, { code: '000000' })).status);
    }
    expect(answers).toEqual([422, 422]);
  });

  test('unlocks a name in whatever letters it is written, on a device that is known', async () => {
    const { id } = await accountOf(MEMBER.username);
    await change(provider.stores.accounts, id, (account) => ({ ...account, username: 'Sample.Member' }));
    const visitor = from('203.0.113.1');
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const tryOnce = async (password: string) =>
      signIn(visitor, provider.issuer, await app.start({ prompt: 'login' }), { ...MEMBER, password });
    for (let i = 0; i < 6; i += 1) await tryOnce('wrong');
    expect((await tryOnce(MEMBER.password)).status).toBe(429);
    const page = await ask(visitor, 'unlock', 'SAMPLE.member');
    const done = await submit(visitor, page, { code: await codeFrom(provider, MY_MAIL) });
    expect(done.body).toContain('Sign-in is unlocked');
    expect((await tryOnce(MEMBER.password)).url).toContain('code=');
  });

  test('sets no new password once the owner has taken the contact away that it went to', async () => {
    const { id } = await accountOf(MEMBER.username);
    await change(provider.stores.accounts, id, (account) => ({
      ...account,
      moreContacts: [{ kind: 'email', to: 'mine@example.com' } as const],
    }));
    // Somebody reads the mailbox, and waits with the last page open.
    const thief = from('203.0.113.1');
    const named = await ask(thief, 'forgot-password', MEMBER.username);
    const chosen = await submit(thief, named, { code: await codeFrom(provider, MY_MAIL) });
    await removeContact(provider.stores.accounts, id, MY_MAIL, 1);
    await submit(thief, chosen, { 'new-password': PASSWORD });
    const signedIn = await signIn(from('203.0.113.2'), provider.issuer, await app.start(), MEMBER);
    expect(signedIn.url).toContain('code=');
  });

  test('a sign-in that was under way when the password changed ends at the sign-in page', async () => {
    const intruder = from('203.0.113.1');
    const page = await intruder.go((await app.start()).url, provider.issuer);
    const proven = await intruder.post(page, MEMBER);
    const resume = new URL(String(proven.headers.get('location')), page.url).href;
    expect(resume).toMatch(/\/auth\/[\w-]+$/);
    // The owner sets a new password, and ends what is open.
    const owner = from('203.0.113.2');
    const named = await ask(owner, 'forgot-password', MEMBER.username);
    const replacement = await submit(owner, named, { code: await codeFrom(provider, MY_MAIL) });
    await submit(owner, replacement, { 'new-password': PASSWORD });

    const after = await intruder.go(resume, provider.issuer);
    expect(after.url).not.toContain('code=');
    expect(after.body).toContain('id="password"');
    expect((await intruder.go((await app.start({ prompt: 'none' })).url, provider.issuer)).url).toContain(
      'login_required',
    );
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('Your password was changed');
  });
});
