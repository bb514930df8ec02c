import { describe, expect, test } from '@jest/globals';
import { readRedisUrl, redisUrlFault } from '../../src/core/storage/redisServers.ts';

const nobody = { username: undefined, password: undefined };

describe('REDIS_URL', () => {
  test.each([
    ['redis://cache', { form: 'single', tls: false, user: nobody, at: { host: 'cache', port: 6379 }, database: 0 }],
    [
      'rediss://us%40er:p%3Aa%2Fs%20s:w@cache.example.org:6380/3',
      {
        ...{ form: 'single', tls: true, at: { host: 'cache.example.org', port: 6380 }, database: 3 },
        user: { username: 'us@er', password: 'p:a/s s:w' },
      },
    ],
    [
      'redis://:secret@[::1]:7000,redis://b',
      {
        ...{ form: 'cluster', tls: false, user: { username: undefined, password: 'secret' } },
        seeds: [
          { host: '::1', port: 7000 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
    ['rediss+cluster://one', { form: 'cluster', tls: true, user: nobody, seeds: [{ host: 'one', port: 6379 }] }],
    [
      'redis+sentinel://:of%20servers@a,b:26380/main?sentinel-user=s&sentinel-password=of%20sentinels',
      {
        ...{ form: 'sentinel', tls: false, name: 'main', user: { username: undefined, password: 'of servers' } },
        sentinels: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 26380 },
        ],
        sentinelUser: { username: 's', password: 'of sentinels' },
      },
    ],
  ])('%s is understood', (url, servers) => expect(readRedisUrl(url)).toEqual(servers));

  test.each([
    ['http://cache', 'must be redis://'],
    ['redis://', 'must be redis://'],
    ['redis://a,b', 'each begins with redis://'],
    ['redis://a,rediss://b', 'all rediss://'],
    ['redis://a/1,redis://b', 'without a database'],
    ['redis://a,redis+sentinel://b/main', 'must be redis://'],
    ['redis+cluster://a/1', 'no databases'],
    ['redis+sentinel://a,b', 'the name under which they know'],
    ['redis://a:port', 'a node is host:port'],
    ['redis://a/name', 'number of a database'],
  ])('%s is refused in words', (url, words) => {
    expect(redisUrlFault(url)).toContain(words);
    expect(redisUrlFault(url.replace('://', '://:hush@'))).not.toContain('hush');
  });
});
