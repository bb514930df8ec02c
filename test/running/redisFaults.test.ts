import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import * as openid from 'openid-client';
import { startRedis } from '../../scripts/servers.mjs';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { openServerStores } from '../../src/stores/open.ts';
import type { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { movableDate } from '../support/time.ts';
import type { Answer } from '../support/visitor.ts';
import { within } from '../support/within.ts';

const { TEST_REDIS_SERVER = '' } = process.env;

/** A Redis of its own, because it is killed, filled and held up. */
(STORE_PAIRS[1].available ? describe : describe.skip)('while Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let admin: Redis;
  let stores: Stores;
  let provider: RunningProvider;
  let app: RelyingParty;
  let codes: AuthenticatorApp;
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    date = movableDate();
    redis = await startRedis(TEST_REDIS_SERVER);
    admin = new Redis(redis.uri);
    admin.on('error', () => undefined);
    const { mongoUri } = await freshServers();
    stores = await openServerStores(mongoUri, redis.uri, systemClock, () => undefined);
    provider = await startProvider(STORE_PAIRS[1], {
      ...{ clients: [webClient()], stores },
      env: { MFA_POLICY: 'required' },
    });
    app = await RelyingParty.discover(provider.issuer);
    const visitor = new Visitor();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    const offer = await visitor.submit(page, MEMBER, provider.issuer);
    codes = (await setUpApp(visitor, offer, provider.issuer, Date.now)).app;
  }, 60_000);
  afterAll(async () => {
    date.restore();
    admin.disconnect();
    await provider.close();
    await stores.close();
    await redis.stop();
  });

  const up = async () => {
    const { port, directory } = redis;
    redis = await startRedis(TEST_REDIS_SERVER, { port, directory });
  };

  /** Asks for something while Redis is gone, and once more as soon as it is back. The second answer may take ten seconds. */
  async function across<T>(
    ask: () => Promise<T>,
    isDown: (answer: T) => boolean,
    again?: (a: T) => Promise<T>,
  ): Promise<T> {
    await redis.stop({ keep: true });
    const asked = performance.now();
    const down = await ask();
    expect(isDown(down)).toBe(true);
    expect(performance.now() - asked).toBeLessThan(5_000);
    await up();
    let answer = down;
    await within(10, async () => {
      answer = await (again === undefined ? ask() : again(down));
      return !isDown(answer);
    });
    return answer;
  }

  /** The page that says so, with the way on that it shows. */
  function sorry({ status, headers, body, url }: Answer): string | undefined {
    if (status !== 503) return undefined;
    expect([headers.get('retry-after'), body.includes('Sign-in is not working right now')]).toEqual(['10', true]);
    const link = /id="try-again"[^>]* href="([^"]+)"/.exec(body)?.[1];
    if (link === undefined) throw new Error(`no way on at ${url}`);
    return new URL(link.replaceAll('&amp;', '&'), url).href;
  }

  test('is gone at every single request of a sign-in with two steps, each says so and goes on', async () => {
    date.advance(30);
    const visitor = new Visitor();
    const started = await app.start();
    const seen: string[] = [];
    const place = ({ method, url }: { method: string; url: string }) =>
      `${method} ${new URL(url).pathname.replace(/[\w-]{20,}/, ':id')}`;

    const get = async (url: string): Promise<Answer> => {
      seen.push(place({ method: 'GET', url }));
      return across(
        () => visitor.fetch(url),
        (answer) => sorry(answer) !== undefined,
        (down) => visitor.fetch(String(sorry(down))),
      );
    };
    /** The form is sent in vain, the page is shown once more, and the form is sent anew. */
    const post = async (page: Answer, fields: Record<string, string>): Promise<Answer> => {
      const same = await across(
        () => visitor.post(page, fields),
        (answer) => sorry(answer) !== undefined,
        (down) => visitor.go(String(sorry(down)), provider.issuer),
      );
      seen.push(place({ method: 'POST', url: page.url }));
      expect(same.status).toBe(200);
      return visitor.post(same, fields);
    };

    let answer = await get(started.url);
    for (;;) {
      const location = answer.headers.get('location');
      if (location !== null) {
        const next = new URL(location, answer.url).href;
        if (!next.startsWith(provider.issuer)) break;
        answer = await get(next);
      } else if (answer.body.includes('id="password"')) answer = await post(answer, MEMBER);
      else if (answer.body.includes('id="code"')) answer = await post(answer, { code: codes.code(Date.now()) });
      else throw new Error(`${answer.status} at ${answer.url}: ${answer.body}`);
    }
    // Each of the two forms was sent in vain and then anew; where a busy machine lost an answer, once more.
    const forms = seen.filter((one) => one === 'POST /interaction/:id').length;
    expect([...new Set(seen)]).toEqual(['GET /auth', 'GET /interaction/:id', 'POST /interaction/:id', 'GET /auth/:id']);
    expect([2, 3]).toContain(forms);

    // The app's own requests: an error that it may try again, and the code is still good.
    const came = String(answer.headers.get('location'));
    const isOut = (told: unknown) => told === 503;
    const error = ({ cause }: { cause?: unknown }) => (cause instanceof Response ? cause.status : String(cause));
    const tokens = await across(() => app.redeem(came, started).catch(error), isOut);
    if (typeof tokens !== 'object') throw new Error(String(tokens));
    expect(tokens.claims()?.amr).toEqual(['pwd', 'otp', 'mfa']);
    const refreshed = await across(
      () => openid.refreshTokenGrant(app.config, String(tokens.refresh_token)).catch(error),
      isOut,
    );
    if (typeof refreshed !== 'object') throw new Error(String(refreshed));
    const info = () =>
      fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${refreshed.access_token}` } }).then(
        ({ status }) => status,
      );
    expect(await across(info, (status) => status === 503)).toBe(200);

    // The session's: single sign-on, the warning's button, a page of the account, and the way out.
    const again = await app.start();
    expect(String((await get(again.url)).headers.get('location'))).toContain('code=');
    const account = await across(
      () => visitor.fetch(`${provider.issuer}/account`),
      ({ status }) => status === 503,
    );
    expect(account.status).toBeLessThan(400);
    const bye = openid.buildEndSessionUrl(app.config, { id_token_hint: String(tokens.id_token) });
    const gone = await get(bye.href);
    expect(gone.status).toBeLessThan(400);
  }, 180_000);

  test('is full, nobody gets in uncounted; with room again the same page goes on', async () => {
    date.advance(30);
    const visitor = new Visitor();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await admin.config('SET', 'maxmemory', '1');
    const answers = await Promise.all(
      Array.from({ length: 7 }, () => visitor.post(page, { ...MEMBER, password: 'no' })),
    );
    answers.push(await visitor.post(page, MEMBER));
    expect(answers.map((answer) => sorry(answer) !== undefined)).toEqual(answers.map(() => true));
    expect((await fetch(`${provider.issuer}/health/live`)).status).toBe(200);
    await admin.config('SET', 'maxmemory', '0');
    // The seven wrong ones were never compared, and lock nobody out.
    const next = await visitor.submit(page, MEMBER, provider.issuer);
    expect(next.body).toContain('id="code"');
  });

  test('is slow, the answer waits for it; where it takes too long the page says so, and all is well afterwards', async () => {
    date.advance(30);
    const visitor = new Visitor();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    await admin.call('CLIENT', 'PAUSE', '1000', 'ALL');
    const began = performance.now();
    const late = await visitor.submit(page, MEMBER, provider.issuer);
    expect([late.status, late.body.includes('id="code"'), performance.now() - began > 900]).toEqual([200, true, true]);

    const other = new Visitor();
    const form = await other.go((await app.start()).url, provider.issuer);
    await admin.call('CLIENT', 'PAUSE', '6000', 'ALL');
    const paused = performance.now();
    expect(sorry(await other.post(form, MEMBER))).toBeDefined();
    expect(performance.now() - paused).toBeLessThan(5_000);
    await within(16, async () => (await other.fetch(form.url)).status === 200);
    expect((await other.submit(form, MEMBER, provider.issuer)).body).toContain('id="code"');
  }, 60_000);
});
