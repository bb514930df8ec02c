import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Attempts, PoolRule } from '../../src/core/lockout/attempts.ts';
import { type Guess, LOCKOUT, networkPool, poolsOf, settle, takeAll } from '../../src/core/lockout/pools.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryRedis } from '../support/describeOn.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describeOnEveryRedis('a pool of attempts', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  let attempts: Attempts;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
    attempts = stores.attempts;
  });
  afterEach(() => stores.close());

  /** Takes until it is refused. Returns how many were given and how long the wait is. */
  async function drain(key: string, rule: PoolRule, most = 500) {
    for (let given = 0; given < most; given += 1) {
      const answer = await attempts.take(key, rule);
      if (!answer.ok) return [given, answer.until - clock.now()];
    }
    return [most, 0];
  }

  test('gives five and then waits a quarter of an hour, again and again', async () => {
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
    clock.advance(15 * MINUTE - 1);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([0, 1]);
    clock.advance(1);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  test('gives twenty and then one after each wait, which doubles up to an hour', async () => {
    expect(await drain('k', LOCKOUT.name)).toEqual([20, 30_000]);
    const waits: unknown[] = [];
    let wait = 30_000;
    for (let i = 0; i < 9; i += 1) {
      clock.advance(wait);
      const [given, next] = await drain('k', LOCKOUT.name);
      expect(given).toBe(1);
      waits.push(next);
      wait = Number(next);
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, HOUR, HOUR, HOUR]);
  });

  test('whose wait was begun by a clock that was ahead ends it after its longest wait', async () => {
    clock.advance(13 * HOUR);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
    clock.advance(-13 * HOUR);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([0, 15 * MINUTE]);
    clock.advance(5 * MINUTE);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([0, 10 * MINUTE]);
    clock.advance(10 * MINUTE);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  test('gives ninety and then none for good', async () => {
    const [given, wait] = await drain('k', LOCKOUT.unknown);
    expect(given).toBe(90);
    clock.advance(Number(wait) - 1);
    expect(await drain('k', LOCKOUT.unknown)).toEqual([0, 1]);
  });

  test('counts an hour from the first attempt where so many an hour are given', async () => {
    await attempts.take('k', LOCKOUT.network);
    clock.advance(59 * MINUTE);
    expect(await drain('k', LOCKOUT.network)).toEqual([99, 30_000]);
    clock.advance(MINUTE);
    expect(await drain('k', LOCKOUT.network)).toEqual([100, 30_000]);
  });

  test('forgets, from the last attempt on, what was in a row', async () => {
    for (let i = 0; i < 4; i += 1) await attempts.take('k', LOCKOUT.bucket);
    clock.advance(23 * HOUR);
    await attempts.take('k', LOCKOUT.bucket);
    expect((await attempts.take('k', LOCKOUT.bucket)).ok).toBe(false);
    clock.advance(25 * HOUR);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  test('of a thousand in parallel gives exactly what it has', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => attempts.take('k', LOCKOUT.bucket)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(5);
  });

  test('takes back what was no failure, and ends the wait that it began', async () => {
    await drain('k', LOCKOUT.bucket);
    await attempts.giveBack('k', LOCKOUT.bucket);
    expect(await drain('k', LOCKOUT.bucket)).toEqual([1, 15 * MINUTE]);
    await attempts.giveBack('never', LOCKOUT.bucket);
    expect(await drain('never', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  test('a success from a network whose wait has begun does not end that wait', async () => {
    await drain('k', LOCKOUT.network);
    clock.advance(30_000);
    await attempts.take('k', LOCKOUT.network);
    await attempts.giveBack('k', LOCKOUT.network);
    expect((await attempts.take('k', LOCKOUT.network)).ok).toBe(false);
  });

  test('is full again when it is cleared', async () => {
    await drain('k', LOCKOUT.unknown);
    await attempts.clear('k');
    expect(await drain('k', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  const guess = (more: Partial<Guess> = {}): Guess => ({
    name: 'n',
    subject: 's',
    bucket: 'net1',
    knownDevice: false,
    ...more,
  });

  test('a locked bucket costs the account nothing', async () => {
    for (let i = 0; i < 100; i += 1) await takeAll(attempts, poolsOf(guess()));
    expect(await drain('tries:n', LOCKOUT.name)).toEqual([15, 30_000]);
  });

  test('no wait of strangers reaches a known device, and none of its failures reach theirs', async () => {
    for (let net = 0; net < 500; net += 1) await takeAll(attempts, poolsOf(guess({ bucket: `net${net}` })));
    expect((await takeAll(attempts, poolsOf(guess({ bucket: 'net999' })))).ok).toBe(false);
    const own = poolsOf(guess({ bucket: 'phone', knownDevice: true }));
    expect((await takeAll(attempts, own)).ok).toBe(true);
    await settle(attempts, own);
    for (let i = 0; i < 5; i += 1) expect((await takeAll(attempts, own)).ok).toBe(true);
    expect((await takeAll(attempts, own)).ok).toBe(false);
  });

  test('no guesser on unknown devices ever gets past ninety, however patient', async () => {
    let evaluated = 0;
    for (let i = 0; i < 400; i += 1) {
      if ((await takeAll(attempts, poolsOf(guess({ bucket: `net${i}` })))).ok) evaluated += 1;
      clock.advance(HOUR);
    }
    expect(evaluated).toBe(90);
  });

  test('success gives a network its attempt back and clears the pools of the account', async () => {
    const pools = [networkPool('net', false), ...poolsOf(guess())];
    for (let i = 0; i < 4; i += 1) await takeAll(attempts, pools);
    await settle(attempts, pools);
    expect(await drain('tries:network:net', LOCKOUT.network)).toEqual([97, 30_000]);
    expect(await drain('tries:n:net1', LOCKOUT.bucket)).toEqual([5, 15 * MINUTE]);
  });

  test('a hundred thousand made-up names from one network write fewer than a thousand keys', async () => {
    const written = new Set<string>();
    const counting: Attempts = {
      take: async (key, rule) => {
        const answer = await attempts.take(key, rule);
        if (answer.ok) written.add(key);
        return answer;
      },
      giveBack: (key, rule) => attempts.giveBack(key, rule),
      clear: (key) => attempts.clear(key),
    };
    for (let i = 0; i < 100_000; i += 500) {
      const names = Array.from({ length: 500 }, (_, j) => `name${i + j}`);
      await Promise.all(
        names.map(async (name) => {
          if (!(await takeAll(counting, [networkPool('net', false)])).ok) return;
          await takeAll(counting, poolsOf({ name, subject: name, bucket: 'net', knownDevice: false }));
        }),
      );
      clock.advance(18_000);
    }
    expect(written.size).toBeLessThan(1_000);
    expect(written.size).toBeGreaterThan(300);
  });
});
