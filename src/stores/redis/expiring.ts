import type { Clock } from '../../core/clock.ts';
import type { Entry, Expiring } from '../../core/storage/expiring.ts';
import type { RedisConnection } from './connect.ts';
import { askRedis, GARBAGE_AFTER_MS, type ScriptCommand, withScripts } from './scripts.ts';

/*
 * A record is a hash: v = value as JSON, n = version, d = deadline, s = when it was spent. The time comes from us; the
 * server's own expiry comes later and only frees memory.
 */
const SCRIPTS = {
  expiringPut: `
    local d = tonumber(redis.call('HGET', KEYS[1], 'd') or 0)
    if d > tonumber(ARGV[4]) and redis.call('HEXISTS', KEYS[1], 's') == 1 then return 0 end
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'n', 1, 'd', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1`,
  expiringSwap: `
    local d = tonumber(redis.call('HGET', KEYS[1], 'd') or 0)
    local n = 0
    if d > tonumber(ARGV[5]) then n = tonumber(redis.call('HGET', KEYS[1], 'n')) end
    if n ~= tonumber(ARGV[4]) then return 0 end
    if n > 0 and redis.call('HEXISTS', KEYS[1], 's') == 1 then return 0 end
    if n == 0 then redis.call('DEL', KEYS[1]) end
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'n', n + 1, 'd', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1`,
  expiringSpend: `
    local d = tonumber(redis.call('HGET', KEYS[1], 'd') or 0)
    if d <= tonumber(ARGV[2]) then return 0 end
    return redis.call('HSETNX', KEYS[1], 's', ARGV[1])`,
  expiringJoin: `
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
    local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(last) - tonumber(ARGV[4]) + tonumber(ARGV[3])))
    return 1`,
} as const;

/** Expiring values in Redis 6.2 or newer. */
export class RedisExpiring implements Expiring {
  readonly #redis: RedisConnection & Record<keyof typeof SCRIPTS, ScriptCommand<number>>;
  readonly #clock: Clock;

  constructor(redis: RedisConnection, clock: Clock) {
    this.#redis = withScripts(redis, SCRIPTS);
    this.#clock = clock;
  }

  async get(key: string): Promise<Entry | undefined> {
    const [value, version, deadline, spentAt] = await askRedis(() => this.#redis.hmget(key, 'v', 'n', 'd', 's'));
    if (value == null || Number(deadline) <= this.#clock.now()) return undefined;
    return {
      value: JSON.parse(value),
      version: Number(version),
      ...(spentAt == null ? {} : { spentAt: Number(spentAt) }),
    };
  }

  async put(key: string, value: object, deadline: number): Promise<boolean> {
    const args = [JSON.stringify(value), deadline, this.#garbageIn(deadline), this.#clock.now()];
    return (await askRedis(() => this.#redis.expiringPut(key, ...args))) === 1;
  }

  async swap(key: string, version: number, value: object, deadline: number): Promise<boolean> {
    const args = [JSON.stringify(value), deadline, this.#garbageIn(deadline), version, this.#clock.now()];
    return (await askRedis(() => this.#redis.expiringSwap(key, ...args))) === 1;
  }

  async spend(key: string, at: number): Promise<boolean> {
    return (await askRedis(() => this.#redis.expiringSpend(key, at, this.#clock.now()))) === 1;
  }

  async remove(key: string): Promise<boolean> {
    return (await askRedis(() => this.#redis.del(key))) === 1;
  }

  async join(set: string, member: string, deadline: number): Promise<void> {
    await askRedis(() => this.#redis.expiringJoin(set, member, deadline, GARBAGE_AFTER_MS, this.#clock.now()));
  }

  async members(set: string): Promise<string[]> {
    return askRedis(() => this.#redis.zrangebyscore(set, `(${this.#clock.now()}`, '+inf'));
  }

  /** Milliseconds from now on, so that the server's own clock does not matter. */
  #garbageIn(deadline: number): number {
    return deadline - this.#clock.now() + GARBAGE_AFTER_MS;
  }
}
