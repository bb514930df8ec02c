import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import request from 'supertest';
import { startMongo, startRedis } from '../../scripts/servers.mjs';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { openServerStores } from '../../src/stores/open.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { freshServers, STORE_PAIRS, type StorePair } from '../support/stores.ts';

const { TEST_MONGOD = '', TEST_REDIS_SERVER = '' } = process.env;
const embedded = STORE_PAIRS[0] as StorePair;

describeOnEveryStore('a process that is well', (pair) => {
  let provider: RunningProvider;
  beforeAll(async () => {
    const { mongoUri, redisUrl } = pair === embedded ? { mongoUri: '', redisUrl: '' } : await freshServers();
    provider = await startProvider(pair, { env: { MONGODB_URI: mongoUri, REDIS_URL: redisUrl } });
  });
  afterAll(() => provider.close());

  test('lives', async () => {
    const { status, body, headers } = await request(provider.issuer).get('/health/live');
    expect([status, body, headers['cache-control']]).toEqual([200, { status: 'live' }, 'no-store']);
  });

  test('is ready, and says how long each dependency took', async () => {
    const { status, body, headers } = await request(provider.issuer).get('/health/ready');
    expect([status, headers['cache-control'], headers['content-type']]).toEqual([
      ...[200, 'no-store', 'application/json; charset=utf-8'],
    ]);
    const up = { status: 'up', milliseconds: expect.any(Number) };
    const dependencies = pair === embedded ? { store: up } : { mongodb: up, redis: up };
    expect(body).toEqual({ status: 'ready', dependencies });
    expect((await request(provider.issuer).head('/health/ready')).status).toBe(200);
  });

  test('takes no other method, and fills no log', async () => {
    expect((await request(provider.issuer).post('/health/ready')).status).toBe(404);
    expect(provider.log.join('')).not.toContain('"path":"/health/live"');
  });
});

/** The servers of this suite are its own, because it holds them up. */
(TEST_MONGOD === '' || TEST_REDIS_SERVER === '' ? describe.skip : describe)('a server that hangs', () => {
  const servers: Record<'mongo' | 'redis', Awaited<ReturnType<typeof startRedis>>> = {} as never;
  let provider: RunningProvider;
  beforeAll(async () => {
    [servers.mongo, servers.redis] = await Promise.all([startMongo(TEST_MONGOD), startRedis(TEST_REDIS_SERVER)]);
    const [MONGODB_URI, REDIS_URL] = [`${servers.mongo.uri}/health`, servers.redis.uri];
    const stores = await openServerStores(MONGODB_URI, REDIS_URL, systemClock, () => undefined);
    provider = await startProvider(embedded, { env: { MONGODB_URI, REDIS_URL }, stores });
  });
  afterAll(async () => {
    await provider.close();
    await provider.stores.close();
    await Promise.all([servers.mongo.stop(), servers.redis.stop()]);
  });
  const ready = () => request(provider.issuer).get('/health/ready');

  test('is down after two seconds, the other is up, the process lives, and all is well when it is back', async () => {
    const redis = new Redis(servers.redis.uri);
    await redis.call('CLIENT', 'PAUSE', '3500', 'ALL');
    redis.disconnect();

    const asked = performance.now();
    const { status, body } = await ready();
    expect(performance.now() - asked).toBeLessThan(3_000);
    expect([status, body.status]).toEqual([503, 'unavailable']);
    expect(body.dependencies).toMatchObject({ mongodb: { status: 'up' }, redis: { status: 'down' } });
    expect(body.dependencies.redis.milliseconds).toBeGreaterThan(1_900);
    expect((await request(provider.issuer).get('/health/live')).status).toBe(200);

    const waiting = performance.now();
    while ((await ready()).status !== 200) expect(performance.now() - waiting).toBeLessThan(10_000);
  });

  test('that is gone is told at once', async () => {
    await servers.mongo.stop({ keep: true });
    const { status, body } = await ready();
    expect([status, body.dependencies.mongodb.status, body.dependencies.redis.status]).toEqual([503, 'down', 'up']);
    expect((await request(provider.issuer).get('/status').set('Accept', 'text/html')).status).toBe(503);
  });
});
