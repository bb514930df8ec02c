import { change, type Stored } from '../storage/collection.ts';
import { canonicalMemberNumber } from './matching.ts';
import { endOfMerges, firstOf, openedFrom, type Roster } from './roster.ts';
import type { RosterRecord } from './rosterCipher.ts';
import type { MergeEntry } from './rosterEntry.ts';

type Before = Stored<RosterRecord> | undefined;

/**
 * The way from a merged number. The membership that it leads to hears of the number first: were that left to the end, a
 * crash in between would go unnoticed by the next import. Undefined when the number merged into is gone, or leads back.
 */
export async function mergedRecord(
  roster: Roster,
  { row, ids, fingerprint }: MergeEntry,
  before: Before,
): Promise<RosterRecord | undefined> {
  const into = roster.cipher.ids(row.into);
  const next = firstOf(await roster.roster.findMany(into), into);
  const end = await endOfMerges(roster.roster, into);
  if (next === undefined || end === undefined || ids.includes(end.id)) return undefined;
  if (before?.value.mergedInto !== next.id) await leadNowhere(roster, row.memberNumber, before);
  const numbers = [row.memberNumber, ...(openedFrom(roster.cipher, before)?.formerNumbers ?? [])];
  await changeFormerNumbers(roster, end.id, (known) => [
    ...known,
    ...numbers.filter((number) => !known.some((one) => sameNumber(one, number))),
  ]);
  return { fingerprint, mergedInto: next.id };
}

/** Takes a number back from the membership that it led to before, if it did. */
export async function leadNowhere(roster: Roster, memberNumber: string, before: Before): Promise<void> {
  if (before?.value.mergedInto === undefined) return;
  const end = await endOfMerges(roster.roster, [before.value.mergedInto]);
  if (end === undefined) return;
  await changeFormerNumbers(roster, end.id, (known) => known.filter((number) => !sameNumber(number, memberNumber)));
}

async function changeFormerNumbers(
  { roster, cipher }: Roster,
  id: string,
  to: (known: readonly string[]) => readonly string[],
): Promise<void> {
  await change(roster, id, (record) => {
    if (record.sealed === undefined) return undefined;
    const membership = cipher.open(record.sealed, id);
    const formerNumbers = to(membership.formerNumbers);
    if (formerNumbers.length === membership.formerNumbers.length) return undefined;
    return { ...record, sealed: cipher.seal({ ...membership, formerNumbers }, id) };
  });
}

const sameNumber = (a: string, b: string): boolean => canonicalMemberNumber(a) === canonicalMemberNumber(b);
