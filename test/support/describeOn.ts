import { describe } from '@jest/globals';
import { STORE_PAIRS, type StorePair } from './stores.ts';

/** Runs a suite on every pair of stores; the one whose servers are missing is named as skipped. */
export function describeOnEveryStore(title: string, suite: (pair: StorePair) => void): void {
  for (const pair of STORE_PAIRS) {
    (pair.available ? describe : describe.skip)(`${title} on ${pair.name}`, () => suite(pair));
  }
}
