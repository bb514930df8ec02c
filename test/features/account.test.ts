import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findBySignInName } from '../../src/core/account/account.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { inboxOf } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { codesOn, setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

describeOnEveryStore('the account pages', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  const open = async (env: Record<string, string> = {}) => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: [webClient()], env });
  };
  beforeEach(() => open());
  afterEach(() => provider.close());

  const now = () => clock.now();
  const later = (seconds = 30) => clock.advance(seconds * 1_000);
  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string> = {}) =>
    visitor.submit(page, fields, provider.issuer);
  /** Of the emails, in any order. */
  const subjects = async () =>
    (await inboxOf(provider))
      .filter(({ channel }) => channel === 'email')
      .map(({ subject }) => subject)
      .toSorted();
  const factors = async () => (await findBySignInName(provider.stores.accounts, MEMBER.username))?.value.factors;
  /** Comes to a page of the account and signs in there. */
  const signedInAt = async (path: string, visitor = new Visitor()) => {
    const page = await submit(visitor, await go(visitor, path), MEMBER);
    return { visitor, page };
  };
  /** The member has come from an app, as members do. */
  const fromApp = async (visitor = new Visitor()) => {
    const app = await RelyingParty.discover(provider.issuer);
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    return visitor;
  };
  /** With an authenticator app, just set up on the account's pages. */
  const withApp = async () => {
    const { visitor, page } = await signedInAt('/account/change/second-step');
    const { app, codes, next } = await setUpApp(visitor, page, provider.issuer, now);
    later();
    return { visitor, app, codes, page: next };
  };

  test('ask who comes to sign in, and lead to where they wanted', async () => {
    const { visitor, page } = await signedInAt('/account/security');
    expect(page.url).toBe(`${provider.issuer}/account/security`);
    expect(page.body).toContain('Password and second steps');
    expect((await go(visitor, '/account')).body).toContain('Signed in as Sample');
  });

  test('know who is signed in by an app, but ask to sign in again before anything changes', async () => {
    const visitor = await fromApp();
    expect((await go(visitor, '/account')).body).toContain('Signed in as Sample');
    const asked = await go(visitor, '/account/change/second-step');
    expect(asked.body).toContain('id="password"');
    expect(asked.body).toContain('value="sample.member"');
    expect(asked.body).toContain('You are signed in. To change this, please sign in once more.');
    expect((await submit(visitor, asked, MEMBER)).body).toContain('Add a second step');
  });

  test('let a second step be added, and the only one be removed', async () => {
    const { visitor, app, codes, page } = await withApp();
    expect(codes).toHaveLength(10);
    expect(page.body).toContain('Your authenticator app was added.');
    // What opened the account before was less than it can show now.
    const again = await submit(visitor, await go(visitor, '/account/security/totp'), MEMBER);
    const step = await submit(visitor, again, { code: app.code(now()) });
    expect(step.body).toContain('It is your only second step.');
    const removed = await submit(visitor, step);
    expect(removed.body).toContain('Your authenticator app was removed.');
    expect(await factors()).toEqual({ changes: 2 });
    expect(await subjects()).toEqual(['A second step was added', 'A second step was removed']);
  });

  test('do not remove the last second step where every sign-in needs two', async () => {
    await provider.close();
    await open({ MFA_POLICY: 'required' });
    const visitor = new Visitor();
    const offered = await submit(visitor, await go(visitor, '/account/security'), MEMBER);
    const { next } = await setUpApp(visitor, offered, provider.issuer, now);
    expect(next.url).toBe(`${provider.issuer}/account/security`);
    const refused = await visitor.post(await go(visitor, '/account/security/totp'), {});
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('Add another first')]);
    expect((await factors())?.totp).toBeDefined();
  });

  test('make new recovery codes, after which the old ones open nothing', async () => {
    const { visitor, app, codes: old } = await withApp();
    const again = await submit(visitor, await go(visitor, '/account/change/recovery-codes'), MEMBER);
    const confirm = await submit(visitor, again, { code: app.code(now()) });
    const shown = await submit(visitor, confirm);
    const codes = codesOn(shown);
    expect(codes).toHaveLength(10);
    expect((await submit(visitor, shown, { saved: 'yes' })).body).toContain('Your new recovery codes work now.');

    const other = new Visitor();
    const asked = await submit(other, await go(other, '/account'), MEMBER);
    await submit(other, await go(other, `${new URL(asked.url).pathname}/method`), { method: 'recovery-code' });
    const typed = async (code: string | undefined) =>
      submit(other, await go(other, new URL(asked.url).pathname), { 'recovery-code': String(code) });
    expect((await typed(old[0])).status).toBe(422);
    expect(codesOn(await typed(codes[0]))).toHaveLength(1);
  });

  test('change the password, and sign out everywhere else', async () => {
    const elsewhere = await fromApp();
    const { visitor, page } = await signedInAt('/.well-known/change-password');
    expect(page.body).toContain('Choose your new password');
    const changed = await submit(visitor, page, { 'new-password': 'seven quiet herons at dawn' });
    expect(changed.body).toContain('Your password was changed.');
    expect((await go(visitor, '/account')).body).toContain('Signed in as Sample');
    expect((await go(elsewhere, '/account')).body).toContain('id="password"');
    expect(await subjects()).toEqual(['Your password was changed']);
    // What was a fresh sign-in before still is one.
    expect((await go(visitor, '/account/change/second-step')).body).toContain('Add a second step');
  });

  test('give a stolen session nothing to change, also in the minutes after the sign-in', async () => {
    const { visitor } = await withApp();
    const thief = new Visitor();
    thief.steal(visitor, 'session');
    expect((await go(thief, '/account')).body).toContain('Signed in as Sample');
    for (const path of ['/account/change/second-step', '/account/change/password', '/account/security/totp'])
      expect((await go(thief, path)).body).toContain('id="password"');
    const security = await go(thief, '/account/security');
    const body = new URLSearchParams({ form_token: 'x' });
    const posted = await thief.fetch(`${provider.issuer}/account/security/totp/remove`, { method: 'POST', body });
    expect(posted.headers.get('location')).toContain('/auth?client_id=account-pages');
    expect(security.body).not.toContain('form_token" value="x"');
    expect((await factors())?.totp).toBeDefined();
  });

  test('take a sign-in for one of theirs only in the browser in which it was shown', async () => {
    const thief = new Visitor();
    const asked = await thief.fetch(`${provider.issuer}/account/security`);
    const state = new URL(String(asked.headers.get('location')), provider.issuer).searchParams.get('state');
    later();
    // The owner signs in after the thief has asked to; the thief comes back with that session.
    thief.steal((await signedInAt('/account')).visitor, 'session');
    const back = await thief.fetch(`${provider.issuer}/account/signed-in?code=x&state=${state}`);
    expect(back.headers.get('location')).toBe('/account/security');
    expect(thief.cookieNames()).not.toContain('confirmed');
    expect((await go(thief, '/account/change/password')).body).toContain('id="password"');
  });

  test('do not take a sign-in to an app for one of theirs', async () => {
    const visitor = new Visitor();
    const asked = await visitor.fetch(`${provider.issuer}/account/security`);
    const state = new URL(String(asked.headers.get('location')), provider.issuer).searchParams.get('state');
    await go(await fromApp(visitor), `/account/signed-in?code=x&state=${state}`);
    expect((await go(visitor, '/account/change/password')).body).toContain('id="password"');
  });

  test('ask again ten minutes after the fresh sign-in', async () => {
    const { visitor } = await signedInAt('/account/change/second-step');
    later(599);
    expect((await go(visitor, '/account/change/password')).body).toContain('Choose your new password');
    later(1);
    expect((await go(visitor, '/account/change/password')).body).toContain('id="password"');
  });

  test('take no form of another session, and lead back who cancels the sign-in', async () => {
    const { visitor, page } = await signedInAt('/account/change/second-step');
    const { next } = await setUpApp(visitor, page, provider.issuer, now);
    expect(next.status).toBe(200);
    const cancelled = await go(visitor, '/account/signed-in?error=access_denied&state=x.y');
    expect(cancelled.body).toContain('You are not signed in');
    const state = Buffer.from(JSON.stringify({ to: 'https://evil.example/', at: 0 })).toString('base64url');
    const forged = await go(visitor, `/account/signed-in?code=x&state=${state}.AAAA`);
    expect(forged.body).toContain('You are not signed in');
  });
});
