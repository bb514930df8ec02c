import { afterAll, beforeAll, describe } from '@jest/globals';
import { REDIS_FORMS, STORE_PAIRS, type StorePair } from './stores.ts';

/** Runs a suite on every pair of stores; the one whose servers are missing is named as skipped. */
export function describeOnEveryStore(title: string, suite: (pair: StorePair) => void): void {
  for (const pair of STORE_PAIRS) {
    (pair.available ? describe : describe.skip)(`${title} on ${pair.name}`, () => suite(pair));
  }
}

/** The same, and on each form in which Redis runs on several servers. */
export function describeOnEveryRedis(title: string, suite: (pair: StorePair) => void): void {
  describeOnEveryStore(title, suite);
  for (const form of REDIS_FORMS) {
    (form.available ? describe : describe.skip)(`${title} on ${form.name}`, () => {
      beforeAll(form.begin, 60_000);
      afterAll(form.end);
      suite(form);
    });
  }
}
