import type { PasswordHasher } from '../core/account/password.ts';
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
export function boundedHasher(hasher: PasswordHasher, { slots, queue, longestWait }: HashBounds): PasswordHasher {
  const waiting: (() => void)[] = [];
  let running = 0;

  const place = (): Promise<void> => {
    if (running < slots) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.length >= queue) return Promise.reject(new Unavailable('hashing', 'the queue is full'));
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new Unavailable('hashing', 'the wait was too long'));
      }, longestWait);
      waiting.push(start);
    });
  };

  /** Hands the place to the next in line, or frees it. */
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const bounded = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    await place();
    try {
      return await work();
    } finally {
      leave();
    }
  };

  return {
    hash: (password) => bounded(() => hasher.hash(password)),
    verify: (stored, password) => bounded(() => hasher.verify(stored, password)),
  };
}
