import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of a process so far, in milliseconds. */
export interface ProcessorTime {
  readonly all: number;
  /** What its threads took that run at the lowest priority: in the provider those that hash passwords, and no others. */
  readonly hashing: number;
}

const LOWEST_PRIORITY = 19;

/**
 * Read from Linux: of each thread the nanoseconds that it ran (`schedstat`, first field) and its priority (`stat`, 19th field,
 * 17 after the name).
 */
export function processorTime(pid: number): ProcessorTime {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const folder = `/proc/${pid}/task/${thread}`;
    const ran = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    const afterName = readFileSync(`${folder}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return { ran, hashes: Number(afterName.split(' ')[16]) === LOWEST_PRIORITY };
  });
  const sum = (list: typeof threads) => list.reduce((total, { ran }) => total + ran, 0);
  return { all: sum(threads), hashing: sum(threads.filter(({ hashes }) => hashes)) };
}

/** Megabytes of memory that a process has now. */
export function residentMemory(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
