import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { findBySignInName } from '../../src/core/account/account.ts';
import { withFactors } from '../../src/core/factors/factors.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { change } from '../../src/core/storage/collection.ts';
import type { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom } from '../support/errands.ts';
import { PasskeyDevice } from '../support/passkeyDevice.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const STRICT = webClient({ client_id: 'strict', require_mfa: true });
const HIGH = { acr_values: ACR.aal2 };
const REMEMBER = { 'remember-browser': 'yes' };
const SHARED = { shared: 'yes' };
const NEW_PASSWORD = 'four kites above the bay';
const DAY = 24 * 60 * 60;

describeOnEveryStore('a browser that is remembered', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  const open = (more: { days?: string; stores?: RunningProvider['stores'] } = {}) =>
    startProvider(pair, {
      ...{ clock, clients: [webClient(), STRICT], env: { REMEMBER_BROWSER_DAYS: more.days ?? '30' } },
      ...(more.stores ? { stores: more.stores } : {}),
    });
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await open();
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  const later = (seconds = 30) => clock.advance(seconds * 1_000);
  const now = () => clock.now();
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  /** A sign-in with nobody signed in, as far as what follows the password. */
  const password = async (visitor: Visitor, parameters: Record<string, string> = {}, member: object = MEMBER) => {
    visitor.forget('session');
    const started = await app.start(parameters);
    return { started, page: await signIn(visitor, provider.issuer, started, member as typeof MEMBER) };
  };
  const claimsOf = async (back: Answer, started: Awaited<ReturnType<RelyingParty['start']>>) =>
    decodeJwt(String((await app.redeem(back.url, started)).id_token));
  const isAsked = ({ body }: Answer) => body.includes('Type the code from your app');
  const isOffered = ({ body }: Answer) => body.includes('id="remember-browser"');
  const account = async (username = MEMBER.username) => findBySignInName(provider.stores.accounts, username);
  async function enrolled(member = MEMBER): Promise<AuthenticatorApp> {
    const visitor = new Visitor();
    const { page } = await password(visitor, HIGH, member);
    const { app: authenticator } = await setUpApp(visitor, page, provider.issuer, now);
    later();
    return authenticator;
  }
  /** A member with an app, in a browser that is to be remembered. */
  async function remembered(visitor = new Visitor(), member = MEMBER) {
    const authenticator = await enrolled(member);
    const { page, started } = await password(visitor, {}, member);
    expect([isAsked(page), isOffered(page)]).toEqual([true, true]);
    const back = await submit(visitor, page, { code: authenticator.code(now()), ...REMEMBER });
    expect(await claimsOf(back, started)).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'otp', 'mfa'] });
    later();
    return { authenticator, visitor };
  }

  test('is asked for the password only, which amounts to no more than a password', async () => {
    const { visitor } = await remembered();
    const { page, started } = await password(visitor);
    expect(page.url).toContain('code=');
    expect(await claimsOf(page, started)).toMatchObject({ acr: ACR.aal1, amr: ['pwd'] });
    // A wrong password is as wrong as ever, and nobody else is remembered anywhere else.
    const wrong = await password(visitor, {}, { ...MEMBER, password: 'wrong' });
    expect(wrong.page.status).toBe(401);
    expect(isAsked((await password(new Visitor())).page)).toBe(true);
  });

  test('is one where that was wanted, also after an answer that was mended', async () => {
    const authenticator = await enrolled();
    const visitor = new Visitor();
    const { page } = await password(visitor);
    expect((await submit(visitor, page, { code: authenticator.code(now()) })).url).toContain('code=');
    expect(visitor.cookieNames()).not.toContain('remembered');
    later();
    const again = await password(visitor);
    expect(isAsked(again.page)).toBe(true);
    const wrong = await submit(visitor, again.page, { code: '000000', ...REMEMBER });
    expect([wrong.status, /id="remember-browser"[^>]* checked/.test(wrong.body)]).toEqual([422, true]);
    await submit(visitor, wrong, { code: authenticator.code(now()), ...REMEMBER });
    expect((await password(visitor)).page.url).toContain('code=');
  });

  test('is asked for two steps where an app needs them, and that is never taken as remembered', async () => {
    const { visitor, authenticator } = await remembered();
    const { page } = await password(visitor, HIGH);
    expect([isAsked(page), isOffered(page)]).toEqual([true, false]);
    const strict = await RelyingParty.discover(provider.issuer, STRICT);
    visitor.forget('session');
    expect(isAsked(await signIn(visitor, provider.issuer, await strict.start(), MEMBER))).toBe(true);

    // The session of the password alone steps up.
    expect((await password(visitor)).page.url).toContain('code=');
    const started = await app.start(HIGH);
    const up = await visitor.go(started.url, provider.issuer);
    expect([isAsked(up), isOffered(up)]).toEqual([true, false]);
    const back = await submit(visitor, up, { code: authenticator.code(now()) });
    expect(await claimsOf(back, started)).toMatchObject({ acr: ACR.aal2 });

    // A box that was not there is not ticked.
    later();
    const other = new Visitor();
    const high = await password(other, HIGH);
    await submit(other, high.page, { code: authenticator.code(now()), ...REMEMBER });
    expect(other.cookieNames()).not.toContain('remembered');
  });

  test('is none that others use too', async () => {
    const { visitor, authenticator } = await remembered();
    const shared = await password(visitor, {}, { ...MEMBER, ...SHARED });
    expect([isAsked(shared.page), isOffered(shared.page)]).toEqual([true, false]);

    const other = new Visitor();
    const there = await password(other, {}, { ...MEMBER, ...SHARED });
    expect(isOffered(there.page)).toBe(false);
    const back = await submit(other, there.page, { code: authenticator.code(now()), ...REMEMBER });
    expect(back.url).toContain('code=');
    expect(other.cookieNames()).not.toContain('remembered');
  });

  test('ends after its days, whatever the cookie says', async () => {
    const { visitor } = await remembered();
    later(30 * DAY - 60);
    expect((await password(visitor)).page.url).toContain('code=');
    const cookie = String(visitor.cookie('remembered'));
    later(120);
    expect(isAsked((await password(visitor)).page)).toBe(true);
    const until = Number(cookie.slice(0, 10));
    for (const forged of [
      ...[String(until + DAY) + cookie.slice(10), `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`],
      ...['', '.', 'x'.repeat(32), `9999999999${cookie.slice(10)}`, `${until + DAY}${'A'.repeat(22)}`],
    ]) {
      visitor.keep('remembered', forged);
      expect([forged, isAsked((await password(visitor)).page)]).toEqual([forged, true]);
    }
  });

  test('holds the shorter time where the setting says so now, and none at all where it is off', async () => {
    const { visitor } = await remembered();
    for (const days of ['7', '0']) {
      const other = await open({ days, stores: provider.stores });
      const there = await RelyingParty.discover(other.issuer);
      visitor.forget('session');
      const page = await signIn(visitor, other.issuer, await there.start(), MEMBER);
      expect([days, isAsked(page), isOffered(page)]).toEqual([days, true, days === '7']);
      await other.close();
    }
  });

  test('remembers each of several members, and none for another', async () => {
    const { visitor } = await remembered();
    await enrolled(OTHER_MEMBER);
    expect(isAsked((await password(visitor, { ui_locales: 'en' }, OTHER_MEMBER)).page)).toBe(true);
    const stolen = new Visitor();
    stolen.keep('remembered', String(visitor.cookie('remembered')));
    expect(isAsked((await password(stolen, { ui_locales: 'en' }, OTHER_MEMBER)).page)).toBe(true);
    const second = await secondOf(OTHER_MEMBER);
    await second(visitor);
    for (const member of [MEMBER, OTHER_MEMBER])
      expect((await password(visitor, {}, member)).page.url).toContain('code=');
  });

  /** Removes what a member has, and sets up an app anew. */
  async function secondOf(member: typeof MEMBER) {
    const found = await account(member.username);
    await change(provider.stores.accounts, String(found?.id), (held) => ({ ...held, factors: undefined }));
    const authenticator = await enrolled(member);
    return async (visitor: Visitor) => {
      const { page } = await password(visitor, {}, member);
      return submit(visitor, page, { code: authenticator.code(now()), ...REMEMBER });
    };
  }

  test('is forgotten with a new password', async () => {
    const { visitor, authenticator } = await remembered();
    const name = await submit(visitor, await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer), {
      username: MEMBER.username,
    });
    const second = await submit(visitor, name, { code: await codeFrom(provider, 'sample.member@example.com') });
    // What was remembered for signing in counts for nothing here.
    expect([isAsked(second), isOffered(second)]).toEqual([true, false]);
    const replacement = await submit(visitor, second, { code: authenticator.code(now()) });
    await submit(visitor, replacement, { 'new-password': NEW_PASSWORD });
    later();
    const { page } = await password(visitor, {}, { ...MEMBER, password: NEW_PASSWORD });
    expect(isAsked(page)).toBe(true);
  });

  test('is no way to a new password or new terms past the second step', async () => {
    const { visitor } = await remembered();
    const id = String((await account())?.id);
    for (const changed of [{ passwordMustChange: true }, { agreed: { terms: '2020-01', privacy: '2020-01' } }]) {
      await change(provider.stores.accounts, id, (held) => ({ ...held, ...changed }));
      expect([changed, isAsked((await password(visitor)).page)]).toEqual([changed, true]);
      await change(provider.stores.accounts, id, ({ passwordMustChange: _, ...held }) => ({
        ...held,
        agreed: undefined,
      }));
    }
    expect((await password(visitor)).page.url).toContain('code=');
  });

  test('is forgotten once a second step is added, or removed', async () => {
    const { visitor, authenticator } = await remembered();
    const { page } = await password(visitor, { acr_values: ACR.phishingResistant });
    const device = new PasskeyDevice();
    const enrolment = await submit(visitor, page, { code: authenticator.code(now()) });
    const setup = await submit(visitor, enrolment, { method: 'passkey' });
    expect((await submit(visitor, setup, device.answer(setup))).url).toContain('code=');
    later();
    const asked = await password(visitor);
    expect(asked.page.body).toContain('Use your passkey');
    const back = await submit(visitor, asked.page, { ...device.answer(asked.page), ...REMEMBER });
    expect(back.url).toContain('code=');
    expect((await password(visitor)).page.url).toContain('code=');

    const { id = '' } = (await account()) ?? {};
    await change(provider.stores.accounts, id, (held) => withFactors(held, { passkeys: [] }));
    expect(isAsked((await password(visitor)).page)).toBe(true);
  });
});
