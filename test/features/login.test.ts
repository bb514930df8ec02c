import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, ROOT, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { type Answer, hiddenFields } from '../support/visitor.ts';

describeOnEveryStore('signing in', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient()] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  const open = async (visitor: Visitor, parameters?: Record<string, string>) =>
    visitor.go((await app.start(parameters)).url, provider.issuer);

  test('by username leads back to the app with a code, and the tokens say who and how', async () => {
    const visitor = new Visitor();
    const started = await app.start();
    const back = await signIn(visitor, provider.issuer, started, MEMBER);
    const tokens = await app.redeem(back.url, started);
    expect(tokens.claims()).toMatchObject({
      iss: provider.issuer,
      aud: 'care-messages',
      acr: 'http://idmanagement.gov/ns/assurance/aal/1',
      amr: ['pwd'],
    });
    expect(Math.abs(Number(tokens.claims()?.auth_time) - Date.now() / 1000)).toBeLessThan(10);
    expect(tokens.claims()?.sub).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['email', 'sample.member@example.com'],
    ['capital letters', 'SAMPLE.Member'],
    ['full-width letters', 'ｓａｍｐｌｅ.member'],
    ['spaces around it', '  sample.member '],
  ])('by %s is the same member', async (_, username) => {
    const back = await signIn(new Visitor(), provider.issuer, await app.start(), { ...MEMBER, username });
    expect(back.url).toMatch(/^https:\/\/app\.example\/callback\?code=/);
  });

  test('a second app in the same browser asks nothing again', async () => {
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const back = await open(visitor);
    expect(back.url).toMatch(/^https:\/\/app\.example\/callback\?code=/);
  });

  test('makes the session cookie only now, and it tells nothing', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    expect(page.headers.getSetCookie().filter((cookie) => cookie.startsWith('session='))).toEqual([]);
    const proven = await visitor.post(page, MEMBER);
    expect(proven.headers.getSetCookie().map((cookie) => cookie.split('=')[0])).toEqual(['device']);
    const resumed = await visitor.fetch(new URL(String(proven.headers.get('location')), page.url).href);
    const cookie = resumed.headers.getSetCookie().find((line) => line.startsWith('session='));
    expect(cookie).toMatch(/^session=[\w-]{22,}; path=\/; samesite=lax; httponly$/i);
  });

  test('a wrong password and an unknown name get the same answer, byte for byte', async () => {
    const answers: Answer[] = [];
    for (const username of [MEMBER.username, 'nobody.member']) {
      const visitor = new Visitor();
      answers.push(await visitor.submit(await open(visitor), { username, password: 'not this one' }, provider.issuer));
    }
    const [known, unknown] = answers.map(withoutWhatAlwaysDiffers);
    expect(known).toEqual(unknown);
    expect(known).toMatchObject({ status: 401 });
    expect(known?.body).toContain('The username or the password is not right');
  });

  test.each([
    ['no name', { username: ' ', password: 'x' }, 422, 'Enter your username or email'],
    ['no password', { username: 'sample.member', password: '' }, 422, 'Enter your password'],
    ['a name that is too long', { username: 'a'.repeat(300), password: 'x' }, 401, 'is not right'],
    ['a form of 20 KB', { username: 'a', password: 'x'.repeat(20_000) }, 413, 'Something you typed is too long'],
    ['odd bytes', { username: '\u0000$ne{"a":1}', password: '\u{1F600}' }, 401, 'is not right'],
  ])('with %s is refused in words', async (_, fields, status, words) => {
    const visitor = new Visitor();
    const answer = await visitor.submit(await open(visitor), fields, provider.issuer);
    expect([answer.status, answer.body.includes(words)]).toEqual([status, true]);
  });

  test('lets password managers, passkeys and paste help', async () => {
    const { body } = await open(new Visitor());
    for (const help of ['username webauthn', 'current-password']) expect(body).toContain(`autocomplete="${help}"`);
    const script = readFileSync(join(ROOT, 'views/assets/page.js'), 'utf8');
    expect(body + script).not.toMatch(/paste|autocomplete="off"|oncopy|keydown/i);
  });

  test('keeps the name that was typed, never the password', async () => {
    const visitor = new Visitor();
    const fields = { username: 'mistyped<"name">', password: 'S3cret-that-was-typed' };
    const { body } = await visitor.submit(await open(visitor), fields, provider.issuer);
    expect(body).toContain('value="mistyped&lt;&#34;name&#34;&gt;"');
    expect(body).not.toContain('S3cret-that-was-typed');
  });

  test('fields that try to be operators are only text', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    const body = new URLSearchParams({
      ...hiddenFields(page),
      'username[$ne]': 'x',
      'password[$ne]': 'x',
      __proto__: 'x',
    });
    const answer = await visitor.fetch(`${page.url}/password`, { method: 'POST', body });
    expect([answer.status, answer.body.includes('Enter your username or email')]).toEqual([422, true]);
  });

  test('a form of another origin, without its token or for another journey is refused', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    const other = await open(new Visitor());
    const send = (fields: object, headers: Record<string, string> = {}) =>
      visitor.fetch(`${page.url}/password`, {
        method: 'POST',
        body: new URLSearchParams({ ...MEMBER, ...fields }),
        headers,
      });
    const token = hiddenFields(page);
    expect((await send({})).status).toBe(403);
    expect((await send(hiddenFields(other))).status).toBe(403);
    expect((await send(token, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await send(token, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await send(token, { origin: '' })).status).toBe(403);
    expect((await send(token, { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });

  test('another browser can neither see nor answer a journey that is not its own', async () => {
    const victim = new Visitor();
    const page = await open(victim);
    const thief = new Visitor();
    expect((await thief.fetch(page.url)).status).toBe(410);
    expect((await thief.post(page, MEMBER)).status).toBe(410);
    const own = await open(thief);
    expect((await thief.fetch(page.url)).status).toBe(410);
    expect((await thief.fetch(own.url)).status).toBe(200);
  });

  test('a step that is not due is answered with the one that is', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    const body = new URLSearchParams({ ...hiddenFields(page), decision: 'allow' });
    const answer = await visitor.fetch(`${page.url}/consent`, { method: 'POST', body });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, new URL(page.url).pathname]);
    expect((await visitor.fetch(`${page.url}/password`)).status).toBe(303);
  });

  test('a tab that was left open goes on by itself once another tab has signed in', async () => {
    const visitor = new Visitor();
    const stale = await open(visitor);
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const answer = await visitor.go(stale.url, provider.issuer);
    expect(answer.url).toMatch(/^https:\/\/app\.example\/callback\?code=/);
  });

  test('an app that demands a fresh sign-in gets one in spite of the session', async () => {
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const page = await open(visitor, { prompt: 'login' });
    expect(page.body).toContain('id="password"');
    const back = await visitor.submit(page, MEMBER, provider.issuer);
    expect(back.url).toContain('code=');
  });

  test('an app that allows no page is told that one is needed', async () => {
    const back = await open(new Visitor(), { prompt: 'none' });
    expect(new URL(back.url).searchParams.get('error')).toBe('login_required');
  });

  test('after the end the page of the journey goes on to the app, or shows the way when nobody is signed in', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    await visitor.submit(page, MEMBER, provider.issuer);
    const answer = await visitor.fetch(page.url);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'https://app.example/']);
    visitor.forget('session');
    const later = await visitor.fetch(page.url);
    expect([later.status, later.body.includes('href="https://app.example/"')]).toEqual([410, true]);
  });

  test('the name that the app expects is filled in, and its language is spoken', async () => {
    const page = await open(new Visitor(), { login_hint: 'someone@example.com', ui_locales: 'fr es-MX' });
    expect(page.body).toContain('value="someone@example.com"');
    expect(page.body).toContain('<html lang="es">');
  });

  test("the member's own choice of language wins and lasts", async () => {
    const visitor = new Visitor({ 'accept-language': 'es' });
    const page = await open(visitor, { ui_locales: 'es' });
    await visitor.fetch(`${page.url}?lang=en`);
    expect((await visitor.fetch(page.url)).body).toContain('<html lang="en">');
    expect((await open(visitor, { ui_locales: 'es' })).body).toContain('<html lang="en">');
  });

  test('as another member than the app has named gives the app no tokens', async () => {
    const started = await app.start();
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER);
    const { id_token } = await app.redeem(back.url, started);
    const hinted = await app.start({ id_token_hint: String(id_token) });
    const other = await signIn(new Visitor(), provider.issuer, hinted, OTHER_MEMBER);
    expect(new URL(other.url).searchParams.get('error')).toBe('login_required');
    const same = await app.start({ id_token_hint: String(id_token) });
    expect((await signIn(new Visitor(), provider.issuer, same, MEMBER)).url).toContain('code=');
  });

  test('as another member in the same browser ends the session of the first', async () => {
    const visitor = new Visitor();
    const first = await app.start();
    const tokens = await app.redeem((await signIn(visitor, provider.issuer, first, MEMBER)).url, first);
    const second = await app.start({ prompt: 'login' });
    const back = await signIn(visitor, provider.issuer, second, OTHER_MEMBER);
    expect((await app.redeem(back.url, second)).claims()?.sub).not.toBe(tokens.claims()?.sub);
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('an app may let the member choose: go on, or sign in as somebody else', async () => {
    const visitor = new Visitor();
    expect((await open(visitor, { prompt: 'select_account' })).body).toContain('id="password"');
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const choice = await open(visitor, { prompt: 'select_account' });
    expect(choice.body).toContain('<title>Continue as sample.member? –');
    expect((await visitor.submit(choice, {}, provider.issuer)).url).toContain('code=');

    const started = await app.start({ prompt: 'select_account' });
    const again = await visitor.go(started.url, provider.issuer);
    const link = /id="switch-account" href="([^"]+)"/.exec(again.body)?.[1];
    const page = await visitor.go(provider.issuer + link, provider.issuer);
    expect(page.body).toContain('id="password"');
    const back = await visitor.submit(page, OTHER_MEMBER, provider.issuer);
    const info = await openid.fetchUserInfo(
      app.config,
      (await app.redeem(back.url, started)).access_token,
      openid.skipSubjectCheck,
    );
    expect(info.preferred_username).toBe('miembro.ejemplo');
  });
});

/** Request id, nonce, form token and the challenge for passkeys are random in every answer. */
function withoutWhatAlwaysDiffers({ status, headers, body }: Answer) {
  const kept = [...headers].filter(([name]) => !['x-request-id', 'date', 'content-security-policy'].includes(name));
  return {
    status,
    headers: kept,
    body: body
      .replace(/nonce="[^"]+"|data-get="[^"]+"/g, '')
      .replaceAll(/name="form_token" value="[^"]+"/g, '')
      .replaceAll(/(\/interaction\/|from=)[\w-]+/g, '')
      .replace(/value="(sample|nobody)\.member"/, ''),
  };
}
