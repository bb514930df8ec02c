import type { Clock } from '../../core/clock.ts';
import type { Attempts, PoolRule, Taken } from '../../core/lockout/attempts.ts';
import type { RedisConnection } from './connect.ts';
import { askRedis, GARBAGE_AFTER_MS, type ScriptCommand, withScripts } from './scripts.ts';

/*
 * A pool is a hash: t = taken, x = next, d = deadline. The rule is `takeFrom` of the core. Taking answers how many are
 * counted now, or from when on there is another, with a minus before it.
 */
const SCRIPTS = {
  attemptsTake: `
    local now, free, first, growth, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
    local again, forget, fromFirst = ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8] == '1'
    local s = redis.call('HMGET', KEYS[1], 't', 'x', 'd')
    local taken, nextAt, deadline = tonumber(s[1] or 0), tonumber(s[2] or 0), tonumber(s[3] or 0)
    if deadline <= now then taken, nextAt, deadline = 0, 0, 0 end
    if nextAt > now then
      local latest = now + longest
      if nextAt > latest then
        nextAt = latest
        redis.call('HSET', KEYS[1], 'x', string.format('%.0f', nextAt))
      end
      return -nextAt
    end
    if again and taken >= free then taken = 0 end
    if not (taken > 0 and fromFirst) then deadline = now + forget end
    taken = taken + 1
    local wait = 0
    if taken >= free then wait = math.min(first * growth ^ (taken - free), longest) end
    nextAt = wait == 0 and 0 or now + wait
    if nextAt > deadline then deadline = nextAt end
    redis.call('HSET', KEYS[1], 't', taken, 'x', string.format('%.0f', nextAt), 'd', string.format('%.0f', deadline))
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', deadline - now + tonumber(ARGV[9])))
    return taken`,
  attemptsGiveBack: `
    local taken = tonumber(redis.call('HGET', KEYS[1], 't') or 0)
    if taken == 0 then return 0 end
    redis.call('HSET', KEYS[1], 't', taken - 1)
    if taken - 1 < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'x', 0) end
    return 0`,
} as const;

/** Pools of attempts in Redis. */
export class RedisAttempts implements Attempts {
  readonly #redis: RedisConnection & Record<keyof typeof SCRIPTS, ScriptCommand<number>>;
  readonly #clock: Clock;

  constructor(redis: RedisConnection, clock: Clock) {
    this.#redis = withScripts(redis, SCRIPTS);
    this.#clock = clock;
  }

  async take(key: string, rule: PoolRule): Promise<Taken> {
    const args = [
      ...[this.#clock.now(), rule.free, rule.firstWait, rule.growth, rule.longestWait],
      ...[rule.startsAgain ? 1 : 0, rule.forgetAfter, rule.forgetFrom === 'first' ? 1 : 0, GARBAGE_AFTER_MS],
    ];
    const answer = await askRedis(() => this.#redis.attemptsTake(key, ...args));
    return answer < 0 ? { ok: false, until: -answer } : { ok: true, taken: answer };
  }

  async giveBack(key: string, rule: PoolRule): Promise<void> {
    await askRedis(() => this.#redis.attemptsGiveBack(key, rule.free));
  }

  async clear(key: string): Promise<void> {
    await askRedis(() => this.#redis.del(key));
  }
}
