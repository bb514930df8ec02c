import type { Stored } from '../storage/collection.ts';
import type { Membership } from './membership.ts';
import { openedFrom, type Roster } from './roster.ts';
import { putRows } from './rosterChange.ts';
import type { RosterRecord } from './rosterCipher.ts';
import type { RowIndex } from './rosterPorts.ts';

/** Records that are looked at in one go. */
const PAGE = 1_000;

/**
 * Ends the memberships that are in no row, and answers how many. Numbers that were merged still lead where they led. What a
 * former secret had sealed is sealed with the current one, also where a membership has ended before.
 */
export async function endOthers(roster: Roster, index: RowIndex, today: string, dryRun: boolean): Promise<number> {
  let ended = 0;
  let after = '';
  for (;;) {
    const page = await roster.roster.all(after, PAGE);
    const others = page.flatMap((stored) => otherIn(roster, index, stored) ?? []);
    const ending = others.filter(({ endsOn }) => endsOn === undefined || endsOn > today);
    const moving = others.filter((other) => !ending.includes(other));
    ended += ending.length;
    await putRows(roster, [...moving, ...ending.map((membership) => ({ ...membership, endsOn: today }))], dryRun);
    const last = page.at(-1);
    if (last === undefined) return ended;
    after = last.id;
  }
}

/** The membership of a record, if no row has its number. */
function otherIn({ cipher }: Roster, index: RowIndex, stored: Stored<RosterRecord>): Membership | undefined {
  if (index.find(stored.id) !== undefined) return undefined;
  const membership = openedFrom(cipher, stored);
  if (membership === undefined) return undefined;
  // It may stand under a former secret.
  return index.find(cipher.ids(membership.memberNumber)[0]) === undefined ? membership : undefined;
}
