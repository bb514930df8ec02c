import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';

/** A timer is set by the time at which its turn of the event loop began, and so fires early by what was done in it. */
const SHORT_MS = 3;

/**
 * Waits until a moment of `performance.now()`, to a fraction of a millisecond: what was done before must not show in when
 * an answer leaves.
 */
export async function notBefore(moment: number): Promise<void> {
  await delay(Math.max(0, moment - SHORT_MS - performance.now()));
  while (performance.now() < moment) await turn();
}
