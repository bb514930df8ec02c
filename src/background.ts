import type { Logger } from './observe/logger.ts';

/** Work that no request asks for. Each process does it; the stores see to it that each piece is done once. */
export interface Task {
  readonly name: string;
  /** Milliseconds between the end of one run and the beginning of the next. */
  readonly every: number;
  /** `stopping`: nothing new is to be begun any more. */
  run(stopping: AbortSignal): Promise<unknown>;
}

/**
 * Runs each task again and again. A run that fails is told in the log and tried again. Returns how to stop, which resolves when
 * what had begun is done.
 */
export function work(tasks: readonly Task[], log: Logger): () => Promise<void> {
  const timers = new Map<Task, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const next = (task: Task) => {
    if (!stop.signal.aborted) timers.set(task, setTimeout(() => begin(task), task.every).unref());
  };
  const begin = (task: Task) => {
    const run = task
      .run(stop.signal)
      .catch((error) => log.warn({ task: task.name, err: error }, 'background work failed'))
      .then(() => {
        running.delete(run);
        next(task);
      });
    running.add(run);
  };
  for (const task of tasks) next(task);
  return async () => {
    stop.abort();
    for (const timer of timers.values()) clearTimeout(timer);
    await Promise.all(running);
  };
}
