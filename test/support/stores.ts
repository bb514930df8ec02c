import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import type { Clock } from '../../src/core/clock.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { openEmbeddedStores, openServerStores } from '../../src/stores/open.ts';
import { type RedisForm, startCluster, startSentinels } from './redisForms.ts';

/** A pair of stores to run a suite on, empty at each opening. */
export interface StorePair {
  readonly name: string;
  readonly available: boolean;
  open(clock: Clock): Promise<Stores>;
}

const { TEST_MONGODB_URI, TEST_REDIS_URL, JEST_WORKER_ID = '1' } = process.env;

/** Addresses of a database and a Redis number that nobody else uses now. */
export async function freshServers(): Promise<{ mongoUri: string; redisUrl: string }> {
  const mongoUri = `${TEST_MONGODB_URI}/test_${randomBytes(6).toString('hex')}`;
  const redisUrl = `${TEST_REDIS_URL}/${JEST_WORKER_ID}`;
  const redis = new Redis(redisUrl);
  await redis.flushdb();
  redis.disconnect();
  return { mongoUri, redisUrl };
}

const embedded: StorePair = {
  name: 'the embedded store',
  available: true,
  open: async (clock) => openEmbeddedStores(':memory:', clock),
};

const servers: StorePair = {
  name: 'MongoDB and Redis',
  available: TEST_MONGODB_URI !== undefined && TEST_REDIS_URL !== undefined,
  async open(clock) {
    const { mongoUri, redisUrl } = await freshServers();
    return openForTest(mongoUri, redisUrl, clock);
  },
};

export const STORE_PAIRS: readonly [StorePair, StorePair] = [embedded, servers];

/** A pair whose servers are begun for one suite. */
export interface StartedPair extends StorePair {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** The forms in which Redis runs on several servers. */
export const REDIS_FORMS: readonly StartedPair[] = [
  started('a Redis Cluster', (program) => startCluster(program, 0)),
  started('Redis behind Sentinels', startSentinels),
];

function started(name: string, start: (program: string) => Promise<RedisForm>): StartedPair {
  let form: RedisForm;
  return {
    ...{ name, available: servers.available },
    async begin() {
      form = await start(String(process.env.TEST_REDIS_SERVER));
    },
    async open(clock) {
      const { mongoUri } = await freshServers();
      await form.flush();
      return openForTest(mongoUri, form.url, clock);
    },
    end: () => form.stop(),
  };
}

/** A part of real stores that fails where `faultOf` names an error for what is called; it does nothing then. */
export const failing = <Part extends object>(
  part: Part,
  faultOf: (method: string, key: string) => Error | undefined,
): Part =>
  new Proxy(part, {
    get: (target, method) => {
      const own = Reflect.get(target, method, target);
      if (typeof own !== 'function') return own;
      return async (...given: unknown[]) => {
        const fault = faultOf(String(method), String(given[0]));
        if (fault !== undefined) throw fault;
        return own.apply(target, given);
      };
    },
  });

async function openForTest(mongoUri: string, redisUrl: string, clock: Clock): Promise<Stores> {
  const stores = await openServerStores(mongoUri, redisUrl, clock, () => undefined);
  return {
    ...stores,
    async close() {
      await stores.close();
      const connection = await createConnection(mongoUri).asPromise();
      await connection.dropDatabase();
      await connection.close();
    },
  };
}
