import type { Logger } from './observe/logger.ts';

/** Work that no request asks for. Each process does it; the stores see to it that each piece is done once. */
export interface Task {
  readonly name: string;
  /** Milliseconds between the end of one run and the beginning of the next. */
  readonly every: number;
  run(): Promise<unknown>;
}

/** Runs each task again and again. A run that fails is told in the log and tried again. Returns how to stop. */
export function work(tasks: readonly Task[], log: Logger): () => void {
  const timers = new Map<Task, NodeJS.Timeout>();
  let stopped = false;
  const next = (task: Task) => {
    if (!stopped) timers.set(task, setTimeout(() => void once(task), task.every).unref());
  };
  const once = async (task: Task) => {
    await task.run().catch((error) => log.warn({ task: task.name, err: error }, 'background work failed'));
    next(task);
  };
  for (const task of tasks) next(task);
  return () => {
    stopped = true;
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
