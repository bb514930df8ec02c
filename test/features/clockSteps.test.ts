import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { movableDate } from '../support/time.ts';

const HOUR = 3_600;

describeOnEveryStore('a clock that is set', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    date = movableDate();
    provider = await startProvider(pair, { clients: [webClient()] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(async () => {
    date.restore();
    await provider.close();
  });

  const enter = async () => {
    const visitor = new Visitor();
    const started = await app.start();
    const tokens = await app.redeem((await signIn(visitor, provider.issuer, started, MEMBER)).url, started);
    return { visitor, tokens };
  };
  const isIn = async (visitor: Visitor) =>
    (await visitor.go((await app.start()).url, provider.issuer)).url.includes('code=');

  test.each([30, 2 * HOUR])('back by %d s keeps who is in, and lets others in', async (seconds) => {
    const { visitor, tokens } = await enter();
    date.advance(-seconds);
    expect(await isIn(visitor.copy())).toBe(true);
    await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
    const other = await enter();
    expect(await isIn(other.visitor)).toBe(true);
    date.advance(seconds);
    expect(await isIn(other.visitor)).toBe(seconds < 900);
  });

  test('forward ends what is over by it, and nothing of that comes back with the right time', async () => {
    const { visitor, tokens } = await enter();
    date.advance(13 * HOUR);
    await provider.work();
    expect(await isIn(visitor.copy())).toBe(false);
    const later = await enter();
    expect(await isIn(later.visitor)).toBe(true);
    date.advance(-13 * HOUR);
    expect(await isIn(visitor.copy())).toBe(false);
    await expect(openid.refreshTokenGrant(app.config, String(tokens.refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    // Who came in by the wrong time stays in, and sign-ins go on.
    expect(await isIn(later.visitor)).toBe(true);
    expect(await isIn((await enter()).visitor)).toBe(true);
  });

  test('forward and back in the middle of a sign-in, or between two wrong passwords, locks nobody out', async () => {
    const visitor = new Visitor();
    const started = await app.start();
    const page = await visitor.go(started.url, provider.issuer);
    for (const step of [600, -1_200, 3_000, -2_400]) {
      date.advance(step);
      expect((await visitor.post(page, { ...MEMBER, password: 'not this one' })).status).toBe(401);
    }
    const end = await visitor.submit(page, MEMBER, provider.issuer);
    expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
  });
});
