import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { STORE_PAIRS, type StorePair } from '../support/stores.ts';

describe('signing out', () => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0] as StorePair, { clients: [webClient()] });
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
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<main id="main"');
    expect((await visitor.go((await app.start()).url, provider.issuer)).url).toContain('code=');
  });

  test('leads only to addresses that the app has registered', async () => {
    const { visitor, tokens } = await signedIn();
    const url = openid.buildEndSessionUrl(app.config, {
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: 'https://evil.example/',
    });
    const answer = await visitor.fetch(url.href);
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });
});
