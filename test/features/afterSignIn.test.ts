import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { findBySignInName, markBounced } from '../../src/core/account/account.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom } from '../support/errands.ts';
import { PasskeyDevice, signInWithPasskey } from '../support/passkeyDevice.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { codesOn } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const DAY = 86_400_000;

describeOnEveryStore('after the sign-in', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: [webClient()] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string> = {}) =>
    visitor.submit(page, fields, provider.issuer);
  const account = async () => findBySignInName(provider.stores.accounts, MEMBER.username);
  /** Signs in on a device that can make passkeys, or with other fields. */
  const signIn = async (fields: Record<string, string> = { can_passkey: 'yes' }, visitor = new Visitor()) => {
    const started = await app.start();
    const first = await visitor.go(started.url, provider.issuer);
    return { started, visitor, page: await submit(visitor, first, { ...MEMBER, ...fields }) };
  };
  const isBack = ({ url }: Answer) => url.startsWith('https://app.example/callback?code=');

  test('a passkey is offered on a device that can make one, made, and signs in from then on', async () => {
    const { started, visitor, page } = await signIn();
    expect(page.body).toContain('Sign in faster next time?');
    expect(page.body).toContain('Make one only on a device that nobody else uses.');
    const setup = await submit(visitor, page, { answer: 'make' });
    const device = new PasskeyDevice();
    const codes = await submit(visitor, setup, device.answer(setup));
    expect(codesOn(codes)).toHaveLength(10);
    const back = await submit(visitor, codes, { saved: 'yes' });
    const claims = decodeJwt(String((await app.redeem(back.url, started)).id_token));
    expect(claims).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'pop', 'user', 'mfa'] });

    const other = new Visitor();
    const first = await other.go((await app.start()).url, provider.issuer);
    expect(isBack(await signInWithPasskey(other, first, device, provider.issuer))).toBe(true);
    // Who has one is not asked again.
    expect((await signIn()).page.body).toContain('Use your passkey');
  });

  test('"Not now" asks again in a month, "Don\'t ask again" never', async () => {
    const first = await signIn();
    expect(isBack(await submit(first.visitor, first.page, { answer: 'skip' }))).toBe(true);
    expect(isBack((await signIn()).page)).toBe(true);
    clock.advance(30 * DAY);
    const again = await signIn();
    expect(isBack(await submit(again.visitor, again.page, { answer: 'never' }))).toBe(true);
    clock.advance(100 * DAY);
    expect(isBack((await signIn()).page)).toBe(true);
  });

  test('nobody is held up on a device that cannot make one, or on a shared computer', async () => {
    expect(isBack((await signIn({})).page)).toBe(true);
    expect(isBack((await signIn({ can_passkey: 'yes', shared: 'yes' })).page)).toBe(true);
    expect(isBack((await signIn({ can_passkey: '' })).page)).toBe(true);
  });

  test('who finds that making one does not work here leaves it', async () => {
    const { visitor, page } = await signIn();
    const setup = await submit(visitor, page, { answer: 'make' });
    const failed = await submit(visitor, setup, { passkey: '{"id":"AAAA"}' });
    expect(failed.status).toBe(422);
    const path = String(/href="(\/interaction\/[\w-]+\/offer)"/.exec(failed.body)?.[1]);
    expect(isBack(await submit(visitor, await go(visitor, path), { answer: 'skip' }))).toBe(true);
    expect((await account())?.value.factors).toBeUndefined();
  });

  test('a second step stands before the offer, and before what is made by it', async () => {
    const visitor = new Visitor();
    const enrolment = await submit(visitor, await go(visitor, '/account/change/second-step'), MEMBER);
    const number = await submit(visitor, enrolment, { method: 'text' });
    const code = await submit(visitor, number, { phone: '(202) 555-0177' });
    await submit(visitor, code, { code: await codeFrom(provider, '+12025550177') });

    const other = await signIn();
    expect(other.page.body).toContain('Type the code from your phone');
    const skipped = `${new URL(other.page.url).pathname}/offer`;
    const posted = await other.visitor.post(
      { ...other.page, body: other.page.body.replaceAll('/second', '/offer') },
      { answer: 'make' },
    );
    expect(posted.status).toBe(303);
    expect((await go(other.visitor, skipped)).body).not.toContain('Sign in faster');
    const asked = await submit(other.visitor, await go(other.visitor, new URL(other.page.url).pathname), {
      send: 'sms',
    });
    const offer = await submit(other.visitor, asked, { code: await codeFrom(provider, '+12025550177') });
    expect(offer.body).toContain('Sign in faster next time?');
    const setup = await submit(other.visitor, offer, { answer: 'make' });
    expect(isBack(await submit(other.visitor, setup, new PasskeyDevice().answer(setup)))).toBe(true);
    expect((await account())?.value.factors?.passkeys).toHaveLength(1);
  });

  test('a passkey that was removed here is told from one that does not work', async () => {
    const visitor = new Visitor();
    const first = await visitor.go((await app.start()).url, provider.issuer);
    const form = { ...first, body: String(/<form[^>]*class="passkey"[\s\S]*?<\/form>/.exec(first.body)?.[0]) };
    const refused = await submit(visitor, form, { passkey: '{"id":"AAAA"}' });
    expect([refused.status, refused.body]).toEqual([
      404,
      expect.stringContaining('does not belong to an account here'),
    ]);
    expect(refused.body).toContain('&#34;credentialId&#34;:&#34;AAAA&#34;');
  });

  test('contacts are asked about once in half a year', async () => {
    expect(isBack((await signIn({})).page)).toBe(true);
    clock.advance(180 * DAY);
    const { visitor, page } = await signIn({});
    expect(page.body).toContain('Is this still how to reach you?');
    expect(page.body).toContain('s•••@example.com');
    expect(isBack(await submit(visitor, page, { answer: 'yes' }))).toBe(true);
    expect(isBack((await signIn({})).page)).toBe(true);
    clock.advance(179 * DAY);
    expect(isBack((await signIn({})).page)).toBe(true);
    clock.advance(1 * DAY);
    const again = await signIn({});
    expect(isBack(await submit(again.visitor, again.page, { answer: 'later' }))).toBe(true);
  });

  test('who changes them there comes back, and goes on to the app', async () => {
    clock.advance(180 * DAY);
    const { visitor, page } = await signIn({});
    const contacts = await go(visitor, String(/id="change-contacts"[^>]*href="([^"]+)"/.exec(page.body)?.[1]));
    const add = String(/id="add-email" href="([^"]+)"/.exec(contacts.body)?.[1]);
    const email = await submit(visitor, await go(visitor, add), MEMBER);
    const code = await submit(visitor, email, { email: 'second@example.com' });
    const added = await submit(visitor, code, { code: await codeFrom(provider, 'second@example.com') });
    expect(added.body).toContain('Your new contact was added.');
    const review = await go(visitor, String(/id="continue" class="button" href="([^"]+)"/.exec(added.body)?.[1]));
    expect(review.body).toContain('Is this still how to reach you?');
    expect(isBack(await submit(visitor, review, { answer: 'yes' }))).toBe(true);
  });

  test('contacts are asked about when a message came back, and an app that may ask nobody hears nothing of it', async () => {
    const id = String((await account())?.id);
    await markBounced(provider.stores.accounts, id, 'sample.member@example.com');
    const { visitor, page } = await signIn({});
    expect(page.body).toContain('A message to it came back');
    const silent = await visitor.go((await app.start({ prompt: 'none' })).url, provider.issuer);
    expect(isBack(silent)).toBe(true);
    expect(isBack(await submit(visitor, await go(visitor, new URL(page.url).pathname), { answer: 'later' }))).toBe(
      true,
    );
    expect((await account())?.value.bounced).toBeUndefined();
  });
});
