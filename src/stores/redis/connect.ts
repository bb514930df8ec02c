import { Redis } from 'ioredis';

/**
 * A connection that fails fast while the server is away and comes back by itself: a command waits 2 s at most, and a
 * new connection is tried at least every second.
 */
export function connectRedis(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    // A primary that has become a replica refuses writes: connect again, and find the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  redis.on('error', onError);
  return redis;
}
