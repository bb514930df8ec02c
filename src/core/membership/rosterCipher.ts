import { createHmac, createSecretKey } from 'node:crypto';
import type { Seal } from '../seal.ts';
import { canonicalMemberNumber } from './matching.ts';
import type { Membership } from './membership.ts';

/**
 * A member number as it stands in the store, so that a stolen database is no list of patients: its id is a keyed digest of
 * the number, and all that tells of the person is sealed. A number has either a membership or the way to one.
 */
export interface RosterRecord {
  /** A keyed digest of the row that it came from: the same row again is told without opening anything. */
  readonly fingerprint: string;
  /** The membership, encrypted for this id. */
  readonly sealed?: string | undefined;
  /** The id of the membership that the number was merged into. */
  readonly mergedInto?: string | undefined;
}

/** Turns numbers into ids and memberships into what is stored, and back. */
export interface RosterCipher {
  /** Where a number may stand: under the current secret first, then under each former one. */
  ids(memberNumber: string): readonly [string, ...string[]];
  /** Of texts that tell all about a row. */
  fingerprint(row: readonly string[]): string;
  seal(membership: Membership, id: string): string;
  open(sealed: string, id: string): Membership;
}

/**
 * `secrets`: those of ROSTER_KEY, the current one first. Ids are HMAC-SHA256 (RFC 2104): without the key nobody can try
 * out numbers against them.
 */
export function rosterCipher(secrets: readonly string[], { seal, open }: Seal): RosterCipher {
  const [current, ...former] = secrets.map((secret) => createSecretKey(Buffer.from(secret)));
  if (current === undefined) throw new Error('there is no key for the roster');
  const digest = (key: typeof current, kind: string, text: string) =>
    createHmac('sha256', key).update(`${kind}:${text}`).digest('base64url');
  return {
    ids(memberNumber) {
      const number = canonicalMemberNumber(memberNumber);
      return [digest(current, 'number', number), ...former.map((key) => digest(key, 'number', number))];
    },
    fingerprint: (row) => digest(current, 'row', JSON.stringify(row)),
    seal: (membership, id) => seal(JSON.stringify(membership), id),
    // What opens was sealed by us for this id, so its form is known.
    open: (sealed, id) => JSON.parse(open(sealed, id)) as Membership,
  };
}
