import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { findBySignInName } from '../../src/core/account/account.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { inboxOf } from '../support/errands.ts';
import { PasskeyDevice, signInWithPasskey } from '../support/passkeyDevice.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, type Started, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { codesOn, setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const HIGH = { acr_values: ACR.aal2 };
const HIGHEST = { acr_values: ACR.phishingResistant };
const demanding = (...values: string[]) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }),
});

describeOnEveryStore('a sign-in that resists phishing', (pair) => {
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

  const later = (seconds = 30) => clock.advance(seconds * 1_000);
  const now = () => clock.now();
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  /** As far as the page after the password. */
  const password = async (visitor: Visitor, parameters: Record<string, string> = {}) => {
    const started = await app.start(parameters);
    return { started, page: await signIn(visitor, provider.issuer, started, MEMBER) };
  };
  const claimsOf = async (back: Answer, started: Started) =>
    decodeJwt(String((await app.redeem(back.url, started)).id_token));
  const factors = async () => (await findBySignInName(provider.stores.accounts, MEMBER.username))?.value.factors;
  /** The class that this session is told when it is asked without a word to the member. */
  const silently = async (visitor: Visitor, parameters: Record<string, string> = {}) => {
    const started = await app.start({ ...parameters, prompt: 'none' });
    const back = await visitor.go(started.url, provider.issuer);
    return back.url.includes('error=') ? back.url : (await claimsOf(back, started)).acr;
  };
  /** From the page that offers the passkey as far as the next after the recovery codes. */
  const makePasskey = async (visitor: Visitor, page: Answer) => {
    const device = new PasskeyDevice();
    const setup = await submit(visitor, page, { method: 'passkey' });
    const after = await submit(visitor, setup, device.answer(setup));
    const codes = codesOn(after);
    return { device, setup, codes, next: codes.length > 0 ? await submit(visitor, after, { saved: 'yes' }) : after };
  };

  test('is in the discovery document, with the other classes', () => {
    const { acr_values_supported } = app.config.serverMetadata() as { acr_values_supported?: string[] };
    expect(acr_values_supported).toEqual([ACR.aal1, ACR.aal2, ACR.phishingResistant]);
  });

  test('sets up a passkey and nothing else, and is told to who asked for it', async () => {
    const visitor = new Visitor();
    const { started, page } = await password(visitor, HIGHEST);
    expect(page.body).toContain('which is a passkey');
    expect(page.body).not.toMatch(/method-(totp|text)/);
    for (const method of ['totp', 'text', 'recovery-code'])
      expect((await submit(visitor, page, { method })).status).toBe(422);
    const { setup, codes, next } = await makePasskey(visitor, page);
    expect(setup.body).not.toContain('choose-another');
    expect(codes).toHaveLength(10);
    const tokens = await app.redeem(next.url, started);
    const amr = ['pwd', 'pop', 'user', 'mfa'];
    expect(decodeJwt(String(tokens.id_token))).toMatchObject({ acr: ACR.phishingResistant, amr });
    const refreshed = await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
    expect(decodeJwt(String(refreshed.id_token))).toMatchObject({ acr: ACR.phishingResistant, amr });
    // One session, and each app hears the class that it asked for.
    expect(await silently(visitor)).toBe(ACR.aal2);
    expect(await silently(visitor, HIGH)).toBe(ACR.aal2);
    expect(await silently(visitor, demanding(ACR.aal1, ACR.phishingResistant))).toBe(ACR.aal1);
    expect(await silently(visitor, { acr_values: `urn:other ${ACR.phishingResistant} ${ACR.aal2}` })).toBe(
      ACR.phishingResistant,
    );
  });

  test('steps up by the passkey, without the password, and by nothing less', async () => {
    const visitor = new Visitor();
    const { page, started: first } = await password(visitor, HIGH);
    const { device, codes, next } = await makePasskey(visitor, page);
    expect(await claimsOf(next, first)).toMatchObject({ acr: ACR.aal2 });
    later();
    const other = new Visitor();
    const there = await password(other, HIGH);
    const link = String(/id="other-method" href="([^"]+)"/.exec(there.page.body)?.[1]);
    const choice = await other.go(provider.issuer + link, provider.issuer);
    const form = await submit(other, choice, { method: 'recovery-code' });
    const fresh = await submit(other, form, { 'recovery-code': String(codes[0]) });
    const back = await submit(other, fresh, { saved: 'yes' });
    const before = await claimsOf(back, there.started);
    expect(before).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'otp', 'mfa'] });
    expect(await silently(other, HIGHEST)).toContain('error=login_required');

    later();
    const started = await app.start(demanding(ACR.phishingResistant));
    const asked = await other.go(started.url, provider.issuer);
    expect(asked.body).toContain('Use your passkey');
    expect(asked.body).not.toContain('id="password"');
    const up = await submit(other, asked, device.answer(asked));
    expect(await claimsOf(up, started)).toMatchObject({
      ...{ acr: ACR.phishingResistant, amr: ['pwd', 'otp', 'mfa', 'pop', 'user'] },
      // The oldest of what the class rests on: the password.
      auth_time: before.auth_time,
    });
    expect(await silently(other, HIGHEST)).toBe(ACR.phishingResistant);
    expect(await silently(other)).toBe(ACR.aal2);
  });

  test('wants the step that there is before a passkey is set up beside it', async () => {
    const enrolling = new Visitor();
    const { page: offered } = await password(enrolling, HIGH);
    const { app: authenticator, codes } = await setUpApp(enrolling, offered, provider.issuer, now);
    later();
    // With a session, without the password.
    const started = await app.start(HIGHEST);
    const asked = await enrolling.go(started.url, provider.issuer);
    expect(asked.body).toContain('Type the code from your app');
    expect(asked.body).not.toContain('id="password"');
    const home = new URL(asked.url).pathname;
    const token = String(/name="form_token" value="([^"]+)"/.exec(asked.body)?.[1]);
    for (const step of ['enrolment', 'setup', 'codes']) {
      const body = new URLSearchParams({ form_token: token, method: 'passkey', passkey: '{"id":"x"}', saved: 'yes' });
      await enrolling.fetch(`${provider.issuer}${home}/${step}`, { method: 'POST', body });
    }
    expect((await factors())?.passkeys).toBeUndefined();
    const enrolment = await submit(enrolling, asked, { code: authenticator.code(now()) });
    expect(enrolment.body).not.toMatch(/method-(totp|text)/);
    const { next, codes: again } = await makePasskey(enrolling, enrolment);
    expect(again).toEqual([]);
    expect(await claimsOf(next, started)).toMatchObject({
      ...{ acr: ACR.phishingResistant, amr: ['pwd', 'otp', 'mfa', 'pop', 'user'] },
    });
    expect(await factors()).toMatchObject({ totp: {}, passkeys: [{}] });
    expect((await inboxOf(provider)).filter(({ subject }) => subject === 'A second step was added')).toHaveLength(2);

    // Who uses a recovery code on the way sees the new one, after the new passkey.
    later();
    const lost = new Visitor();
    const { started: more, page } = await password(lost, HIGHEST);
    expect(page.body).toContain('Use your passkey');
    const choice = await lost.go(`${provider.issuer}${new URL(page.url).pathname}/method`, provider.issuer);
    const form = await submit(lost, choice, { method: 'recovery-code' });
    const onlyPasskey = await submit(lost, form, { 'recovery-code': String(codes[0]) });
    const replaced = await makePasskey(lost, onlyPasskey);
    expect(replaced.codes).toHaveLength(1);
    expect(await claimsOf(replaced.next, more)).toMatchObject({ acr: ACR.phishingResistant });
    expect((await factors())?.passkeys).toHaveLength(2);
  });

  test('is a passkey alone, which who did not ask is told as two steps', async () => {
    const visitor = new Visitor();
    const { device } = await makePasskey(visitor, (await password(visitor, HIGHEST)).page);
    for (const [parameters, acr] of [
      [{}, ACR.aal2],
      [HIGH, ACR.aal2],
      [HIGHEST, ACR.phishingResistant],
      [demanding(ACR.phishingResistant), ACR.phishingResistant],
    ] as const) {
      const browser = new Visitor();
      const started = await app.start(parameters);
      const page = await browser.go(started.url, provider.issuer);
      const back = await signInWithPasskey(browser, page, device, provider.issuer);
      expect(await claimsOf(back, started)).toMatchObject({ acr, amr: ['pop', 'user', 'mfa'] });
    }
  });
});
