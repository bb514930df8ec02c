import { beforeEach, expect, test } from '@jest/globals';
import { type CircuitBreaker, CircuitOpen, circuitBreaker } from '../../src/adapters/circuitBreaker.ts';
import { TestClock } from '../support/clock.ts';

let clock: TestClock;
let breaker: CircuitBreaker;
let calls: number;
beforeEach(() => {
  clock = new TestClock();
  breaker = circuitBreaker(clock, { failures: 3, pause: 1_000 });
  calls = 0;
});

const fail = () =>
  breaker.run(() => {
    calls += 1;
    return Promise.reject(new Error('down'));
  });
const succeed = () =>
  breaker.run(async () => {
    calls += 1;
    return 'answer';
  });
const failTimes = async (times: number) => {
  for (let i = 0; i < times; i += 1) await expect(fail()).rejects.toThrow('down');
};

test('hands on answers and failures', async () => {
  expect(await succeed()).toBe('answer');
  await failTimes(1);
  expect(breaker.isUp()).toBe(true);
});

test('stops after so many failures in a row, and not when a success was in between', async () => {
  await failTimes(2);
  await succeed();
  await failTimes(2);
  expect(breaker.isUp()).toBe(true);
  await failTimes(1);
  expect(breaker.isUp()).toBe(false);
  calls = 0;
  await expect(succeed()).rejects.toThrow(CircuitOpen);
  clock.advance(999);
  await expect(succeed()).rejects.toThrow(CircuitOpen);
  expect(calls).toBe(0);
});

test('one call tries after the pause; its success lets all through', async () => {
  await failTimes(3);
  clock.advance(1_000);
  let answer = (_: string) => {};
  const attempt = breaker.run(() => new Promise<string>((resolve) => (answer = resolve)));
  await expect(succeed()).rejects.toThrow(CircuitOpen);
  expect(breaker.isUp()).toBe(false);
  answer('back');
  expect(await attempt).toBe('back');
  expect(breaker.isUp()).toBe(true);
  expect(await succeed()).toBe('answer');
  await failTimes(2);
  expect(breaker.isUp()).toBe(true);
});

test('its failure begins another pause', async () => {
  await failTimes(3);
  clock.advance(1_000);
  await failTimes(1);
  await expect(succeed()).rejects.toThrow(CircuitOpen);
  clock.advance(1_000);
  expect(await succeed()).toBe('answer');
});

test('a clock that is set back stops calls for no longer than the pause', async () => {
  clock.advance(2 * 3_600_000);
  await failTimes(3);
  clock.advance(-2 * 3_600_000);
  expect(await succeed()).toBe('answer');
  expect(breaker.isUp()).toBe(true);
});

test('calls from before the stop change nothing any more', async () => {
  let late = (_: string) => {};
  const before = breaker.run(() => new Promise<string>((resolve) => (late = resolve)));
  await failTimes(3);
  late('late');
  expect(await before).toBe('late');
  expect(breaker.isUp()).toBe(false);
});
