import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * Lets requests go before hashes: the threads on which hashes run get the lowest priority, so that a flood of sign-ins
 * leaves tokens quick and the cores still full. Linux only; elsewhere nothing happens. The threads are there from the
 * first hash on. They also sign, which takes too little time to be held up.
 */
export function yieldToRequests(): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8');
    if (name.startsWith('libuv-worker')) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  }
}
