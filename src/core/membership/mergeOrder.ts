import type { RosterCipher } from './rosterCipher.ts';
import type { IndexedRow, RowIndex } from './rosterPorts.ts';
import type { Merge } from './rosterRow.ts';

/** The merges of the index, in bounded memory. They may be removed meanwhile. */
export function* mergePages(index: RowIndex): Generator<readonly IndexedRow[]> {
  let page = index.merges('', 1_000);
  while (page.length > 0) {
    yield page;
    page = index.merges(page.at(-1)?.id ?? '', 1_000);
  }
}

/** The merges of the index, each after the one that it leads to. None leads round in a circle any more. */
export function* mergesInOrder(index: RowIndex, cipher: RosterCipher): Generator<Merge> {
  for (let [step, longest] = [0, 0]; step <= longest; step += 1) {
    for (const page of mergePages(index)) {
      for (const merge of page.flatMap((row) => row.merge ?? [])) {
        const steps = stepsBehind(index, cipher, merge);
        longest = Math.max(longest, steps);
        if (steps === step) yield merge;
      }
    }
  }
}

/** How many merges of the index stand between this one and its membership. */
function stepsBehind(index: RowIndex, cipher: RosterCipher, { into }: Merge): number {
  const next = index.find(cipher.ids(into)[0])?.merge;
  return next === undefined ? 0 : 1 + stepsBehind(index, cipher, next);
}
