import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, identify, inboxOf } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { personOf, rosterRow } from '../support/roster.ts';
import type { Answer } from '../support/visitor.ts';

const HOUR = 3_600_000;
const NUMBER = 'MHP-100-2801';
/** The account still has the address of before; the plan has the one of now. */
const MOVED = {
  ...{ ...MEMBER, username: 'moved.member', email: 'of.before@example.com', phone: '+12025550181' },
  ...{ memberNumber: NUMBER, firstName: 'Sample', lastName: 'Member', birthDate: '1964-07-21', postalCode: '97202' },
};
const NOW = 'of.now@example.com';
const { firstName, lastName, postalCode } = personOf(NUMBER);
const DETAILS = {
  ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': postalCode },
  ...{ 'birth-month': '7', 'birth-day': '21', 'birth-year': '1964' },
};
const PASSWORD = 'four kites above the bay';

describeOnEveryStore('a member who has lost the phone and the email of the account', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeEach(async () => {
    clock = new TestClock();
    provider = await startProvider(pair, {
      ...{ clock, clients: [webClient()], members: [MOVED] },
      roster: [rosterRow(NUMBER, { email: NOW }), rosterRow('MHP-100-2802', { email: 'nobody.yet@example.com' })],
    });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  const go = (path: string, visitor = new Visitor()) => visitor.go(provider.issuer + path, provider.issuer);
  /** By the link on the page that asks for a code which never reaches them, as far as the wait. */
  const wait = async (): Promise<Answer> => {
    const visitor = new Visitor();
    const code = await submit(visitor, await go('/forgot-password', visitor), { username: MOVED.username });
    expect(code.body).toContain('id="lost-contact" href="/lost-contact"');
    const page = await identify(visitor, provider, { person: DETAILS, number: NUMBER }, 'lost-contact');
    const delay = await submit(visitor, page, { code: await codeFrom(provider, NOW) });
    expect(delay.body).toContain('We wait a day first');
    return submit(visitor, delay, {});
  };
  const subjects = async () => (await inboxOf(provider)).map(({ to, subject }) => [to, subject]);
  /** How many codes have come to the address of now in the last day, after a new password is asked for. */
  const codesAfterAsking = async () => {
    const visitor = new Visitor();
    await submit(visitor, await go('/forgot-password', visitor), { username: MOVED.username });
    return (await inboxOf(provider)).filter(({ to, text }) => to === NOW && text.startsWith('Your code')).length;
  };
  /** The path of the link that stops it, as it stands in the messages. */
  const stopPath = async () =>
    String(/\/stop-recovery\/[\w-]+/.exec((await inboxOf(provider)).map(({ text }) => text).join(' '))?.[0]);
  /** Sets a new password with a code that went to the address of now. */
  const reset = async (): Promise<Answer> => {
    const visitor = new Visitor();
    const page = await submit(visitor, await go('/forgot-password', visitor), { username: MOVED.username });
    const replacement = await submit(visitor, page, { code: await codeFrom(provider, NOW) });
    return submit(visitor, replacement, { 'new-password': PASSWORD });
  };

  test('waits a day, of which every address hears, and then sets a new password', async () => {
    const waiting = await wait();
    expect(waiting.body).toContain('You can set a new password from Friday, January 16');
    const told = (await inboxOf(provider)).filter(({ text }) => text.includes('/stop-recovery/'));
    expect(told.map(({ to }) => to).toSorted()).toEqual([MOVED.phone, 'of.before@example.com', NOW].toSorted());

    const link = await stopPath();
    clock.advance(23 * HOUR);
    expect(await codesAfterAsking()).toBe(1);
    expect(await subjects()).not.toContainEqual([NOW, 'You can set a new password now']);

    clock.advance(2 * HOUR);
    expect(await subjects()).toContainEqual([NOW, 'You can set a new password now']);
    expect((await reset()).body).toContain('Your password was changed');
    const now = { username: MOVED.username, password: PASSWORD };
    expect((await signIn(new Visitor(), provider.issuer, await app.start(), now)).url).toContain('code=');
    // It served once.
    clock.advance(HOUR);
    expect((await go(link)).status).toBe(410);
  });

  test('who asks again waits no longer, and nobody is told twice', async () => {
    await wait();
    clock.advance(5 * HOUR);
    expect((await wait()).body).toContain('You can set a new password from Friday, January 16');
    const told = (await inboxOf(provider)).filter(({ text }) => text.includes('/stop-recovery/'));
    expect(told).toHaveLength(3);
  });

  test('and did not ask stops it by the link, which a mail scanner may open as often as it likes', async () => {
    await wait();
    const pathname = await stopPath();
    for (let i = 0; i < 5; i += 1)
      for (const method of ['GET', 'HEAD'])
        expect((await new Visitor().fetch(provider.issuer + pathname, { method })).status).toBe(200);
    const forged = await new Visitor().fetch(provider.issuer + pathname, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    expect(forged.status).toBe(403);
    const page = await go(pathname);
    expect((await submit(new Visitor(), page, {})).body).toContain('It was stopped');
    expect((await submit(new Visitor(), page, {})).status).toBe(410);
    expect((await go(pathname)).status).toBe(410);

    clock.advance(30 * HOUR);
    expect(await subjects()).toContainEqual(['of.before@example.com', 'The other way into your account was stopped']);
    expect(await subjects()).not.toContainEqual([NOW, 'You can set a new password now']);
    expect(await codesAfterAsking()).toBe(0);
  });

  test('and did not ask stops it also where all that expires was lost meanwhile', async () => {
    await wait();
    const pathname = await stopPath();
    const stores = await pair.open(clock);
    const emptied = await startProvider(pair, { clock, stores: { ...provider.stores, expiring: stores.expiring } });
    const visitor = new Visitor();
    const page = await visitor.go(emptied.issuer + pathname, emptied.issuer);
    expect((await visitor.submit(page, {}, emptied.issuer)).body).toContain('It was stopped');
    clock.advance(30 * HOUR);
    expect(await codesAfterAsking()).toBe(0);
    await emptied.close();
    await stores.close();
  });

  test('finds it closed a week later', async () => {
    await wait();
    clock.advance((24 + 7 * 24 + 1) * HOUR);
    expect(await codesAfterAsking()).toBe(0);
  });

  test('without an account is told so after the code, and may open one', async () => {
    const visitor = new Visitor();
    const person = { ...DETAILS, 'last-name': 'Person MHP-100-2802' };
    const page = await identify(visitor, provider, { person, number: 'MHP-100-2802' }, 'lost-contact');
    const none = await submit(visitor, page, { code: await codeFrom(provider, 'nobody.yet@example.com') });
    expect(none.body).toContain('id="register"');
    expect(none.body).toContain('No account yet');
  });
});
