import { createHash } from 'node:crypto';
import type { EventName } from './memberEvents.ts';

/** What a member has told us about their account, for our staff to look into. */
export interface Case {
  readonly accountId: string;
  /** What the member says was not them. */
  readonly what: EventName;
  /** When that happened, and when we were told, in seconds since 1970. */
  readonly happenedAt: number;
  readonly openedAt: number;
  readonly status: 'open' | 'closed';
}

/** Letters and digits that nobody mishears on the phone (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The number of the case that this secret opens: 60 bits of its digest, such as `7K2M-QX4T-9WBD`. */
export function caseNumber(secret: string): string {
  const digest = createHash('sha256').update(`case:${secret}`).digest();
  const characters = [...digest.subarray(0, 12)].map((byte) => ALPHABET[byte & 31]);
  return [0, 4, 8].map((from) => characters.slice(from, from + 4).join('')).join('-');
}
