import type { Stored } from '../storage/collection.ts';
import { firstOf, openedFrom, type Roster } from './roster.ts';
import type { RosterRecord } from './rosterCipher.ts';
import { type Entry, entryOf, isMerge, type MembershipEntry } from './rosterEntry.ts';
import { leadNowhere, mergedRecord } from './rosterMerge.ts';
import type { RosterRow } from './rosterRow.ts';

/** Changes that are under way at once. */
const AT_ONCE = 32;

export type RowOutcome = 'added' | 'changed' | 'unchanged';

/**
 * Brings the roster to what these rows say: memberships or merges, a thousand at most, each of another number. Each record
 * is written whole or not at all, and a row that was cut off in the middle is finished when it comes again. What changes
 * is sealed with the current secret, and stands under its id from then on. With `dryRun` nothing is written. Answers in
 * the order of the rows.
 */
export async function putRows(roster: Roster, rows: readonly RosterRow[], dryRun: boolean): Promise<RowOutcome[]> {
  const entries = rows.map((row) => entryOf(roster.cipher, row));
  const found = await roster.roster.findMany(entries.flatMap(({ ids }) => ids));
  const byId = new Map(found.map((one) => [one.id, one]));
  const outcomes = entries.map((entry) => {
    const stored = entry.ids.flatMap((id) => byId.get(id) ?? []);
    return outcomeOf(entry, stored);
  });
  if (dryRun) return outcomes;
  for (const [place, entry] of entries.entries())
    if (outcomes[place] === 'changed' && !isMerge(entry)) await roster.onChange?.(entry.row);
  await write(roster, entries, outcomes);
  return outcomes;
}

function outcomeOf({ ids, fingerprint }: Entry, found: readonly Stored<RosterRecord>[]): RowOutcome {
  const stored = withoutMoved(found, ids[0]);
  if (stored.length === 0) return 'added';
  return stored.every(({ id, value }) => id === ids[0] && value.fingerprint === fingerprint) ? 'unchanged' : 'changed';
}

async function write(
  { roster, cipher }: Roster,
  entries: readonly Entry[],
  outcomes: readonly RowOutcome[],
): Promise<void> {
  const fresh = entries.flatMap((entry, place) => (outcomes[place] === 'added' && !isMerge(entry) ? [entry] : []));
  const late = new Set(
    await roster.insertMany(
      fresh.map(({ row, ids: [id], fingerprint }) => ({ id, value: { fingerprint, sealed: cipher.seal(row, id) } })),
    ),
  );
  const written = new Set<Entry>(fresh.filter(({ ids }) => !late.has(ids[0])));
  const rest = entries.filter((entry, place) => outcomes[place] !== 'unchanged' && !written.has(entry));
  // Merges one after the other: where one leads may depend on another.
  const atOnce = rest.some(isMerge) ? 1 : AT_ONCE;
  for (let start = 0; start < rest.length; start += atOnce) {
    await Promise.all(rest.slice(start, start + atOnce).map((entry) => putEntry({ roster, cipher }, entry)));
  }
}

/** Writes what an entry says over whatever stands there, and looks again where another writer was faster. */
async function putEntry(roster: Roster, entry: Entry): Promise<void> {
  const { ids } = entry;
  for (;;) {
    const stored = withoutMoved(await roster.roster.findMany(ids), ids[0]);
    const before = firstOf(stored, ids);
    const record = isMerge(entry)
      ? await mergedRecord(roster, entry, before)
      : await membershipRecord(roster, entry, before);
    if (record === undefined) return;
    if (!(await put(roster, ids[0], stored, record))) continue;
    await retire(roster, ids[0], stored, before);
    return;
  }
}

/** Leaves nothing but the way to the new id where a former secret had put this number, and those merged into it. */
async function retire(
  { roster, cipher }: Roster,
  to: string,
  stored: readonly Stored<RosterRecord>[],
  before: Stored<RosterRecord> | undefined,
): Promise<void> {
  const former = stored.filter(({ id }) => id !== to);
  if (former.length === 0) return;
  const way = { fingerprint: '', mergedInto: to };
  const numbers = openedFrom(cipher, before)?.formerNumbers ?? [];
  await roster.insertMany(numbers.map((number) => ({ id: cipher.ids(number)[0], value: way })));
  for (const { id, version } of former) await roster.replace(id, version, way);
}

/** False when another writer was faster. */
async function put(
  { roster }: Roster,
  id: string,
  stored: readonly Stored<RosterRecord>[],
  record: RosterRecord,
): Promise<boolean> {
  const current = stored.find((one) => one.id === id);
  if (current === undefined) return (await roster.insert(id, record)) === 'inserted';
  return roster.replace(id, current.version, record);
}

async function membershipRecord(
  roster: Roster,
  { row, ids, fingerprint }: MembershipEntry,
  before: Stored<RosterRecord> | undefined,
): Promise<RosterRecord> {
  const formerNumbers = openedFrom(roster.cipher, before)?.formerNumbers ?? [];
  await leadNowhere(roster, row.memberNumber, before);
  return { fingerprint, sealed: roster.cipher.seal({ ...row, formerNumbers }, ids[0]) };
}

/** Without those that are no more than the way to this id, since a new secret came. */
const withoutMoved = (stored: readonly Stored<RosterRecord>[], id: string): Stored<RosterRecord>[] =>
  stored.filter(({ value }) => value.mergedInto !== id);
