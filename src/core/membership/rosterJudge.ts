import { mergePages } from './mergeOrder.ts';
import { firstOf, LONGEST_WAY, type Roster } from './roster.ts';
import type { RosterSource, RowIndex } from './rosterPorts.ts';
import { readRoster } from './rosterReader.ts';

/** A row that cannot be taken. `reason` names the column and repeats nothing of what stands there. */
export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

export interface Verdict {
  readonly good: number;
  readonly bad: number;
}

/**
 * Looks at every row before any is taken, and leaves the good ones in the index. A number that stands twice counts where it
 * stands first, of the rows that are good in themselves. `today`: YYYY-MM-DD. Throws RosterFileFault.
 */
export async function judgeRoster(
  source: RosterSource,
  roster: Roster,
  index: RowIndex,
  today: string,
  onBad: (row: BadRow) => void,
): Promise<Verdict> {
  const counts = { good: 0, bad: 0 };
  const refuse = (line: number, reason: string) => {
    counts.bad += 1;
    onBad({ line, reason });
  };
  for await (const batch of readRoster(source, today)) {
    for (const read of batch) {
      if ('fault' in read) refuse(read.line, read.fault);
      else {
        const [id] = roster.cipher.ids(read.row.memberNumber);
        if (index.add(id, read.line, 'into' in read.row ? read.row : undefined)) counts.good += 1;
        else refuse(read.line, `member_number stands in line ${index.find(id)?.line} too`);
      }
    }
  }
  for await (const { line, reason } of badMerges(roster, index)) {
    counts.good -= 1;
    refuse(line, reason);
  }
  return counts;
}

/** Takes merges that lead nowhere out of the index, and then those that led to them. */
async function* badMerges(roster: Roster, index: RowIndex): AsyncGenerator<BadRow> {
  for (let found = true; found; ) {
    found = false;
    for (const page of mergePages(index)) {
      const reasons: (string | undefined)[] = [];
      for (const { merge } of page) reasons.push(merge && (await faultOfWay(roster, index, merge.into)));
      for (const [place, { id, line }] of page.entries()) {
        const reason = reasons[place];
        if (reason === undefined) continue;
        found = true;
        index.remove(id);
        yield { line, reason };
      }
    }
  }
}

/** What is wrong with the way from a merge to its membership, over the rows of the file and what the roster has. */
async function faultOfWay({ roster, cipher }: Roster, index: RowIndex, into: string): Promise<string | undefined> {
  let ids: readonly string[] = cipher.ids(into);
  for (let step = 0; step < LONGEST_WAY; step += 1) {
    const row = index.find(ids[0] ?? '');
    if (row !== undefined) {
      if (row.merge === undefined) return undefined;
      ids = cipher.ids(row.merge.into);
      continue;
    }
    const stored = firstOf(await roster.findMany(ids), ids);
    if (stored === undefined) return 'merged_into is no membership of this file or of the roster';
    if (stored.value.mergedInto === undefined) return undefined;
    ids = [stored.value.mergedInto];
  }
  return 'merged_into leads round in a circle';
}
