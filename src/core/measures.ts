import type { Requirement } from './journey/journey.ts';
import type { SignalKind } from './lockout/signals.ts';
import type { Channel, Sent } from './messages/message.ts';
import type { Refusal } from './refusal.ts';

/**
 * What is counted and timed for whoever runs the provider. Every name comes from our code, never from outside: no path, no
 * client and no member stands in a figure, and the number of series has a bound. Durations are seconds.
 */
export interface Measures {
  /** A step of a journey was answered. */
  stepAnswered(step: Requirement, outcome: 'proven' | Refusal): void;
  /** One try to hand a message to its provider ended. */
  messageTried(channel: Channel, outcome: Sent): void;
  /** So many hashes run and so many wait now. */
  hashQueue(running: number, waiting: number): void;
  /** A hash was made or compared; the wait for a place is not counted. */
  hashed(seconds: number): void;
  /** A hash was refused: the queue was full, or its wait too long. */
  hashRefused(): void;
  /** An operation of a store ended; `failed` when the store did not answer. */
  storeAnswered(store: string, operation: string, seconds: number, failed: boolean): void;
  /** A rate was out of the ordinary. */
  signalRaised(kind: SignalKind): void;
  /** A request was answered. `endpoint` is oidc-provider's name of the protocol endpoint, where it was one. */
  requestAnswered(method: string, endpoint: string | undefined, status: number, seconds: number): void;
}
