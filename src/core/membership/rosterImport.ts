import { mergesInOrder } from './mergeOrder.ts';
import type { Roster } from './roster.ts';
import { putRows } from './rosterChange.ts';
import { endOthers } from './rosterEnds.ts';
import type { RosterSource, RowIndex } from './rosterPorts.ts';
import { readRoster } from './rosterReader.ts';
import type { RosterRow } from './rosterRow.ts';

export interface Taking {
  /** YYYY-MM-DD. */
  readonly today: string;
  /** Tells what would happen, and writes nothing. */
  readonly dryRun: boolean;
  /** The file is the whole roster: a membership that is not in it ends today. */
  readonly whole: boolean;
}

export interface Taken {
  added: number;
  changed: number;
  ended: number;
  unchanged: number;
}

const BATCH = 1_000;

/** Takes the rows that `judgeRoster` left in the index: memberships first, so that each merge finds where it leads. */
export async function takeRoster(
  source: RosterSource,
  roster: Roster,
  index: RowIndex,
  { today, dryRun, whole }: Taking,
): Promise<Taken> {
  const taken = { added: 0, changed: 0, ended: 0, unchanged: 0 };
  for await (const rows of inBatches(goodRows(source, roster, index, today))) {
    for (const outcome of await putRows(roster, rows, dryRun)) taken[outcome] += 1;
  }
  if (whole) taken.ended = await endOthers(roster, index, today, dryRun);
  return taken;
}

async function* goodRows(
  source: RosterSource,
  { cipher }: Roster,
  index: RowIndex,
  today: string,
): AsyncGenerator<readonly RosterRow[]> {
  for await (const batch of readRoster(source, today)) {
    const isFirst = (memberNumber: string, line: number) => index.find(cipher.ids(memberNumber)[0])?.line === line;
    yield batch.flatMap((read) =>
      'row' in read && !('into' in read.row) && isFirst(read.row.memberNumber, read.line) ? [read.row] : [],
    );
  }
  for (const merge of mergesInOrder(index, cipher)) yield [merge];
}

async function* inBatches(rows: AsyncIterable<readonly RosterRow[]>): AsyncGenerator<RosterRow[]> {
  let batch: RosterRow[] = [];
  for await (const some of rows) {
    for (const row of some) {
      // A merge stands in no batch with the membership that it leads to.
      if (batch.length === BATCH || ('into' in row && batch.some((one) => !('into' in one)))) {
        yield batch;
        batch = [];
      }
      batch.push(row);
    }
  }
  if (batch.length > 0) yield batch;
}
