import { createHash } from 'node:crypto';
import { readableCode } from '../readableCode.ts';
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

/** The number of the case that this secret opens: 60 bits of its digest, such as `7K2M-QX4T-9WBD`. */
export const caseNumber = (secret: string): string =>
  readableCode(createHash('sha256').update(`case:${secret}`).digest().subarray(0, 12));
