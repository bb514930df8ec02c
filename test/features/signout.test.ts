import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';

const OTHER_APP = webClient({ client_id: 'other', client_name: 'Other App' });

describeOnEveryStore('signing out', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient(), OTHER_APP] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  const signedIn = async () => {
    const visitor = new Visitor();
    const started = await app.start();
    const back = await signIn(visitor, provider.issuer, started, MEMBER);
    return { visitor, tokens: await app.redeem(back.url, started) };
  };

  test('ends the session and the tokens that hang on it', async () => {
    const { visitor, tokens } = await signedIn();
    const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const done = await visitor.submit(page, { logout: 'yes' }, provider.issuer);
    expect(done.body).toContain('You are signed out');
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(openid.fetchUserInfo(app.config, tokens.access_token, openid.skipSubjectCheck)).rejects.toBeDefined();
  });

  test('can be declined, and the session stays', async () => {
    const { visitor } = await signedIn();
    const page = await visitor.go(`${provider.issuer}/session/end?client_id=care-messages`, provider.issuer);
    expect(page.body).toContain('id="stay" href="https://app.example/"');
    expect((await visitor.go((await app.start()).url, provider.issuer)).url).toContain('code=');
  });

  test('without its form token changes nothing', async () => {
    const { visitor } = await signedIn();
    await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const body = new URLSearchParams({ logout: 'yes', xsrf: 'guessed' });
    const answer = await visitor.fetch(`${provider.issuer}/session/end/confirm`, { method: 'POST', body });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/session/end']);
    expect((await visitor.go((await app.start()).url, provider.issuer)).url).toContain('code=');
  });

  test('leads only to addresses that the app has registered', async () => {
    const { visitor, tokens } = await signedIn();
    const url = openid.buildEndSessionUrl(app.config, {
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: 'https://evil.example/',
    });
    const page = await visitor.go(url.href, provider.issuer);
    expect(page.body).toContain('Sign out?');
    const done = await visitor.submit(page, { logout: 'yes' }, provider.issuer);
    expect(done.body).toContain('You are signed out');
  });

  test('asks nothing when the app shows an ID token of this very session, and asks when it shows another', async () => {
    const { visitor, tokens } = await signedIn();
    const another = await signedIn();
    const leave = (idToken: string) => openid.buildEndSessionUrl(app.config, { id_token_hint: idToken }).href;
    expect((await visitor.go(leave(String(another.tokens.id_token)), provider.issuer)).body).toContain('Sign out?');
    const page = await visitor.go(leave(String(tokens.id_token)), provider.issuer);
    expect(page.body).toContain('Signing you out');
    expect(page.body).toContain('data-submits-itself');
  });

  test('says which apps it was from', async () => {
    const { visitor } = await signedIn();
    const other = await RelyingParty.discover(provider.issuer, OTHER_APP);
    await visitor.go((await other.start()).url, provider.issuer);
    const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const done = await visitor.submit(page, { logout: 'yes' }, provider.issuer);
    expect([...done.body.matchAll(/<li>(.+)<\/li>/g)].map(([, name]) => name)).toEqual(['Care Messages', 'Other App']);
    expect((await new Visitor().go(`${provider.issuer}/session/end/success`, provider.issuer)).body).not.toContain(
      '<li>',
    );
  });

  test('works from the older of two tabs, and twice', async () => {
    const { visitor } = await signedIn();
    const older = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const newer = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const again = await visitor.submit(older, { logout: 'yes' }, provider.issuer);
    expect(again.body).toContain('Sign out?');
    expect((await visitor.submit(again, { logout: 'yes' }, provider.issuer)).body).toContain('You are signed out');
    expect((await visitor.submit(newer, { logout: 'yes' }, provider.issuer)).body).toContain('You are signed out');
  });

  test('keeps the way back to the app when the language is changed', async () => {
    const { visitor, tokens } = await signedIn();
    const url = openid.buildEndSessionUrl(app.config, {
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: 'https://app.example/bye',
    });
    const page = await visitor.go(url.href, provider.issuer);
    const link = /id="lang-es"[^>]* href="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&');
    const spanish = await visitor.go(new URL(String(link), page.url).href, provider.issuer);
    expect(spanish.body).toContain('Cerrando su sesión');
    expect((await visitor.submit(spanish, { logout: 'yes' }, provider.issuer)).url).toBe('https://app.example/bye');
  });

  test('is not undone by requests that ran at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { visitor } = await signedIn();
      const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
      const old = visitor.copy();
      const { url } = await app.start();
      await Promise.all([visitor.post(page, { logout: 'yes' }), old.fetch(url), old.fetch(url)]);
      const back = await old.go((await app.start({ prompt: 'none' })).url, provider.issuer);
      expect(new URL(back.url).searchParams.get('error')).toBe('login_required');
    }
  });
});
