import { type Connection, createConnection } from 'mongoose';
import type { Clock } from '../core/clock.ts';
import type { Stores } from '../core/storage/stores.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import { MongoCollection } from './mongo/collection.ts';
import { MongoSchedule } from './mongo/schedule.ts';
import { mongoModels } from './mongo/schemas.ts';
import { RedisAttempts } from './redis/attempts.ts';
import { connectRedis, type RedisConnection } from './redis/connect.ts';
import { RedisExpiring } from './redis/expiring.ts';
import { RedisSchedule } from './redis/schedule.ts';

export { openEmbeddedStores } from './embedded/open.ts';

const READY_WITHIN_MS = 5_000;

/** Hears of a server that went away; the connection comes back by itself. */
export type OnStoreError = (dependency: 'mongodb' | 'redis', error: Error) => void;

/**
 * The stores on MongoDB and Redis. Resolves when both have answered; rejects with Unavailable, which names the one
 * that does not within 5 s.
 */
export async function openServerStores(
  mongoUri: string,
  redisUrl: string,
  clock: Clock,
  onError: OnStoreError,
): Promise<Stores> {
  const connection = createConnection(mongoUri, {
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    // What stood is tried once more by the driver: nobody waits for more than twice this.
    socketTimeoutMS: 5_000,
    waitQueueTimeoutMS: 2_000,
    heartbeatFrequencyMS: 1_000,
    sanitizeFilter: true,
    bufferCommands: false,
  });
  connection.on('error', (error) => onError('mongodb', error));
  const redis = connectRedis(redisUrl, (error) => onError('redis', error));
  try {
    await Promise.all([
      connection.asPromise().catch((error) => Promise.reject(new Unavailable('mongodb', error))),
      whenReady(redis).catch((error) => Promise.reject(new Unavailable('redis', error))),
    ]);
  } catch (error) {
    await disconnect(connection, redis);
    throw error;
  }
  const models = mongoModels(connection);
  await models.outbox.createIndexes();
  return {
    accounts: new MongoCollection(models.accounts, models.claims, clock),
    clients: new MongoCollection(models.clients, models.claims, clock),
    consents: new MongoCollection(models.consents, models.claims, clock),
    keyRings: new MongoCollection(models.keyRings, models.claims, clock),
    roster: new MongoCollection(models.roster, models.claims, clock),
    trail: new MongoCollection(models.trail, models.claims, clock),
    cases: new MongoCollection(models.cases, models.claims, clock),
    staff: new MongoCollection(models.staff, models.claims, clock),
    clientChanges: new MongoCollection(models.clientChanges, models.claims, clock),
    audit: new MongoCollection(models.audit, models.claims, clock),
    auditSeals: new MongoCollection(models.auditSeals, models.claims, clock),
    auditLookup: new MongoCollection(models.auditLookup, models.claims, clock),
    endings: new MongoCollection(models.endings, models.claims, clock),
    expiring: new RedisExpiring(redis, clock),
    attempts: new RedisAttempts(redis, clock),
    schedule: new RedisSchedule(redis, clock),
    outbox: new MongoSchedule(models.outbox, clock),
    close: () => disconnect(connection, redis),
  };
}

/** The library's own promise never ends where a Cluster is just agreeing on a new primary, or no Sentinel answers. */
async function whenReady(redis: RedisConnection): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready within ${READY_WITHIN_MS} ms`)), READY_WITHIN_MS);
    redis.once('ready', () => {
      clearTimeout(late);
      resolve();
    });
    redis.connect().catch((error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}

async function disconnect(connection: Connection, redis: RedisConnection): Promise<void> {
  redis.disconnect();
  await connection.close();
}
