import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeSeal } from '../../src/adapters/seal.ts';
import { seconds } from '../../src/core/clock.ts';
import {
  hasNext,
  type KeyRing,
  published,
  publishedAhead,
  type SigningKey,
  stateOf,
  withNewKeys,
} from '../../src/core/keys/keyRing.ts';
import type { Stores } from '../../src/core/storage/stores.ts';
import { signingKeys } from '../../src/oidc/jwks.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';

const TIMING = { ahead: 360, longestUse: 43_200 };
const key = (kid: string, alg = 'ES256') => ({ kid, alg, sealed: '' });
const states = (ring: KeyRing, now: number) =>
  Object.fromEntries(ring.keys.map((one) => [one.kid, stateOf(ring, one, now)]));
const kids = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid);

describe('a ring of keys', () => {
  const first = withNewKeys({ keys: [], sealedSalt: '' }, [key('a'), key('r', 'RS256')], TIMING, 1_000, true);
  const rotated = withNewKeys(first, [key('b')], TIMING, 2_000);

  test('signs with its first keys at once', () => {
    expect(states(first, 1_000)).toEqual({ a: 'current', r: 'current' });
  });

  test('publishes a new key before it signs, and the old one until nothing that it signed is of use', () => {
    expect(states(rotated, 2_359)).toMatchObject({ a: 'current', b: 'next' });
    expect(kids(published(rotated, 2_359))).toEqual(['a', 'r', 'b']);
    expect(states(rotated, 2_360)).toMatchObject({ a: 'retiring', b: 'current' });
    expect(kids(published(rotated, 2_360))).toEqual(['r', 'b', 'a']);
    expect(states(rotated, 2_360 + 43_199).a).toBe('retiring');
    expect(states(rotated, 2_360 + 43_200).a).toBe('gone');
    expect(kids(published(rotated, 2_360 + 43_200))).toEqual(['b']);
  });

  test('is known to every verifier before it signs, also by way of a node that missed a look', () => {
    const times = { jwksMaxAge: 300, poll: 60 };
    const ring = withNewKeys(first, [key('b')], { ...TIMING, ahead: publishedAhead(times) }, 2_000);
    // The node looked a moment before the key came, failed at the next look, and handed out the old set up to the one after.
    const lastOldSet = 2_000 + 2 * times.poll - 1;
    const forgotten = lastOldSet + times.jwksMaxAge;
    expect(states(ring, forgotten)).toMatchObject({ a: 'current', b: 'next' });
    expect(states(ring, forgotten + 1)).toMatchObject({ b: 'current' });
  });

  test('knows whether one is waiting, and drops in an emergency all that was', () => {
    expect([hasNext(first, 1_000), hasNext(rotated, 2_100), hasNext(rotated, 2_400)]).toEqual([false, true, false]);
    const safe = withNewKeys(rotated, [key('c')], TIMING, 2_100, true);
    expect(kids(published(safe, 2_100))).toEqual(['c']);
    expect(states(safe, 2_100)).toEqual({ c: 'current' });
  });
});

describeOnEveryStore('the signing keys of several processes', (pair) => {
  let clock: TestClock;
  let stores: Stores;
  beforeEach(async () => {
    clock = new TestClock();
    stores = await pair.open(clock);
  });
  afterEach(() => stores.close());

  const process = (rotateEvery = 0) =>
    signingKeys({ keyRings: stores.keyRings, seal: makeSeal(['k'.repeat(32)]), clock, timing: TIMING, rotateEvery });
  const kidsOf = async (one: ReturnType<typeof process>) => (await one.load()).jwks.map(({ kid }) => kid);

  test('are the same for two that start at once', async () => {
    const [one, other] = await Promise.all([process().load(), process().load()]);
    expect(one).toEqual(other);
    expect(one.jwks.map(({ alg }) => alg)).toEqual(['ES256', 'RS256']);
  });

  test('are rotated once by two commands at once', async () => {
    await process().load();
    await Promise.all([process().rotate(), process().rotate()]);
    expect(await kidsOf(process())).toHaveLength(4);
  });

  test('are rotated by themselves when they are old enough, by one process of two', async () => {
    const before = await kidsOf(process());
    clock.advance(89 * 86_400_000);
    expect(await kidsOf(process(90 * 86_400))).toEqual(before);
    clock.advance(86_400_000);
    await Promise.all([process(90 * 86_400).load(), process(90 * 86_400).load()]);
    expect(await kidsOf(process())).toHaveLength(4);
    clock.advance(TIMING.ahead * 1000);
    const [current] = await kidsOf(process());
    expect(before).not.toContain(current);
  });

  test('are nowhere readable in the store, and keep their salt', async () => {
    const { salt } = await process().load();
    await process().rotateNow();
    const ring = await process().list();
    expect(JSON.stringify(ring)).not.toMatch(/"d"|PRIVATE/);
    expect((await process().load()).salt).toBe(salt);
    expect(ring.keys.every(({ createdAt }) => createdAt === seconds(clock))).toBe(true);
  });
});
