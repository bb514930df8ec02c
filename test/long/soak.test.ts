import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import * as openid from 'openid-client';
import { startRedis } from '../../scripts/servers.mjs';
import { systemClock } from '../../src/adapters/systemClock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { identify } from '../support/errands.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, TELEVISION, Visitor, webClient } from '../support/relyingParty.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { movableDate } from '../support/time.ts';

const { TEST_REDIS_SERVER = '' } = process.env;

const JOURNEYS = 1_000;
/** Between two journeys, in seconds. */
const APART = 45;
const HOUR = 3_600;
/** After so many days everything is over that is not for good: grants after 90, events after 30. */
const EVERYTHING_IS_OVER = 100;
const AUDIT_DAYS = 30;

(STORE_PAIRS[1].available ? describe : describe.skip)('a soak with one journey in ten abandoned', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let admin: Redis;
  let mongoUri: string;
  let stores: Stores;
  let provider: RunningProvider;
  let app: RelyingParty;
  let television: RelyingParty;
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    date = movableDate();
    redis = await startRedis(TEST_REDIS_SERVER);
    admin = new Redis(redis.uri);
    ({ mongoUri } = await freshServers());
    stores = await openServerStores(mongoUri, redis.uri, systemClock, () => undefined);
    provider = await startProvider(STORE_PAIRS[1], {
      ...{ clients: [webClient(), TELEVISION], stores },
      env: { TRUSTED_PROXIES: '127.0.0.1, ::1, ::ffff:127.0.0.1', AUDIT_DAYS: String(AUDIT_DAYS) },
    });
    app = await RelyingParty.discover(provider.issuer);
    television = await RelyingParty.discover(provider.issuer, TELEVISION);
  });
  afterAll(async () => {
    await provider.close();
    await stores.close();
    admin.disconnect();
    await redis.stop();
    date.restore();
  });

  /** Time passes, for Redis as well: everything there has so much less to live. Then what no request asks for is done. */
  async function pass(seconds: number): Promise<void> {
    date.advance(seconds);
    let cursor = '0';
    do {
      const [next, keys] = await admin.scan(cursor, 'COUNT', 1_000);
      cursor = next;
      const left = await Promise.all(keys.map((key) => admin.pttl(key)));
      await Promise.all(
        keys.map((key, i) => (Number(left[i]) < 0 ? undefined : admin.pexpire(key, Number(left[i]) - seconds * 1_000))),
      );
    } while (cursor !== '0');
    await provider.work();
  }

  /** Until nothing may be left. */
  async function settle(): Promise<void> {
    for (let hours = 0; hours < 24 * EVERYTHING_IS_OVER; hours += 40) await pass(40 * HOUR);
  }

  const inMemory = async () => Number(/used_memory_dataset:(\d+)/.exec(await admin.info('memory'))?.[1]);

  /** Everything that is stored: keys of Redis, and documents of each collection. */
  async function stored(): Promise<Record<string, number>> {
    const connection = await createConnection(mongoUri).asPromise();
    const counts: Record<string, number> = { 'redis keys': await admin.dbsize() };
    for (const { name } of (await connection.db?.listCollections().toArray()) ?? [])
      counts[name] = (await connection.db?.collection(name).countDocuments()) ?? 0;
    await connection.close();
    return counts;
  }

  /** Every way in which somebody goes away in the middle. */
  const ABANDONED = [
    async (visitor: Visitor) => void (await visitor.go((await app.start()).url, provider.issuer)),
    async (visitor: Visitor) => {
      const page = await visitor.go((await app.start()).url, provider.issuer);
      await visitor.submit(page, { ...MEMBER, password: 'not this one' }, provider.issuer);
    },
    async (visitor: Visitor) => {
      // The password was right, and the browser was closed over the answer.
      const page = await visitor.go((await app.start()).url, provider.issuer);
      await visitor.post(page, MEMBER);
    },
    // The app never asks for its tokens.
    async (visitor: Visitor) => void (await signIn(visitor, provider.issuer, await app.start(), MEMBER)),
    async (visitor: Visitor) => void (await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer)),
    async (visitor: Visitor) => {
      const page = await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer);
      await visitor.submit(page, { name: OTHER_MEMBER.username }, provider.issuer);
    },
    async (visitor: Visitor) => {
      const person = { 'first-name': 'Example', 'last-name': 'Person' };
      const born = { 'birth-month': '7', 'birth-day': '21', 'birth-year': '1964', 'postal-code': '97202' };
      await identify(visitor, provider, { person: { ...person, ...born }, number: 'MHP-100-2003' });
    },
    async () => void (await openid.initiateDeviceAuthorization(television.config, { scope: 'openid profile' })),
  ];

  async function walk(i: number): Promise<void> {
    const visitor = new Visitor({ 'x-forwarded-for': `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}` });
    const leave = i % 10 === 0 ? ABANDONED[(i / 10) % ABANDONED.length] : undefined;
    if (leave !== undefined) return leave(visitor);
    const started = await app.start();
    const who = i % 2 === 0 ? MEMBER : OTHER_MEMBER;
    const tokens = await app.redeem((await signIn(visitor, provider.issuer, started, who)).url, started);
    if (i % 3 === 0) await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
    if (i % 7 !== 0) return;
    const bye = openid.buildEndSessionUrl(app.config, { id_token_hint: String(tokens.id_token) });
    await visitor.go(bye.href, provider.issuer);
  }

  async function walkAll(from: number, to: number): Promise<void> {
    for (let i = from; i < to; i += 1) {
      await walk(i);
      if (i % 20 === 19) await pass(20 * APART);
    }
  }

  test('leaves the stores no larger than it found them', async () => {
    // Once every way, so that what is made once is there.
    await walkAll(0, 10 * ABANDONED.length);
    await settle();
    const [before, memoryBefore] = [await stored(), await inMemory()];

    await walkAll(1_000, 1_000 + JOURNEYS);
    const [within, memoryWithin] = [await stored(), await inMemory()];
    // Nothing in Redis is for ever but lists of what is still to be done.
    const forGood: string[] = [];
    for await (const keys of admin.scanStream() as AsyncIterable<string[]>)
      for (const key of keys) if ((await admin.pttl(key)) < 0) forGood.push(key);
    expect(forGood.filter((key) => !key.startsWith('schedule:'))).toEqual([]);

    await settle();
    const [after, memoryAfter] = [await stored(), await inMemory()];
    console.info(JSON.stringify({ before, within, after, memoryBefore, memoryWithin, memoryAfter }));
    // Taking away what is old is sealed as well, so that some seals of the last 30 days are there; they do not add up.
    const { auditSeals = 0, ...others } = after;
    expect(auditSeals).toBeLessThan(20);
    const grown = Object.entries(others).filter(([name, count]) => count > (before[name] ?? 0));
    expect(grown).toEqual([]);
    expect(within['redis keys']).toBeGreaterThan(50);
    // The allocator rounds; a key that stays of each journey would be a hundred times as much.
    expect(memoryAfter - memoryBefore).toBeLessThan(64 * 1_024);
  }, 900_000);
});
