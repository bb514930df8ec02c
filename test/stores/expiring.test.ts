import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Expiring } from '../../src/core/storage/expiring.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryRedis } from '../support/describeOn.ts';

describeOnEveryRedis('an expiring value', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  let expiring: Expiring;
  const in1s = () => clock.now() + 1_000;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
    expiring = stores.expiring;
  });
  afterEach(() => stores.close());

  test('is there until its deadline and not at it', async () => {
    await expiring.put('k', { a: 1 }, in1s());
    clock.advance(999);
    expect(await expiring.get('k')).toEqual({ value: { a: 1 }, version: 1 });
    clock.advance(1);
    expect(await expiring.get('k')).toBeUndefined();
  });

  test('put starts again at version 1', async () => {
    await expiring.put('k', { a: 1 }, in1s());
    await expiring.swap('k', 1, { a: 2 }, in1s());
    expect(await expiring.put('k', { a: 3 }, in1s())).toBe(true);
    expect(await expiring.get('k')).toEqual({ value: { a: 3 }, version: 1 });
  });

  test('put brings nothing back that was spent, until its deadline has passed', async () => {
    await expiring.put('k', { a: 1 }, in1s());
    await expiring.spend('k', 5);
    expect(await expiring.put('k', { a: 2 }, in1s() + 5_000)).toBe(false);
    expect(await expiring.get('k')).toEqual({ value: { a: 1 }, version: 1, spentAt: 5 });
    clock.advance(1_000);
    expect(await expiring.put('k', { a: 3 }, in1s())).toBe(true);
    expect(await expiring.get('k')).toEqual({ value: { a: 3 }, version: 1 });
  });

  test('swap at version 0 creates, once', async () => {
    const races = await Promise.all(Array.from({ length: 20 }, (_, i) => expiring.swap('new', 0, { i }, in1s())));
    expect(races.filter(Boolean)).toHaveLength(1);
    expect(await expiring.swap('new', 0, {}, in1s())).toBe(false);
  });

  test('swap writes at the version that was read, once', async () => {
    await expiring.put('k', {}, in1s());
    const races = await Promise.all(Array.from({ length: 20 }, (_, i) => expiring.swap('k', 1, { i }, in1s())));
    expect(races.filter(Boolean)).toHaveLength(1);
    expect((await expiring.get('k'))?.version).toBe(2);
    expect(await expiring.swap('k', 1, {}, in1s())).toBe(false);
  });

  test('swap of a value past its deadline is a swap of nothing', async () => {
    await expiring.put('k', { old: true }, in1s());
    clock.advance(1_000);
    expect(await expiring.swap('k', 1, {}, in1s())).toBe(false);
    expect(await expiring.swap('k', 0, { fresh: true }, in1s())).toBe(true);
    expect(await expiring.get('k')).toEqual({ value: { fresh: true }, version: 1 });
  });

  test('swap keeps a spent value spent', async () => {
    await expiring.put('k', {}, in1s());
    await expiring.spend('k', 7);
    expect(await expiring.swap('k', 1, { changed: true }, in1s())).toBe(false);
    expect(await expiring.get('k')).toEqual({ value: {}, version: 1, spentAt: 7 });
    clock.advance(1_000);
    expect(await expiring.swap('k', 0, { fresh: true }, in1s())).toBe(true);
    expect(await expiring.get('k')).toEqual({ value: { fresh: true }, version: 1 });
  });

  test('is spent by one of fifty', async () => {
    await expiring.put('code', { a: 1 }, in1s());
    const races = await Promise.all(Array.from({ length: 50 }, () => expiring.spend('code', 42)));
    expect(races.filter(Boolean)).toHaveLength(1);
    expect(await expiring.get('code')).toEqual({ value: { a: 1 }, version: 1, spentAt: 42 });
  });

  test('can not be spent when absent or past its deadline', async () => {
    expect(await expiring.spend('never', 1)).toBe(false);
    await expiring.put('k', {}, in1s());
    clock.advance(1_000);
    expect(await expiring.spend('k', 1)).toBe(false);
    expect(await expiring.get('never')).toBeUndefined();
  });

  test('is gone when removed, and removing nothing is no fault', async () => {
    await expiring.put('k', {}, in1s());
    expect(await expiring.remove('k')).toBe(true);
    expect(await expiring.remove('k')).toBe(false);
    expect(await expiring.get('k')).toBeUndefined();
  });

  test('is removed by one of fifty', async () => {
    await expiring.put('k', {}, in1s());
    const races = await Promise.all(Array.from({ length: 50 }, () => expiring.remove('k')));
    expect(races.filter(Boolean)).toHaveLength(1);
  });

  test('a set holds each member until the deadline of its own', async () => {
    await expiring.join('s', 'short', clock.now() + 1_000);
    await expiring.join('s', 'long', clock.now() + 5_000);
    await expiring.join('s', 'short', clock.now() + 1_000);
    expect((await expiring.members('s')).sort()).toEqual(['long', 'short']);
    clock.advance(1_000);
    expect(await expiring.members('s')).toEqual(['long']);
    await expiring.remove('s');
    expect(await expiring.members('s')).toEqual([]);
    expect(await expiring.members('never')).toEqual([]);
  });

  test('carries any text and deep values', async () => {
    const value = { deep: { list: [1, [2, { '\u0000': '\u{1F600}' }]] }, $ne: null, 'a.b': 'ñ' };
    await expiring.put('odd key: {x} \u0000 ñ', value, in1s());
    expect((await expiring.get('odd key: {x} \u0000 ñ'))?.value).toEqual(value);
  });
});
