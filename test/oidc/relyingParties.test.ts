import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, startWithOauth4webapi, Visitor, webClient } from '../support/relyingParty.ts';

/** An app and a member that only the files know. */
const CLIENT = webClient({ client_id: 'brought-by-file', client_name: 'Brought by File' });
const PUBLIC = {
  client_id: 'public-app',
  client_name: 'Public App',
  first_party: true,
  redirect_uris: ['http://127.0.0.1:9/callback'],
  client_uri: 'http://127.0.0.1:9/',
  token_endpoint_auth_method: 'none',
  id_token_signed_response_alg: 'RS256',
  grant_types: ['authorization_code', 'refresh_token'],
};
const MEMBER_FROM_FILE = {
  username: 'Brought.By-File_1',
  password: 'Ünïcode pässphrase ✓ with spaces',
  email: 'file@example.org',
  phone: '+12025550199',
  memberNumber: 'FILE-1',
  firstName: 'Ñandú',
  lastName: "O'Example",
  birthDate: '1940-02-29',
  postalCode: '00501',
};

describeOnEveryStore('relying parties', (pair) => {
  let provider: RunningProvider;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [CLIENT, PUBLIC], members: [MEMBER_FROM_FILE] });
  });
  afterAll(() => provider.close());

  test('openid-client: code with PKCE, userinfo, refresh, revocation, logout', async () => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const visitor = new Visitor();
    const started = await app.start({ scope: 'openid profile email phone address membership' });
    const back = await signIn(visitor, provider.issuer, started, MEMBER_FROM_FILE);
    const tokens = await app.redeem(back.url, started);
    const sub = String(tokens.claims()?.sub);

    expect(await openid.fetchUserInfo(app.config, tokens.access_token, sub)).toEqual({
      sub,
      name: "Ñandú O'Example",
      given_name: 'Ñandú',
      family_name: "O'Example",
      preferred_username: 'Brought.By-File_1',
      birthdate: '1940-02-29',
      locale: 'en',
      updated_at: expect.any(Number),
      email: 'file@example.org',
      email_verified: true,
      phone_number: '+12025550199',
      phone_number_verified: true,
      address: { postal_code: '00501' },
      member_number: 'FILE-1',
    });

    const refreshed = await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
    expect(refreshed.claims()).toMatchObject({ sub, auth_time: tokens.claims()?.auth_time });
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await openid.tokenRevocation(app.config, String(refreshed.refresh_token));
    await expect(openid.refreshTokenGrant(app.config, String(refreshed.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });

    const leave = openid.buildEndSessionUrl(app.config, {
      id_token_hint: String(tokens.id_token),
      post_logout_redirect_uri: 'https://app.example/bye',
      state: 'see-you',
    });
    const confirm = await visitor.go(leave.href, provider.issuer);
    expect(confirm.body).toContain('Signing you out');
    const left = await visitor.submit(confirm, { logout: 'yes' }, provider.issuer);
    expect(left.url).toBe('https://app.example/bye?state=see-you');
    expect((await visitor.go((await app.start()).url, provider.issuer)).body).toContain('id="password"');
  });

  test('oauth4webapi: a public client with RS256', async () => {
    const options = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(provider.issuer);
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
    const client: oauth.Client = { client_id: PUBLIC.client_id, id_token_signed_response_alg: 'RS256' };
    const redirectUri = String(PUBLIC.redirect_uris[0]);
    const asked = { client_id: PUBLIC.client_id, redirect_uri: redirectUri, scope: 'openid email' };
    const started = await startWithOauth4webapi(server, asked);
    const { verifier, state, nonce } = started;
    const visitor = new Visitor();
    const back = await signIn(visitor, provider.issuer, started, MEMBER_FROM_FILE);
    const parameters = oauth.validateAuthResponse(server, client, new URL(back.url), state);
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      redirectUri,
      verifier,
      options,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const info = await oauth.processUserInfoResponse(
      server,
      client,
      String(claims?.sub),
      await oauth.userInfoRequest(server, client, tokens.access_token, options),
    );
    expect(info).toEqual({ sub: claims?.sub, email: 'file@example.org', email_verified: true });

    const again = await oauth.refreshTokenGrantRequest(
      server,
      client,
      oauth.None(),
      String(tokens.refresh_token),
      options,
    );
    expect((await oauth.processRefreshTokenResponse(server, client, again)).access_token).toBeDefined();

    const leave = new URL(String(server.end_session_endpoint));
    leave.search = new URLSearchParams({ id_token_hint: String(tokens.id_token) }).toString();
    const confirm = await visitor.go(leave.href, provider.issuer);
    expect((await visitor.submit(confirm, {}, provider.issuer)).body).toContain('You are signed out');
  });

  test('twenty parallel redemptions of one code give one success, whose tokens are then revoked', async () => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const started = await app.start();
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER_FROM_FILE);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => app.redeem(back.url, started)));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(won).toHaveLength(1);
    expect(lost.every(({ reason }) => reason.error === 'invalid_grant')).toBe(true);
    const tokens = won[0]?.value;
    const info = openid.fetchUserInfo(app.config, String(tokens?.access_token), String(tokens?.claims()?.sub));
    await expect(info).rejects.toMatchObject({ status: 401 });
    await expect(openid.refreshTokenGrant(app.config, String(tokens?.refresh_token))).rejects.toBeDefined();
  });

  test('a code that is sent again later revokes what it gave', async () => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const started = await app.start();
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER_FROM_FILE);
    const tokens = await app.redeem(back.url, started);
    await expect(app.redeem(back.url, started)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(openid.fetchUserInfo(app.config, tokens.access_token, openid.skipSubjectCheck)).rejects.toBeDefined();
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toBeDefined();
  });

  test.each([
    ['the wrong PKCE verifier', { pkceCodeVerifier: 'x'.repeat(43) }],
    ['no PKCE verifier', { pkceCodeVerifier: undefined }],
  ])('a code with %s is worth nothing', async (_, checks) => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const started = await app.start();
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER_FROM_FILE);
    const redeem = openid.authorizationCodeGrant(app.config, new URL(back.url), {
      ...{ expectedState: started.state, expectedNonce: started.nonce },
      ...(checks.pkceCodeVerifier === undefined ? {} : { pkceCodeVerifier: checks.pkceCodeVerifier }),
    });
    await expect(redeem).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('a wrong client secret opens nothing, nor does the digest that is stored', async () => {
    const { value } = (await provider.stores.clients.find(CLIENT.client_id)) ?? {};
    expect(JSON.stringify(value)).not.toContain(CLIENT.client_secret);
    for (const secret of ['wrong', String(value?.secrets[0]?.digest)]) {
      const app = await RelyingParty.discover(provider.issuer, { ...CLIENT, client_secret: secret });
      const started = await app.start();
      const back = await signIn(new Visitor(), provider.issuer, started, MEMBER_FROM_FILE);
      await expect(app.redeem(back.url, started)).rejects.toMatchObject({ error: 'invalid_client' });
    }
  });

  test.each([
    ['an address that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['an address that only begins like the registered one', { redirect_uri: 'https://app.example/callback/more' }],
    ['an unknown app', { client_id: 'unknown-app' }],
  ])('%s is told on a page of ours, without a redirect', async (_, parameters) => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const answer = await new Visitor().fetch((await app.start(parameters)).url);
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
    expect(answer.body).toContain('The app made a mistake');
  });

  test('a request without PKCE is sent back to the app with an error', async () => {
    const url = new URL(`${provider.issuer}/auth`);
    url.search = new URLSearchParams({
      client_id: CLIENT.client_id,
      redirect_uri: 'https://app.example/callback',
      response_type: 'code',
      scope: 'openid',
    }).toString();
    const back = await new Visitor().fetch(url.href);
    expect(back.headers.get('location')).toMatch(/^https:\/\/app\.example\/callback\?error=invalid_request/);
  });

  test.each([
    ['short', {}],
    ['long', { state: 'x'.repeat(6_000) }],
  ])('a %s request may come by POST from another site, and ends as one by GET', async (_, more) => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const started = await app.start(more);
    const visitor = new Visitor({ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' });
    const { search } = new URL(started.url);
    const answer = await visitor.fetch(`${provider.issuer}/auth`, {
      method: 'POST',
      body: search.slice(1),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(303);
    const member = new Visitor();
    const page = await member.go(
      new URL(String(answer.headers.get('location')), provider.issuer).href,
      provider.issuer,
    );
    const back = await member.submit(page, MEMBER_FROM_FILE, provider.issuer);
    const state = Object.hasOwn(more, 'state') ? { state: 'x'.repeat(6_000) } : {};
    expect((await app.redeem(back.url, { ...started, ...state })).claims()?.sub).toBeDefined();
  });

  test.each([
    [
      'a class that we do not have',
      { essential: true, values: ['urn:example:iris-scan'] },
      'unmet_authentication_requirements',
    ],
    [
      'one of several that we have',
      { essential: true, values: ['x', 'http://idmanagement.gov/ns/assurance/aal/1'] },
      null,
    ],
    ['a class as a mere wish', { values: ['urn:example:iris-scan'] }, null],
  ])('an app that demands %s is answered rightly', async (_, acr, error) => {
    const app = await RelyingParty.discover(provider.issuer, CLIENT);
    const started = await app.start({ claims: JSON.stringify({ id_token: { acr } }) });
    const visitor = new Visitor();
    const page = await visitor.go(started.url, provider.issuer);
    const back = error === null ? await visitor.submit(page, MEMBER_FROM_FILE, provider.issuer) : page;
    expect(new URL(back.url).searchParams.get('error')).toBe(error);
  });

  test('addresses come from the issuer, whatever the Host and forwarding headers say', async () => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' };
    const answer = await new Visitor(forged).fetch(`${provider.issuer}/.well-known/openid-configuration`);
    expect(JSON.parse(answer.body)).toMatchObject({
      issuer: provider.issuer,
      token_endpoint: `${provider.issuer}/token`,
    });
  });

  test('the keys that are published have no private part', async () => {
    const { body } = await new Visitor().fetch(`${provider.issuer}/jwks`);
    const { keys } = JSON.parse(body) as { keys: Record<string, string>[] };
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'RS256']);
    for (const key of keys) expect(Object.keys(key)).not.toContain('d');
  });
});
