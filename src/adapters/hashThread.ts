/** One thread that hashes, and nothing else. Started by hashThreads.ts, which says what it may be asked. */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';
import type { HashJob, HashOptions } from './hashThreads.ts';

// On Linux this is the priority of the calling thread alone. Requests, and the signing of tokens, go before hashes.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);

const options: HashOptions = workerData;

parentPort?.on('message', ({ id, password, phc }: HashJob) => {
  try {
    const answer = phc === undefined ? hashSync(password, options) : verifySync(phc, password);
    parentPort?.postMessage({ id, answer });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
