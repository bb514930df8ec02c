import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { findBySignInName } from '../../src/core/account/account.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import {
  DEVELOPMENT_MEMBERS,
  MEMBER,
  OTHER_MEMBER,
  RENEWING,
  type RunningProvider,
  startProvider,
} from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const OLD = { username: RENEWING.username, password: RENEWING.password };
const NEW = 'three lamps on the stairs';

describeOnEveryStore('a member whose password must be replaced', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient()], members: DEVELOPMENT_MEMBERS.concat(RENEWING) });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  const start = async (visitor: Visitor) => {
    const started = await app.start();
    return { started, page: await signIn(visitor, provider.issuer, started, OLD) };
  };

  test('gets no further with the old one, whatever else they try', async () => {
    const visitor = new Visitor();
    const { started, page } = await start(visitor);
    expect(page.body).toContain('Choose a new password');
    expect((await visitor.go(started.url, provider.issuer)).body).toContain('Sign in');
    const weak = await visitor.submit(page, { 'new-password': 'password1234567' }, provider.issuer);
    expect([weak.status, weak.body]).toEqual([422, expect.stringContaining('on lists that thieves try first')]);
    expect(weak.body).not.toContain('password1234567');
  });

  test('is advised while typing, without a try being counted or anything being changed', async () => {
    const visitor = new Visitor();
    const { page } = await start(visitor);
    const token = /name="form_token" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const url = String(/data-advice="([^"]+)"/.exec(page.body)?.[1]);
    const ask = async (password: string, form_token = token) => {
      const body = new URLSearchParams({ form_token, 'new-password': password });
      return visitor.fetch(provider.issuer + url, { method: 'POST', body });
    };
    expect(JSON.parse((await ask('meadowlark health plan')).body)).toEqual({
      level: 0,
      text: expect.stringContaining('contains your name'),
    });
    expect(JSON.parse((await ask('short')).body).text).toContain('at least 15 characters');
    expect(JSON.parse((await ask(NEW)).body)).toEqual({ level: 4, text: 'Strong password.' });
    expect((await ask(NEW, 'not ours')).status).toBe(403);
    // Before the password is proven there is nobody to advise.
    const stranger = new Visitor();
    const signInPage = await stranger.go((await app.start()).url, provider.issuer);
    const moved = { ...signInPage, body: signInPage.body.replaceAll('/password"', '/renewal/advice"') };
    const early = await stranger.post(moved, { 'new-password': NEW });
    expect(early.status).toBe(303);
  });

  test('chooses a new one, goes on to the app, and signs in with it from then on', async () => {
    const visitor = new Visitor();
    const { started, page } = await start(visitor);
    const back = await visitor.submit(page, { 'new-password': NEW }, provider.issuer);
    const tokens = await app.redeem(back.url, started);
    expect(tokens.claims()?.amr).toEqual(['pwd']);
    const later = new Visitor();
    const again = await start(later);
    expect(again.page.status).toBe(401);
    const right = await later.submit(again.page, { ...OLD, password: NEW }, provider.issuer);
    await expect(app.redeem(right.url, again.started)).resolves.toBeDefined();
    expect(provider.log.join()).not.toContain(NEW);
  });

  test('ends what is open elsewhere under the old one: sessions, and tokens that hang on them', async () => {
    const thief = new Visitor();
    const stolen = await app.start();
    const { refresh_token } = await app.redeem((await signIn(thief, provider.issuer, stolen, MEMBER)).url, stolen);
    const account = await findBySignInName(provider.stores.accounts, MEMBER.username);
    if (account === undefined) throw new Error('the member is gone');
    await provider.stores.accounts.replace(account.id, account.version, { ...account.value, passwordMustChange: true });

    const owner = new Visitor();
    const page = await signIn(owner, provider.issuer, await app.start(), MEMBER);
    const back = await owner.submit(page, { 'new-password': NEW }, provider.issuer);
    expect(back.url).toContain('code=');
    expect((await thief.go((await app.start()).url, provider.issuer)).body).toContain('id="sign-in"');
    await expect(openid.refreshTokenGrant(app.config, String(refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await owner.go((await app.start()).url, provider.issuer)).url).toContain('code=');
  });

  test('is not overtaken by somebody who proved the old one and waited', async () => {
    const account = await findBySignInName(provider.stores.accounts, OTHER_MEMBER.username);
    if (account === undefined) throw new Error('the member is gone');
    const marked = { ...account.value, passwordMustChange: true };
    await provider.stores.accounts.replace(account.id, account.version, marked);
    const [thief, owner] = [new Visitor(), new Visitor()];
    const stolen = await signIn(thief, provider.issuer, await app.start(), OTHER_MEMBER);
    const own = await signIn(owner, provider.issuer, await app.start(), OTHER_MEMBER);
    const back = await owner.submit(own, { 'new-password': 'seven geese on the mill' }, provider.issuer);
    expect(back.url).toContain('code=');

    const late = await thief.submit(stolen, { 'new-password': 'the thief chose this one' }, provider.issuer);
    expect([late.status, late.body]).toEqual([200, expect.stringContaining('id="sign-in"')]);
    const right = { ...OTHER_MEMBER, password: 'seven geese on the mill' };
    expect((await signIn(new Visitor(), provider.issuer, await app.start(), right)).url).toContain('code=');
    expect((await owner.go((await app.start()).url, provider.issuer)).url).toContain('code=');
  });
});
