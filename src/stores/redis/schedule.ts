import type { Clock } from '../../core/clock.ts';
import type { Schedule, ScheduledItem } from '../../core/storage/schedule.ts';
import type { RedisConnection } from './connect.ts';
import { askRedis, type ScriptCommand, withScripts } from './scripts.ts';

/* A list is a sorted set of ids by their time, and a hash of values. Both keys share a hash tag. */
const SCRIPTS = {
  schedulePut: `
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
    return 1`,
  scheduleTake: `
    local taken = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
      redis.call('ZADD', KEYS[1], ARGV[3], id)
      taken[#taken + 1] = id
      taken[#taken + 1] = redis.call('HGET', KEYS[2], id)
    end
    return taken`,
  scheduleRemove: `
    if ARGV[2] and tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1) ~= tonumber(ARGV[2]) then return 0 end
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('HDEL', KEYS[2], ARGV[1])
    return 1`,
} as const;

/** Scheduled items in Redis 6.2 or newer. */
export class RedisSchedule implements Schedule {
  readonly #redis: RedisConnection & Record<keyof typeof SCRIPTS, ScriptCommand<string[]>>;
  readonly #clock: Clock;

  constructor(redis: RedisConnection, clock: Clock) {
    this.#redis = withScripts(redis, SCRIPTS, 2);
    this.#clock = clock;
  }

  async put(list: string, id: string, due: number, value: object): Promise<void> {
    await askRedis(() => this.#redis.schedulePut(...keys(list), id, due, JSON.stringify(value)));
  }

  async take(list: string, most: number, lease: number): Promise<ScheduledItem[]> {
    const now = this.#clock.now();
    const leasedUntil = now + lease;
    const taken = await askRedis(() => this.#redis.scheduleTake(...keys(list), now, most, leasedUntil));
    const items: ScheduledItem[] = [];
    for (let i = 0; i < taken.length; i += 2) {
      items.push({ id: String(taken[i]), value: JSON.parse(String(taken[i + 1])), leasedUntil });
    }
    return items;
  }

  async done(list: string, { id, leasedUntil }: ScheduledItem): Promise<void> {
    await askRedis(() => this.#redis.scheduleRemove(...keys(list), id, leasedUntil));
  }

  async remove(list: string, id: string): Promise<void> {
    await askRedis(() => this.#redis.scheduleRemove(...keys(list), id));
  }
}

const keys = (list: string): [string, string] => [`schedule:{${list}}`, `schedule:{${list}}:values`];
