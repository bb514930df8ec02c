import { randomFillSync } from 'node:crypto';

/** Asking the system costs more than the bytes do: enough for some hundred answers at once. */
const pool = Buffer.alloc(8_192);
let used = pool.length;

/** Random bytes for names and nonces of answers, which nobody foretells. No secret is made of them: they stay in memory for a while. */
export function randomAhead(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return Buffer.from(pool.subarray(used - length, used));
}
