/** One thread that hashes, and nothing else. Started by hashThreads.ts, which says what it may be asked. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';
import type { HashJob, HashOptions } from './hashThreads.ts';

/**
 * Requests, and the signing of tokens, go before hashes, which get a ninth of what they get. At the lowest priority, a seventieth,
 * they would starve, and members be turned away, wherever databases or other programs keep the same cores busy.
 */
const NICE = 10;

// On Linux this is the priority of the calling thread alone.
if (process.platform === 'linux') setPriority(0, NICE);

const options: HashOptions = workerData;

parentPort?.on('message', ({ id, password, phc }: HashJob) => {
  try {
    const answer = phc === undefined ? hashSync(password, options) : verifySync(phc, password);
    parentPort?.postMessage({ id, answer });
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) });
  }
});
