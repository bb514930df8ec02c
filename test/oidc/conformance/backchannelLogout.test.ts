import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { openAppServer } from '../../support/appServer.ts';
import { describeOnEveryStore } from '../../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, startProvider } from '../../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../../support/relyingParty.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { movableDate } from '../../support/time.ts';
import { call } from './answers.ts';
import { type LogoutApps, logoutApps, SUITE } from './logoutApps.ts';
import { relyingParty } from './suite.ts';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

describe('oidcc-backchannel-rp-initiated-logout-certification-test-plan', () => {
  let apps: LogoutApps;
  beforeAll(async () => {
    apps = await logoutApps(STORE_PAIRS[0]);
  });
  afterAll(() => apps.close());

  test('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
    const { issuer } = apps.provider;
    expect((await call(`${issuer}/.well-known/openid-configuration`)).body).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      end_session_endpoint: `${issuer}/session/end`,
    });
  });

  test('oidcc-backchannel-rp-initiated-logout', async () => {
    const { issuer } = apps.provider;
    const party = await relyingParty(issuer, apps.suite);
    const visitor = new Visitor();
    const { tokens, claims } = await party.signIn(visitor);
    const wayBack = 'https://suite.example/post_logout_redirect';
    const query = { id_token_hint: tokens.id_token, post_logout_redirect_uri: wayBack, state: 'see-you' };
    const page = await visitor.go(`${issuer}/session/end?${new URLSearchParams(query)}`, issuer);
    const end = await visitor.submit(page, { logout: 'yes' }, issuer);
    await apps.provider.work();

    expect(apps.server.heard).toHaveLength(1);
    const [heard] = apps.server.heard;
    expect(heard).toMatchObject({ method: 'POST', contentType: 'application/x-www-form-urlencoded' });
    const form = [...new URLSearchParams(heard?.body)];
    expect(form.map(([name]) => name)).toEqual(['logout_token']);
    expect(decodeProtectedHeader(String(form[0]?.[1]))).toEqual({
      ...{ typ: 'logout+jwt', alg: 'ES256', kid: expect.any(String) },
    });
    const { sub, sid } = claims;
    expect(sid).toEqual(expect.any(String));
    expect(await apps.told(SUITE)).toEqual([
      {
        ...{ iss: issuer, aud: SUITE, sub, sid, events: { [LOGOUT_EVENT]: {} } },
        ...{ iat: expect.any(Number), exp: expect.any(Number), jti: expect.any(String) },
      },
    ]);
    expect(end.url).toBe(`${wayBack}?state=see-you`);
    expect(await party.obtainError(visitor, party.request({ prompt: 'none' }))).toBe('login_required');
  });
});

describe('back-channel logout', () => {
  let apps: LogoutApps;
  beforeAll(async () => {
    apps = await logoutApps(STORE_PAIRS[0]);
  });
  beforeEach(() => {
    apps.server.heard.length = 0;
    apps.server.answer(() => ({}));
  });
  afterAll(() => apps.close());

  test('reaches every app of this session, each with its own sid, and no app of another session', async () => {
    const [visitor, elsewhere] = [new Visitor(), new Visitor()];
    const first = await apps.enter('first', visitor);
    const second = await apps.enter('second', visitor);
    await apps.enter('first', elsewhere);
    await apps.leave(visitor);
    await apps.provider.work();
    expect(await apps.told('first')).toMatchObject([{ sub: first.sub, sid: first.sid }]);
    expect(await apps.told('second')).toMatchObject([{ sub: second.sub, sid: second.sid }]);
    expect(first.sid).not.toBe(second.sid);
  });

  test('names no session to an app that does not ask for it', async () => {
    const visitor = new Visitor();
    const { sub } = await apps.enter('without-sid', visitor);
    await apps.leave(visitor);
    await apps.provider.work();
    const [token] = await apps.told('without-sid');
    expect(token).toMatchObject({ sub, events: { [LOGOUT_EVENT]: {} } });
    expect(token).not.toHaveProperty('sid');
  });

  test('names the member to an app with pairwise subjects as its ID tokens do', async () => {
    const visitor = new Visitor();
    const open = await apps.enter('first', visitor);
    const { sub, sid } = await apps.enter('pairwise', visitor);
    expect(sub).not.toBe(open.sub);
    await apps.leave(visitor);
    await apps.provider.work();
    expect(await apps.told('pairwise')).toMatchObject([{ sub, sid }]);
  });

  test('reaches the apps of the first member when another signs in in the same browser', async () => {
    const visitor = new Visitor();
    const first = await apps.enter('first', visitor);
    const second = await apps.enter('second', visitor);
    const other = await apps.enter('second', visitor, OTHER_MEMBER, { prompt: 'login' });
    await apps.provider.work();
    expect(other.sub).not.toBe(first.sub);
    expect(await apps.told('first')).toMatchObject([{ sub: first.sub, sid: first.sid }]);
    expect(await apps.told('second')).toMatchObject([{ sub: second.sub, sid: second.sid }]);
  });

  test('tells nobody when the member stays', async () => {
    const visitor = new Visitor();
    await apps.enter('first', visitor);
    await visitor.go(`${apps.provider.issuer}/session/end`, apps.provider.issuer);
    await apps.provider.work();
    expect(apps.server.heard).toEqual([]);
  });

  test('follows no redirect', async () => {
    apps.server.answer(({ path }) =>
      path === '/first' ? { status: 302, headers: { location: `${apps.server.origin}/inside` } } : {},
    );
    const visitor = new Visitor();
    await apps.enter('first', visitor);
    await apps.leave(visitor);
    await apps.provider.work();
    expect(apps.server.heard.map(({ path }) => path)).toEqual(['/first']);
  });
});

test('back-channel logout never reaches a private address that is not allowed', async () => {
  const inside = await openAppServer();
  const { port } = new URL(inside.origin);
  const hosts = ['localhost', '127.0.0.1', '[::1]', '0.0.0.0'];
  const clients = hosts.map((host, index) =>
    webClient({ client_id: `app-${index}`, backchannel_logout_uri: `http://${host}:${port}/internal` }),
  );
  const provider = await startProvider(STORE_PAIRS[0], { clients });
  const visitor = new Visitor();
  for (const client of clients) {
    const app = await RelyingParty.discover(provider.issuer, client);
    const started = await app.start();
    const page = await visitor.go(started.url, provider.issuer);
    if (page.body.includes('id="password"')) await visitor.submit(page, MEMBER, provider.issuer);
  }
  const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
  await visitor.submit(page, { logout: 'yes' }, provider.issuer);
  await provider.work();
  expect(inside.heard).toEqual([]);
  const refusals = provider.log.filter((line) => line.includes('logout token not delivered'));
  expect(refusals).toHaveLength(hosts.length);
  for (const line of refusals) expect(line).toContain('special-use IP address');
  await provider.close();
  await inside.close();
});

describeOnEveryStore('back-channel logout', (pair) => {
  let apps: LogoutApps;
  let date: ReturnType<typeof movableDate>;
  beforeEach(async () => {
    apps = await logoutApps(pair);
    date = movableDate();
  });
  afterEach(async () => {
    date.restore();
    await apps.close();
  });

  /** Time passes; then what is due is done. */
  const later = async (seconds: number) => {
    date.advance(seconds);
    await apps.provider.work();
  };

  test('reaches two apps when a session runs out because nobody used it, once', async () => {
    const visitor = new Visitor();
    const first = await apps.enter('first', visitor);
    const second = await apps.enter('second', visitor);
    await later(890);
    expect(apps.server.heard).toEqual([]);
    await later(11);
    expect(await apps.told('first')).toMatchObject([{ sub: first.sub, sid: first.sid }]);
    expect(await apps.told('second')).toMatchObject([{ sub: second.sub, sid: second.sid }]);
    await later(3_600);
    expect(apps.server.heard).toHaveLength(2);
  });

  test('is tried again with longer and longer waits, until the app has heard it once', async () => {
    const visitor = new Visitor();
    const { sid } = await apps.enter('first', visitor);
    await apps.leave(visitor);
    apps.server.answer(() => ({ status: 500 }));
    let tries = 0;
    for (const wait of [5, 30, 120, 600]) {
      await apps.provider.work();
      tries += 1;
      expect(apps.server.heard).toHaveLength(tries);
      await later(wait - 1);
      expect(apps.server.heard).toHaveLength(tries);
      date.advance(1);
    }
    apps.server.answer(() => ({}));
    await apps.provider.work();
    await later(86_400);
    const tokens = await apps.told('first');
    expect(tokens.map((token) => token.sid)).toEqual(Array(tries + 1).fill(sid));
    expect(new Set(tokens.map(({ jti }) => jti)).size).toBe(tries + 1);
  });

  test('never holds up a sign-out: a slow app is left behind, and asked again', async () => {
    const visitor = new Visitor();
    await apps.enter('first', visitor);
    await apps.leave(visitor);
    expect(apps.server.heard).toEqual([]);

    const reached = new Promise<void>((resolve) => {
      apps.server.answer(() => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    const working = apps.provider.work();
    await reached;
    const another = new Visitor();
    await apps.enter('second', another);
    expect((await apps.leave(another)).body).toContain('You are signed out');
    await working;

    apps.server.answer(() => ({}));
    await later(5);
    expect(apps.server.heard.map(({ path }) => path).sort()).toEqual(['/first', '/first', '/second']);
  });
});
