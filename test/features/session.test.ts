import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { accountSet, SESSION_ENDS } from '../../src/oidc/adapter.ts';
import { recorded } from '../support/audit.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { movableDate } from '../support/time.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const PARTNER = webClient({ client_id: 'partner', client_name: 'Partner', first_party: false });

describeOnEveryStore('a session', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let partner: RelyingParty;
  let time: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    time = movableDate();
    provider = await startProvider(pair, { clients: [webClient(), PARTNER] });
    app = await RelyingParty.discover(provider.issuer);
    partner = await RelyingParty.discover(provider.issuer, PARTNER);
  });
  afterAll(async () => {
    await provider.close();
    time.restore();
  });

  const signedIn = async (more: Record<string, string> = {}) => {
    const visitor = new Visitor();
    const started = await app.start();
    const back = await signIn(visitor, provider.issuer, started, { ...MEMBER, ...more });
    return { visitor, tokens: await app.redeem(back.url, started) };
  };
  const isSignedIn = async (visitor: Visitor) => {
    const back = await visitor.go((await app.start({ prompt: 'none' })).url, provider.issuer);
    return new URL(back.url).searchParams.has('code');
  };

  test('lasts as long as it is used at least every quarter of an hour', async () => {
    const { visitor } = await signedIn();
    for (let i = 0; i < 4; i += 1) {
      time.advance(14 * MINUTE);
      expect(await isSignedIn(visitor)).toBe(true);
    }
    time.advance(15 * MINUTE + 1);
    expect(await isSignedIn(visitor)).toBe(false);
  });

  test('ends after twelve hours, however much it is used', async () => {
    const { visitor } = await signedIn();
    for (let passed = 0; passed < 12 * HOUR - 14 * MINUTE; passed += 14 * MINUTE) {
      time.advance(14 * MINUTE);
      expect(await isSignedIn(visitor)).toBe(true);
    }
    time.advance(14 * MINUTE);
    expect(await isSignedIn(visitor)).toBe(false);
  });

  test('that was kept without its place in the list of ends ends when its own time is over, and on record', async () => {
    const { schedule, expiring } = provider.stores;
    const { visitor, tokens } = await signedIn();
    const accountId = String(tokens.claims()?.sub);
    const expired = async () =>
      (await recorded(provider.stores)).filter(({ action }) => action === 'session-expired').length;
    time.advance(10 * MINUTE);
    expect(await isSignedIn(visitor)).toBe(true);
    // What a process that died between the two, or a list that lost its last moment, leaves behind.
    for (const id of await expiring.members(accountSet('Session', accountId)))
      await schedule.put(SESSION_ENDS, id, Date.now(), { accountId, authorizations: {} });
    await provider.work();
    expect(await isSignedIn(visitor)).toBe(true);
    const before = await expired();
    time.advance(15 * MINUTE + 1);
    await provider.work();
    expect(await expired()).toBe(before + 1);
    expect(await isSignedIn(visitor)).toBe(false);
  });

  test('is not kept beyond that by asking in its last second, again and again', async () => {
    const { visitor } = await signedIn();
    for (let passed = 0; passed < 12 * HOUR - 14 * MINUTE; passed += 14 * MINUTE) {
      time.advance(14 * MINUTE);
      await isSignedIn(visitor);
    }
    time.advance(12 * HOUR - Math.ceil((12 * HOUR - 14 * MINUTE) / (14 * MINUTE)) * 14 * MINUTE - 2);
    expect(await isSignedIn(visitor)).toBe(true);
    time.advance(0.8);
    expect(await isSignedIn(visitor)).toBe(true);
    for (let i = 0; i < 4; i += 1) {
      time.advance(0.8);
      await isSignedIn(visitor);
    }
    expect(await isSignedIn(visitor)).toBe(false);
  });

  test("is kept by refreshes of the plan's own app, whose tokens die with it", async () => {
    const { visitor, tokens } = await signedIn();
    let token = String(tokens.refresh_token);
    for (let i = 0; i < 5; i += 1) {
      time.advance(10 * MINUTE);
      token = String((await openid.refreshTokenGrant(app.config, token)).refresh_token);
    }
    expect(await isSignedIn(visitor)).toBe(true);
    time.advance(16 * MINUTE);
    await expect(openid.refreshTokenGrant(app.config, token)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('is kept by looking at a page of ours, and extended by one click', async () => {
    const { visitor } = await signedIn();
    const page = await visitor.go((await partner.start()).url, provider.issuer);
    expect(page.body).toContain('id="session-notice"');
    time.advance(14 * MINUTE);
    expect((await visitor.fetch(page.url)).status).toBe(200);
    time.advance(14 * MINUTE);
    const body = new URLSearchParams({ form_token: extendToken(page.body), back: new URL(page.url).pathname });
    const extended = await visitor.fetch(`${provider.issuer}/session/extend`, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
    });
    expect(JSON.parse(extended.body).endsAt).toBe(Math.floor(Date.now() / 1000) + 15 * MINUTE);
    const plain = await visitor.fetch(`${provider.issuer}/session/extend`, { method: 'POST', body });
    expect([plain.status, plain.headers.get('location')]).toEqual([303, new URL(page.url).pathname]);
    time.advance(14 * MINUTE);
    expect((await visitor.submit(page, { decision: 'allow' }, provider.issuer)).url).toContain('code=');
  });

  test('can be extended by our own form only, and not once it has ended', async () => {
    const { visitor } = await signedIn();
    const page = await visitor.go((await partner.start({ prompt: 'consent' })).url, provider.issuer);
    const send = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      visitor.fetch(`${provider.issuer}/session/extend`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers,
      });
    expect((await send({})).status).toBe(403);
    expect((await send({ form_token: extendToken(page.body) }, { origin: 'https://evil.example' })).status).toBe(403);
    const away = await send({ form_token: extendToken(page.body), back: '//evil.example/' });
    expect(away.headers.get('location')).toBe('/');
    time.advance(16 * MINUTE);
    expect((await send({ form_token: extendToken(page.body) })).status).toBe(410);
  });

  test('on a shared computer ends after five minutes, and nothing stays behind', async () => {
    const { visitor } = await signedIn({ shared: 'yes', remember: 'yes' });
    expect(visitor.cookieNames()).not.toContain('device');
    expect(visitor.cookieNames()).not.toContain('username');
    time.advance(4 * MINUTE);
    expect(await isSignedIn(visitor)).toBe(true);
    const confirm = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    const left = await visitor.post(confirm, { logout: 'yes' });
    expect(left.headers.get('clear-site-data')).toBe('"cache", "cookies", "storage"');

    const other = await signedIn({ shared: 'yes' });
    time.advance(5 * MINUTE + 1);
    expect(await isSignedIn(other.visitor)).toBe(false);
  });

  test('leaves the username where the member asked for it, and takes it away again', async () => {
    const { visitor } = await signedIn({ remember: 'yes' });
    const page = await visitor.go((await app.start({ prompt: 'login' })).url, provider.issuer);
    expect(page.body).toMatch(/id="username"[^>]* value="sample\.member"/);
    expect(page.body).toMatch(/id="remember"[^>]* checked/);
    await visitor.submit(page, MEMBER, provider.issuer);
    const again = await visitor.go((await app.start({ prompt: 'login' })).url, provider.issuer);
    expect(again.body).toMatch(/id="username"[^>]* value=""/);
  });

  test('names the moment of the sign-in, and an app that wants a younger one gets it', async () => {
    const { visitor, tokens } = await signedIn();
    time.advance(10 * MINUTE);
    const old = await app.start();
    const same = await app.redeem((await visitor.go(old.url, provider.issuer)).url, old);
    expect(same.claims()?.auth_time).toBe(tokens.claims()?.auth_time);
    const young = await app.start({ max_age: '300' });
    const page = await visitor.go(young.url, provider.issuer);
    expect(page.body).toContain('id="password"');
    const renewed = await app.redeem((await visitor.submit(page, MEMBER, provider.issuer)).url, young);
    expect(Number(renewed.claims()?.auth_time)).toBeGreaterThanOrEqual(
      Number(tokens.claims()?.auth_time) + 10 * MINUTE,
    );
    expect(renewed.claims()?.sid).toBe(tokens.claims()?.sid);
  });
});

const extendToken = (body: string): string =>
  /id="session-notice"[\s\S]*?name="form_token" value="([^"]+)"/.exec(body)?.[1] ?? '';
