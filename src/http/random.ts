import { randomFillSync } from 'node:crypto';
import { readableCode } from '../core/readableCode.ts';

/** Asking the system costs more than the bytes do: enough for some hundred answers at once. */
const pool = Buffer.alloc(8_192);
let used = pool.length;

/** Random bytes that nobody foretells. They stay in memory for a while, so that no secret is made of them. */
function randomAhead(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return Buffer.from(pool.subarray(used - length, used));
}

/** What a member tells on the phone, and what is searched for in the log. */
export const newRequestId = (): string => readableCode(randomAhead(12));

/** What a script of an answer has to show (CSP Level 3, 2.3.1: at least 128 bits). */
export const newNonce = (): string => randomAhead(16).toString('base64');
