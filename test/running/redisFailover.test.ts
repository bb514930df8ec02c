import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { connectRedis } from '../../src/stores/redis/connect.ts';
import { RedisExpiring } from '../../src/stores/redis/expiring.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { type RedisForm, type RedisServer, startCluster, startSentinels } from '../support/redisForms.ts';
import { openRedisTap } from '../support/redisTap.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

const { TEST_REDIS_SERVER = '' } = process.env;

/** Seconds in which the other servers have agreed on a new primary, also on a machine that is busy. */
const AGREED = 60;
/** Seconds after that in which we have found it. */
const FOUND = 10;

/** What happens to a primary, and how it comes back. */
const FATES = [
  {
    fate: 'is killed',
    strike: (server: RedisServer) => server.stop({ keep: true }),
    undo: (form: RedisForm, server: RedisServer) => form.restart(server),
  },
  {
    fate: 'freezes, as one without power or behind a cut cable does',
    strike: async (server: RedisServer) => void process.kill(Number(server.pid), 'SIGSTOP'),
    undo: async (_: RedisForm, server: RedisServer) => void process.kill(Number(server.pid), 'SIGCONT'),
  },
];

describe.each([
  ['a Cluster', (program: string) => startCluster(program, 1)],
  ['Redis behind Sentinels', startSentinels],
])('of %s', (_, start) => {
  (STORE_PAIRS[1].available ? describe : describe.skip)('a primary', () => {
    let form: RedisForm;
    let stores: Stores;
    let provider: RunningProvider;
    let app: RelyingParty;
    beforeAll(async () => {
      form = await start(TEST_REDIS_SERVER);
      const { mongoUri } = await freshServers();
      stores = await openServerStores(mongoUri, form.url, systemClock, () => undefined);
      provider = await startProvider(STORE_PAIRS[1], { clients: [webClient()], stores });
      app = await RelyingParty.discover(provider.issuer);
    }, 90_000);
    afterAll(async () => {
      await provider.close();
      await stores.close();
      await form.stop();
    });

    test.each(FATES)(
      'that $fate is followed by its replica; until then the pages say so, and nobody loses a sign-in',
      async ({ fate, strike, undo }) => {
        await form.whole();
        const visitor = new Visitor();
        const before = await app.start();
        const { refresh_token } = await app.redeem(
          (await signIn(visitor, provider.issuer, before, MEMBER)).url,
          before,
        );
        const half = await app.start();
        const other = new Visitor();
        const page = await other.go(half.url, provider.issuer);
        expect(page.body).toContain('id="password"');

        // What a primary has not handed on when it goes is lost with it; its replica acknowledges once a second.
        await form.whole();
        const struck = await form.primaries();
        await strike(struck[0] as RedisServer);
        try {
          const since = Date.now();
          const seen = new Set<number>();
          let slowest = 0;
          const signedIn = async () => {
            const asked = Date.now();
            const answer = await other.post(page, MEMBER);
            slowest = Math.max(slowest, Date.now() - asked);
            seen.add(answer.status);
            if (answer.status === 503) expect(answer.body).toContain('Sign-in is not working right now');
            return answer.status === 303;
          };
          const agreed = within(AGREED, async () => {
            const others = (await form.primaries()).filter((server) => server !== struck[0]);
            return others.length === struck.length;
          }).then(() => Date.now());
          const found = within(AGREED + FOUND, signedIn).then(() => Date.now());
          const [agreedAt, foundAt] = await Promise.all([agreed, found]).catch((error) => {
            throw new Error(`${error.message}; the answers were ${[...seen]}`);
          });
          expect(foundAt - agreedAt).toBeLessThan(FOUND * 1_000);
          const wellAfter = foundAt - since;
          expect([...seen].filter((status) => status !== 303 && status !== 503)).toEqual([]);
          expect(slowest).toBeLessThan(8_000);
          const end = await other.go(page.url, provider.issuer);
          expect((await app.redeem(end.url, half)).claims()?.amr).toEqual(['pwd']);
          console.info(
            `${form.url.slice(0, 14)}… a primary ${fate}: well after ${wellAfter} ms, slowest answer ${slowest} ms`,
          );

          // What was answered before still stands: the session, and the token.
          const again = await app.start();
          expect((await visitor.go(again.url, provider.issuer)).url).toContain('code=');
          expect((await openid.refreshTokenGrant(app.config, String(refresh_token))).access_token).toBeDefined();
        } finally {
          await undo(form, struck[0] as RedisServer);
        }
      },
      200_000,
    );

    test('goes with all the others: the pages say so, and all is well within 10 s of their return', async () => {
      await form.whole();
      const visitor = new Visitor();
      const started = await app.start();
      const page = await visitor.go(started.url, provider.issuer);
      const all = [...form.servers];
      await Promise.all(all.map((server) => server.stop({ keep: true })));
      const asked = Date.now();
      expect((await visitor.post(page, MEMBER)).status).toBe(503);
      expect(Date.now() - asked).toBeLessThan(5_000);
      await Promise.all(all.map((server) => form.restart(server)));
      const returned = Date.now();
      while ((await visitor.post(page, MEMBER)).status === 503) expect(Date.now() - returned).toBeLessThan(10_000);
      const end = await visitor.go(page.url, provider.issuer);
      expect((await app.redeem(end.url, started)).claims()?.amr).toEqual(['pwd']);
      console.info(`${form.url.slice(0, 14)}… all of it gone: well ${Date.now() - returned} ms after its return`);
    }, 150_000);
  });
});

(STORE_PAIRS[1].available ? test : test.skip)(
  'a new primary that is told while the Sentinels are being asked for it is found all the same',
  async () => {
    const form = await startSentinels(TEST_REDIS_SERVER);
    const tap = await openRedisTap(String(form.sentinels[0]?.uri));
    const redis = connectRedis(
      form.url.replace(String(form.sentinels[0]?.port), new URL(tap.url).port),
      () => undefined,
    );
    try {
      await redis.connect();
      const expiring = new RedisExpiring(redis, systemClock);
      const writes = async () =>
        expiring.put('a key', {}, systemClock.now() + 60_000).then(
          () => true,
          () => false,
        );
      expect(await writes()).toBe(true);
      const [before] = await form.primaries();
      const failedOver = new Promise<void>((resolve) =>
        tap.when(/get-master-addr-by-name/i, () => resolve(form.failOver())),
      );
      await form.hangUp();
      await failedOver;
      await within(AGREED, async () => {
        const [now] = await form.primaries();
        return now !== undefined && now.port !== before?.port;
      });
      const since = Date.now();
      await within(20, writes);
      console.info(`well ${Date.now() - since} ms after there was a new primary`);
    } finally {
      redis.disconnect();
      tap.close();
      await form.stop();
    }
  },
  150_000,
);

(STORE_PAIRS[1].available ? test : test.skip)(
  'who starts while a Cluster lacks some of its keys is told so within seconds, and starts when it is whole',
  async () => {
    const form = await startCluster(TEST_REDIS_SERVER, 0);
    const { mongoUri } = await freshServers();
    const open = () => openServerStores(mongoUri, form.url, systemClock, () => undefined);
    try {
      const gone = form.servers[0] as RedisServer;
      await gone.stop({ keep: true });
      await within(20, async () => !(await form.serves()));
      const asked = Date.now();
      await expect(open()).rejects.toThrow(Unavailable);
      expect(Date.now() - asked).toBeLessThan(7_000);
      await form.restart(gone);
      await within(20, () => form.serves());
      await (await open()).close();
    } finally {
      await form.stop();
    }
  },
  90_000,
);
