import { afterEach, beforeEach, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { findBySignInName } from '../../src/core/account/account.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, inboxOf } from '../support/errands.ts';
import {
  DEVELOPMENT_CLIENTS,
  DEVELOPMENT_MEMBERS,
  MEMBER,
  OTHER_MEMBER,
  type RunningProvider,
  startProvider,
} from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import { failing } from '../support/stores.ts';
import type { Answer } from '../support/visitor.ts';

const EMAIL = 'sample.member@example.com';
const NEW_EMAIL = 'new.address@example.com';
const THIEF = 'thief@example.com';

describeOnEveryStore('what a member changes about their account', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: DEVELOPMENT_CLIENTS, members: DEVELOPMENT_MEMBERS });
  });
  afterEach(() => provider.close());

  const days = (count: number) => clock.advance(count * 86_400_000);
  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string> = {}) =>
    visitor.submit(page, fields, provider.issuer);
  const account = async (name = MEMBER.username) => findBySignInName(provider.stores.accounts, name);
  const signedInAt = async (path: string, visitor = new Visitor(), member = MEMBER) => {
    const page = await submit(visitor, await go(visitor, path), member);
    return { visitor, page };
  };
  /** Sends one of the forms of a page. */
  const press = (visitor: Visitor, page: Answer, action: string, fields: Record<string, string> = {}) => {
    const token = String(
      /name="form_token" value="([^"]+)"(?![\s\S]*session-notice)/.exec(
        page.body.replace(/<form[^>]*session-notice[\s\S]*?<\/form>/, ''),
      )?.[1],
    );
    const body = new URLSearchParams({ form_token: token, ...fields });
    return visitor.fetch(provider.issuer + action, { method: 'POST', body });
  };
  /** The link in the message about this, by which this address objects. */
  const objectionTo = async (to: string, about: string): Promise<string> => {
    const message = (await inboxOf(provider)).find((one) => one.to === to && one.subject === about);
    return String(/\/not-me\/[\w-]+/.exec(String(message?.text))?.[0]);
  };
  const subjectsTo = async (to: string) =>
    (await inboxOf(provider)).filter((one) => one.to === to).map(({ subject }) => subject);
  const pathOf = (list: Answer, text: string) =>
    String(new RegExp(`href="(/account/contacts/[\\w-]+)">${text}`).exec(list.body)?.[1]);
  /** Removes a contact, or makes it the first. */
  const changeContact = async (visitor: Visitor, text: string, action: 'remove' | 'main') => {
    const path = pathOf(await go(visitor, '/account/contacts'), text);
    clock.advance(1_000);
    expect((await press(visitor, await go(visitor, path), `${path}/${action}`)).status).toBe(303);
  };
  /** Somebody who knows the password puts an address of theirs first. */
  const comeAsThief = async () => {
    const { visitor, page } = await signedInAt('/account/change/email');
    await addEmail(visitor, page, THIEF);
    await changeContact(visitor, THIEF, 'main');
    return visitor;
  };
  /** The provider anew, on a store of what expires that can be told to fail. */
  const startWithFaults = async () => {
    await provider.close();
    const stores = await pair.open(clock);
    const faults = { isDown: (_method: string, _key: string): boolean => false, close: () => stores.close() };
    const expiring = failing(stores.expiring, (method, key) =>
      faults.isDown(method, key) ? new Error('the store is down') : undefined,
    );
    const options = { clock, clients: [...DEVELOPMENT_CLIENTS, webClient()], members: DEVELOPMENT_MEMBERS };
    provider = await startProvider(pair, { ...options, stores: { ...stores, expiring } });
    return faults;
  };
  /** Adds an email address by the code that goes there. */
  const addEmail = async (visitor: Visitor, page: Answer, email = NEW_EMAIL) => {
    const code = await submit(visitor, page, { email });
    return submit(visitor, code, { code: await codeFrom(provider, email) });
  };

  test('a new email address counts once its code was typed, signs in, and the old one is told', async () => {
    const { visitor, page } = await signedInAt('/account/change/email');
    const code = await submit(visitor, page, { email: NEW_EMAIL });
    expect(code.body).toContain(NEW_EMAIL);
    expect(await account(NEW_EMAIL)).toBeUndefined();
    const wrong = await submit(visitor, code, { code: '000000' });
    expect(wrong.status).toBe(422);
    const added = await submit(visitor, wrong, { code: await codeFrom(provider, NEW_EMAIL) });
    expect(added.body).toContain('Your new contact was added.');
    expect(added.body).toContain(NEW_EMAIL);
    expect((await account(NEW_EMAIL))?.value.username).toBe(MEMBER.username);
    expect(await subjectsTo(EMAIL)).toEqual(['A contact was added to your account']);
    expect(await subjectsTo(NEW_EMAIL)).toContain('A contact was added to your account');
    await signedInAt('/account', new Visitor(), { ...MEMBER, username: NEW_EMAIL });
  });

  test('an address is changed for another, made the first, and removed; the last one stays', async () => {
    const { visitor, page } = await signedInAt('/account/contacts');
    const [own] = [...page.body.matchAll(/href="(\/account\/contacts\/[\w-]+)"/g)].map(([, path]) => String(path));
    const one = await go(visitor, String(own));
    expect(one.body).toContain(EMAIL);
    const change = String(/href="(\/account\/change\/email\?instead=[\w-]+)"/.exec(one.body)?.[1]);
    await addEmail(visitor, await go(visitor, change));
    expect((await account())?.value).toMatchObject({ email: NEW_EMAIL, emailConfirmed: true });
    expect(await subjectsTo(EMAIL)).toEqual(['A contact of your account was changed']);
    expect(await account(EMAIL)).toBeUndefined();

    await addEmail(visitor, await go(visitor, '/account/change/email'), 'third@example.com');
    await changeContact(visitor, 'third@', 'main');
    expect((await account())?.value.email).toBe('third@example.com');
    for (const text of ['third@', 'new.address@']) await changeContact(visitor, text, 'remove');
    const phone = pathOf(await go(visitor, '/account/contacts'), '\\(202\\) 555-0143');
    const refused = await press(visitor, await go(visitor, phone), `${phone}/remove`);
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('at least one way to reach you')]);
  });

  test('a phone number does not take the place of an email address', async () => {
    const { visitor, page } = await signedInAt('/account/contacts');
    const handle = String(/href="\/account\/contacts\/([\w-]+)"/.exec(page.body)?.[1]);
    const phone = await go(visitor, `/account/change/phone?instead=${handle}`);
    const code = await submit(visitor, phone, { phone: '(202) 555-0177' });
    await submit(visitor, code, { code: await codeFrom(provider, '+12025550177') });
    expect((await account())?.value).toMatchObject({ email: EMAIL, moreContacts: [{ to: '+12025550177' }] });
  });

  test('the owner is told of a change also where no link to object by can be kept', async () => {
    const store = await startWithFaults();
    const { visitor, page } = await signedInAt('/account/change/email');
    const code = await submit(visitor, page, { email: NEW_EMAIL });
    const typed = await codeFrom(provider, NEW_EMAIL);
    store.isDown = (method, key) => method === 'put' && key.startsWith('not-me:');
    expect((await visitor.post(code, { code: typed })).status).toBe(500);
    expect(await subjectsTo(EMAIL)).toEqual(['A contact was added to your account']);
    await store.close();
  });

  test('two people may have one address: nobody is told, and it signs in neither', async () => {
    const { visitor, page } = await signedInAt('/account/change/email', new Visitor(), OTHER_MEMBER);
    const added = await addEmail(visitor, page, EMAIL);
    expect(added.body).toContain('Your new contact was added.');
    expect(await account(EMAIL)).toBeUndefined();
    expect((await account())?.value.email).toBe(EMAIL);
  });

  test('a code is good for its own journey and address alone', async () => {
    const { visitor, page } = await signedInAt('/account/change/email');
    const first = await submit(visitor, page, { email: NEW_EMAIL });
    const code = await codeFrom(provider, NEW_EMAIL);
    const back = await go(visitor, `${new URL(first.url).pathname}/address`);
    const other = await submit(visitor, back, { email: 'thief@example.com' });
    expect((await submit(visitor, other, { code })).status).toBe(422);
    expect(await account('thief@example.com')).toBeUndefined();
  });

  test('sessions are listed with their devices, and each can be ended from another', async () => {
    const phone = new Visitor({
      'user-agent':
        'Mozilla/5.0 (Linux; Android 13; SM-G981B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.0.0 Mobile Safari/537.36',
    });
    const portal = await phone.go(`${provider.portal}/login`, provider.issuer);
    const back = await submit(phone, portal, MEMBER);
    // The portal redeems its code.
    await phone.go(back.url, provider.portal);
    clock.advance(60_000);
    const { visitor, page } = await signedInAt('/account/sessions');
    expect(page.body).toContain('This device');
    expect(page.body).toContain('Chrome, Android');
    expect(page.body).toContain('Used for Member Portal');
    const handle = String(/name="session" value="([^"]+)"/.exec(page.body)?.[1]);
    const ended = await press(visitor, page, '/account/sessions/end', { session: handle });
    expect(ended.headers.get('location')).toBe('/account/sessions?done=session-ended');
    expect((await go(phone, '/account')).body).toContain('id="password"');
    expect((await go(visitor, '/account/sessions')).body).not.toContain('Chrome, Android');
    await provider.work();
    expect(provider.log.join('')).toContain('"clientId":"member-portal","msg":"logout token delivered"');
  });

  test('a session of somebody else cannot be ended by its handle', async () => {
    const { visitor: other, page: theirs } = await signedInAt('/account/sessions', new Visitor(), OTHER_MEMBER);
    const mine = await signedInAt('/account/sessions');
    const second = await signedInAt('/account/sessions');
    const handle = String(/name="session" value="([^"]+)"/.exec(second.page.body)?.[1]);
    await press(other, theirs, '/account/sessions/end', { session: handle });
    expect((await go(mine.visitor, '/account')).body).toContain('Signed in as');
  });

  test('a connected app is shown with what it may see; disconnected, its tokens are dead and it asks again', async () => {
    const visitor = new Visitor();
    const asked = await submit(visitor, await visitor.go(`${provider.portal}/partner/login`, provider.issuer), MEMBER);
    const back = await submit(visitor, asked, { decision: 'allow' });
    await visitor.go(back.url, provider.portal);
    const page = await go(visitor, '/account/apps');
    expect(page.body).toContain('Step by Step Walking App');
    const tokens = await provider.stores.expiring.members(`account:Grant:${(await account())?.id}`);
    expect(tokens.length).toBeGreaterThan(0);
    const done = await press(visitor, page, '/account/apps/disconnect', { app: 'walking-app' });
    expect(done.headers.get('location')).toBe('/account/apps?done=app-disconnected');
    expect((await go(visitor, '/account/apps')).body).toContain('No app outside your plan');
    const again = await visitor.go(`${provider.portal}/partner/login`, provider.issuer);
    expect(again.body).toContain('id="allow"');
    await provider.work();
    expect(provider.log.join('')).toContain('"clientId":"walking-app","msg":"logout token delivered"');
    expect((await go(visitor, '/account/activity')).body).toContain('You disconnected Step by Step Walking App');
  });

  test('an app that there is not is not disconnected, and not put down', async () => {
    const { visitor, page } = await signedInAt('/account/profile');
    for (const app of ['x'.repeat(10_000), '__proto__', 'a\u0000b'])
      expect((await press(visitor, page, '/account/apps/disconnect', { app })).headers.get('location')).toBe(
        '/account/apps',
      );
    expect((await go(visitor, '/account/activity')).body).not.toContain('You disconnected');
  });

  test('activity says in plain words what happened, page by page', async () => {
    const { visitor, page } = await signedInAt('/account/activity');
    expect(page.body).toContain('Signed in to Your account');
    for (let i = 0; i < 30; i += 1) {
      clock.advance(1_000);
      const id = String((await account())?.id);
      await provider.stores.trail.insert(`${id}/${9_999_999_999_999 - clock.now()}-x${i}`, {
        ...{ accountId: id, at: clock.now(), what: 'signed-out' as const },
      });
    }
    const first = await go(visitor, '/account/activity');
    expect(first.body.match(/Signed out/g)).toHaveLength(25);
    const older = await go(visitor, String(/href="(\/account\/activity\?after=[^"]+)"/.exec(first.body)?.[1]));
    expect(older.body.match(/Signed out/g)).toHaveLength(5);
    expect(older.body).toContain('Signed in to Your account');
    // What somebody else may type there finds nothing of others.
    expect((await go(visitor, '/account/activity?after=../x')).status).toBe(200);
  });

  test('the download holds what is kept, and nothing that opens the account', async () => {
    const visitor = new Visitor();
    const setUp = await submit(visitor, await go(visitor, '/account/change/second-step'), MEMBER);
    const { app, codes } = await setUpApp(visitor, setUp, provider.issuer, () => clock.now());
    clock.advance(30_000);
    const again = await submit(visitor, await go(visitor, '/account/data.json'), MEMBER);
    const file = await submit(visitor, again, { code: app.code(clock.now()) });
    expect(file.headers.get('content-disposition')).toContain('attachment');
    const data = JSON.parse(file.body);
    expect(data).toMatchObject({
      account: { username: MEMBER.username, memberNumber: 'MHP-100-2001' },
      contacts: [{ kind: 'email', to: EMAIL }, { kind: 'mobile' }],
      secondSteps: [{ kind: 'authenticator app' }, { kind: 'recovery codes', count: 10 }],
    });
    expect(data.activity.map(({ what }: { what: string }) => what)).toContain('second-step-added');
    const stored = await account();
    const secrets = [...codes, stored?.value.password.phc, stored?.value.factors?.totp?.sealed, 'argon2', 'sealed'];
    for (const secret of secrets) expect(file.body).not.toContain(String(secret));
  });

  test('closing asks twice, waits, can be taken back, and then leaves nothing', async () => {
    const { visitor, page } = await signedInAt('/account/change/close');
    expect((await submit(visitor, page)).status).toBe(422);
    const sure = await submit(visitor, page, { understood: 'yes' });
    expect((await submit(visitor, sure, { username: 'somebody' })).status).toBe(422);
    const asked = await submit(visitor, sure, { username: MEMBER.username.toUpperCase() });
    expect(asked.body).toContain('Your account will be closed on');
    expect(await subjectsTo(EMAIL)).toEqual(['Your account will be closed']);
    expect((await submit(visitor, asked)).body).toContain('Your account stays open.');
    days(15);
    await provider.work();
    expect(await account()).toBeDefined();

    const again = await signedInAt('/account/change/close');
    const next = await submit(again.visitor, again.page, { understood: 'yes' });
    await submit(again.visitor, next, { username: MEMBER.username });
    const id = String((await account())?.id);
    days(13);
    await provider.work();
    expect(await account()).toBeDefined();
    days(1);
    await provider.work();
    expect(await provider.stores.accounts.find(id)).toBeUndefined();
    expect(await account()).toBeUndefined();
    expect((await go(again.visitor, '/account')).body).toContain('id="password"');
    expect(await subjectsTo(EMAIL)).toContain('Your account was closed');
    const refused = await submit(new Visitor(), await go(new Visitor(), '/account'), MEMBER);
    expect(refused.body).not.toContain('Signed in as');
  });

  test('"This wasn\'t me" throws the thief out, puts back what they changed, and lets nobody in until a reset', async () => {
    // Somebody who has the password has come in.
    const thief = await comeAsThief();
    await changeContact(thief, EMAIL, 'remove');
    clock.advance(1_000);
    const setUp = await go(thief, '/account/change/second-step');
    await setUpApp(thief, setUp, provider.issuer, () => clock.now());
    expect((await account())?.value).toMatchObject({ email: THIEF });

    // The owner reads the message that came last to the old address.
    const owner = new Visitor();
    const link = await objectionTo(EMAIL, 'A contact was removed from your account');
    const page = await go(owner, link);
    expect(page.body).toContain('Was this not you?');
    // A scanner that opens the link changes nothing.
    expect((await go(thief, '/account')).body).toContain('Signed in as');
    const secured = await submit(owner, page);
    expect(secured.body).toContain('Your account is secured');
    expect((await go(thief, '/account')).body).toContain('id="password"');
    const value = (await account())?.value;
    expect(value).toMatchObject({ email: EMAIL, emailConfirmed: true, resetDemanded: true });
    expect(value?.factors?.totp).toBeUndefined();
    expect(value?.moreContacts).toBeUndefined();
    const number = String(/id="case-number"[^>]*>([^<]+)</.exec(secured.body)?.[1]);
    expect((await provider.stores.cases.find(number))?.value).toMatchObject({
      what: 'contact-removed',
      status: 'open',
    });
    expect((await go(owner, link)).status).toBe(410);

    // The password that the thief knows opens nothing, and says so only to who knows it.
    const refused = await submit(new Visitor(), await go(new Visitor(), '/account'), MEMBER);
    expect(refused.status).not.toBe(303);
    const visitor = new Visitor();
    const stopped = await submit(visitor, await go(visitor, '/account'), MEMBER);
    expect([stopped.status, stopped.body]).toEqual([403, expect.stringContaining('Set a new password first')]);

    const named = await submit(owner, await go(owner, '/forgot-password'), { username: MEMBER.username });
    const chosen = await submit(owner, named, { code: await codeFrom(provider, EMAIL) });
    await submit(owner, chosen, { 'new-password': 'nine patient otters float' });
    const { page: back } = await signedInAt('/account', owner, { ...MEMBER, password: 'nine patient otters float' });
    expect(back.body).toContain('Signed in as Sample');
  });

  test('a thief’s own links are dead once the owner has objected to what they did', async () => {
    const thief = await comeAsThief();
    await changeContact(thief, EMAIL, 'remove');
    const theirs = await objectionTo(THIEF, 'A contact was removed from your account');
    const owner = new Visitor();
    await submit(owner, await go(owner, await objectionTo(EMAIL, 'A contact was added to your account')));
    expect((await go(thief, theirs)).status).toBe(410);
    expect((await account())?.value.moreContacts).toBeUndefined();
    expect((await account())?.value.email).toBe(EMAIL);
  });

  test('who objects while sessions cannot be ended has their own contacts back all the same', async () => {
    const store = await startWithFaults();
    const thief = await comeAsThief();
    await changeContact(thief, EMAIL, 'remove');
    const owner = new Visitor();
    const page = await go(owner, await objectionTo(EMAIL, 'A contact was removed from your account'));
    store.isDown = (method, key) => method === 'members' && key.startsWith('account:');
    expect((await owner.post(page, {})).status).toBe(500);
    expect((await account())?.value).toMatchObject({ email: EMAIL, resetDemanded: true });
    store.isDown = () => false;
    expect((await submit(owner, page)).body).toContain('Your account is secured');
    expect((await go(thief, '/account')).body).toContain('id="password"');
    await store.close();
  });

  test('a reset that was cut off before what was open had ended is finished without the member', async () => {
    const store = await startWithFaults();
    const app = await RelyingParty.discover(provider.issuer);
    const started = await app.start();
    const { refresh_token } = await app.redeem(
      (await signIn(new Visitor(), provider.issuer, started, MEMBER)).url,
      started,
    );
    const refreshed = () => openid.refreshTokenGrant(app.config, String(refresh_token));
    const owner = new Visitor();
    const named = await submit(owner, await go(owner, '/forgot-password'), { username: MEMBER.username });
    const chosen = await submit(owner, named, { code: await codeFrom(provider, EMAIL) });
    store.isDown = (method, key) => method === 'members' && key.startsWith('account:');
    expect((await owner.post(chosen, { 'new-password': 'nine patient otters float' })).status).toBe(500);
    store.isDown = () => false;
    expect((await account())?.value.deviceEpoch).toBe(1);
    expect(await subjectsTo(EMAIL)).not.toContain('Your password was changed');

    clock.advance(31_000);
    await provider.work();
    await expect(refreshed()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await subjectsTo(EMAIL)).toContain('Your password was changed');
    // Once: nobody is signed out again afterwards.
    const { visitor } = await signedInAt('/account', new Visitor(), {
      ...MEMBER,
      password: 'nine patient otters float',
    });
    clock.advance(120_000);
    await provider.work();
    expect((await go(visitor, '/account')).body).toContain('Signed in as');
    await store.close();
  });

  test('an address that somebody has added comes back by no link, whoever removed it', async () => {
    await comeAsThief();
    const owner = (await signedInAt('/account/contacts')).visitor;
    await changeContact(owner, THIEF, 'remove');
    const thief = new Visitor();
    await submit(thief, await go(thief, await objectionTo(THIEF, 'A contact was removed from your account')));
    const { email, moreContacts, resetDemanded } = { ...(await account())?.value };
    expect([email, moreContacts, resetDemanded]).toEqual([EMAIL, undefined, true]);
  });

  test('a thief who came twice is gone whichever of the links the owner follows', async () => {
    await comeAsThief();
    const again = (await signedInAt('/account/contacts')).visitor;
    await changeContact(again, EMAIL, 'remove');
    const owner = new Visitor();
    await submit(owner, await go(owner, await objectionTo(EMAIL, 'A contact was removed from your account')));
    expect((await account())?.value.moreContacts).toBeUndefined();
    expect((await account())?.value.email).toBe(EMAIL);
  });

  test('a second step of these days goes with an objection, and then a code alone opens the reset only after a day', async () => {
    const visitor = new Visitor();
    const setUp = await submit(visitor, await go(visitor, '/account/change/second-step'), MEMBER);
    const { app } = await setUpApp(visitor, setUp, provider.issuer, () => clock.now());
    clock.advance(30_000);
    // In another session, as somebody who has come twice.
    const other = new Visitor();
    const step = await submit(other, await go(other, '/account/change/email'), MEMBER);
    await addEmail(other, await submit(other, step, { code: app.code(clock.now()) }));
    const owner = new Visitor();
    await submit(owner, await go(owner, await objectionTo(EMAIL, 'A contact was added to your account')));
    const reset = async () => {
      const page = await submit(owner, await go(owner, '/forgot-password'), { username: MEMBER.username });
      return submit(owner, page, { code: await codeFrom(provider, EMAIL) });
    };
    const waits = await reset();
    expect([waits.status, waits.body]).toEqual([403, expect.stringContaining('Please wait a day')]);
    days(1);
    expect((await reset()).body).toContain('Choose a new password');
  });

  test('the link of the address that was removed works for a week', async () => {
    const { visitor, page } = await signedInAt('/account/change/email');
    await addEmail(visitor, page);
    const link = await objectionTo(EMAIL, 'A contact was added to your account');
    days(7);
    expect((await go(new Visitor(), link)).status).toBe(410);
    expect((await go(new Visitor(), '/not-me/short')).status).toBe(410);
  });
});
