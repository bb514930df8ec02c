import { canonicalMemberNumber } from './matching.ts';
import type { Membership } from './membership.ts';
import type { RosterCipher } from './rosterCipher.ts';
import type { Merge, RosterRow } from './rosterRow.ts';

interface EntryOf<Row> {
  readonly row: Row;
  /** Where the number may stand; it is written under the first. */
  readonly ids: readonly [string, ...string[]];
  readonly fingerprint: string;
}

export type MembershipEntry = EntryOf<Membership>;
export type MergeEntry = EntryOf<Merge>;

/** A row with its place in the roster. */
export type Entry = MembershipEntry | MergeEntry;

export const isMerge = (entry: Entry): entry is MergeEntry => 'into' in entry.row;

export function entryOf(cipher: RosterCipher, row: RosterRow): Entry {
  const place = { ids: cipher.ids(row.memberNumber), fingerprint: cipher.fingerprint(textsOf(row)) };
  return 'into' in row ? { row, ...place } : { row, ...place };
}

/** All that a row says. */
function textsOf(row: RosterRow): string[] {
  if ('into' in row) return ['merged', canonicalMemberNumber(row.memberNumber), canonicalMemberNumber(row.into)];
  const { standing, memberNumber, firstName, lastName, birthDate, postalCode, endsOn = '', locale } = row;
  const contacts = row.contacts.flatMap(({ kind, to }) => [kind, to]);
  return [standing, memberNumber, firstName, lastName, birthDate, postalCode, endsOn, locale, ...contacts];
}
