import { Cluster, Redis } from 'ioredis';
import { type RedisServers, readRedisUrl } from '../../core/storage/redisServers.ts';

/** What is asked of Redis, in whichever form it runs. */
export type RedisConnection = Pick<
  Redis,
  'defineCommand' | 'del' | 'hmget' | 'zrangebyscore' | 'connect' | 'disconnect'
> & { once(event: 'ready', listener: () => void): unknown };

/** How long a new connection is waited for after so many tries in vain. */
const retryIn = (attempt: number): number => Math.min(attempt * 100, 1_000);

/**
 * A connection that fails fast while the server is away and comes back by itself: a command waits 2 s at most, and a
 * new connection is tried at least every second. Who became the primary is found out without a restart.
 */
export function connectRedis(url: string, onError: (error: Error) => void): RedisConnection {
  const servers = readRedisUrl(url);
  const redis = servers.form === 'cluster' ? cluster(servers) : single(servers);
  redis.on('error', onError);
  comeBack(redis);
  return redis;
}

/**
 * Only we end a client. The library ends it for good as well when it is told of a new primary in the moment in which it asks the
 * Sentinels for one.
 */
function comeBack(redis: Redis | Cluster): void {
  let ours = false;
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (andConnect) => {
    ours ||= andConnect !== true;
    disconnect(andConnect);
  };
  redis.on('end', () => {
    if (!ours) setTimeout(() => ours || redis.connect().catch(() => undefined), retryIn(1));
  });
}

function single(servers: Exclude<RedisServers, { form: 'cluster' }>): Redis {
  return new Redis({
    ...optionsFor(servers),
    ...(servers.form === 'single' ? { ...servers.at, db: servers.database } : sentinelOptions(servers)),
    lazyConnect: true,
    enableOfflineQueue: false,
    // What was sent and not answered may have been done. Sent again by the library, a swap or a code that we spent would look
    // like somebody else's; the request fails instead, and the member tries again.
    maxRetriesPerRequest: 0,
    retryStrategy: retryIn,
    // A primary that has become a replica refuses writes: connect again, and find the new one. Redis 6.2 says so of a script in the
    // middle of its words.
    reconnectOnError: ({ message }: Error) => /\bREADONLY\b/.test(message),
  });
}

function sentinelOptions({ sentinels, name, sentinelUser, tls }: Extract<RedisServers, { form: 'sentinel' }>) {
  const { username, password } = sentinelUser;
  return {
    ...{ sentinels: [...sentinels], name, sentinelRetryStrategy: retryIn, sentinelCommandTimeout: 2_000 },
    // Told by the Sentinels: a primary that froze never says that it is none any more.
    failoverDetector: true,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  };
}

function cluster(servers: Extract<RedisServers, { form: 'cluster' }>): Cluster {
  return new Cluster([...servers.seeds], {
    redisOptions: optionsFor(servers),
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryIn,
    // Here what a connection took with it is sent again: the library closes and opens connections of nodes as it learns of them,
    // and does not tell what had left from what had not.
    // A node that froze answers no MOVED: who has which keys is asked of the others.
    slotsRefreshInterval: 2_000,
    // Under their names, which are what their certificates are for.
    dnsLookup: (address, found) => found(null, address),
  });
}

const optionsFor = ({ tls, user: { username, password } }: RedisServers) => ({
  connectTimeout: 2_000,
  commandTimeout: 2_000,
  // A server that lost its power closes nothing.
  socketTimeout: 3_000,
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  ...(tls ? { tls: {} } : {}),
});
