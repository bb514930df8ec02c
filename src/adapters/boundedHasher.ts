import type { PasswordHasher } from '../core/account/password.ts';
import type { Measures } from '../core/measures.ts';
import { Unavailable } from '../core/storage/unavailable.ts';

export interface HashBounds {
  /** Hashes that run at once. */
  readonly slots: number;
  /** Those that may wait for a place. */
  readonly queue: number;
  /** Milliseconds that one waits at most. */
  readonly longestWait: number;
}

/**
 * As many hashes at once as there are cores, a short queue, and beyond it Unavailable: a flood of sign-ins must not make
 * everybody wait. A caller that has gone away does not free the place of a hash that still runs.
 */
export function boundedHasher(
  hasher: PasswordHasher,
  { slots, queue, longestWait }: HashBounds,
  measures: Pick<Measures, 'hashQueue' | 'hashed' | 'hashRefused'>,
): PasswordHasher {
  const waiting: (() => void)[] = [];
  let running = 0;
  const measureQueue = () => measures.hashQueue(running, waiting.length);
  const refuse = (why: string) => {
    measures.hashRefused();
    return new Unavailable('hashing', why);
  };

  const place = (): Promise<void> => {
    if (running < slots) {
      running += 1;
      measureQueue();
      return Promise.resolve();
    }
    if (waiting.length >= queue) return Promise.reject(refuse('the queue is full'));
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(start), 1);
        measureQueue();
        reject(refuse('the wait was too long'));
      }, longestWait);
      waiting.push(start);
      measureQueue();
    });
  };

  /** Hands the place to the next in line, or frees it. */
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
    measureQueue();
  };

  const bounded = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    await place();
    const started = performance.now();
    try {
      return await work();
    } finally {
      measures.hashed((performance.now() - started) / 1000);
      leave();
    }
  };

  return {
    hash: (password) => bounded(() => hasher.hash(password)),
    verify: (stored, password) => bounded(() => hasher.verify(stored, password)),
  };
}
