import { Worker } from 'node:worker_threads';
import type { Options } from '@node-rs/argon2';

export type HashOptions = Options;

export interface HashJob {
  readonly id: number;
  readonly password: string;
  /** To compare with; without it the password is hashed. */
  readonly phc?: string;
}

type Answer =
  | { readonly id: number; readonly answer: string | boolean }
  | { readonly id: number; readonly error: string };

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(answer: never): void; reject(error: Error): void }>;
}

/**
 * Threads of our own for hashing, at a lower priority: a flood of sign-ins leaves tokens quick and the cores full. On
 * libuv's threads hashes would run beside the signing of tokens, which then waits for them. They are started when they
 * are needed first, shared by the whole process, and keep nobody from ending.
 */
export function hashThreads(count: number, options: HashOptions) {
  const threads: Thread[] = [];
  let last = 0;

  const start = (): Thread => {
    const worker = new Worker(new URL('./hashThread.ts', import.meta.url), { workerData: options });
    const waiting: Thread['waiting'] = new Map();
    const thread = { worker, waiting };
    const lose = (error: Error) => {
      for (const { reject } of waiting.values()) reject(error);
      threads.splice(threads.indexOf(thread), 1);
    };
    worker.on('message', (message: Answer) => {
      const job = waiting.get(message.id);
      waiting.delete(message.id);
      if (waiting.size === 0) worker.unref();
      if ('error' in message) job?.reject(new Error(message.error));
      else job?.resolve(message.answer as never);
    });
    worker.once('error', lose);
    worker.unref();
    threads.push(thread);
    return thread;
  };

  /** The thread with the least to do. */
  const pick = (): Thread => {
    const [least] = threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
    return least === undefined || (least.waiting.size > 0 && threads.length < count) ? start() : least;
  };

  return <Result extends string | boolean>(password: string, phc?: string): Promise<Result> => {
    const { worker, waiting } = pick();
    last += 1;
    const id = last;
    worker.ref();
    return new Promise<Result>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, password, ...(phc === undefined ? {} : { phc }) } satisfies HashJob);
    });
  };
}
