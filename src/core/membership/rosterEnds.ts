import { change, type Stored } from '../storage/collection.ts';
import type { Roster } from './roster.ts';
import type { RosterRecord } from './rosterCipher.ts';
import type { RowIndex } from './rosterPorts.ts';

/** Records that are looked at in one go. */
const PAGE = 1_000;

/** Ends the memberships that are in no row, and answers how many. Numbers that were merged still lead where they led. */
export async function endOthers(roster: Roster, index: RowIndex, today: string, dryRun: boolean): Promise<number> {
  let ended = 0;
  let after = '';
  for (;;) {
    const page = await roster.roster.all(after, PAGE);
    const others = page.filter((stored) => goesOn(roster, index, today, stored));
    if (!dryRun) await Promise.all(others.map(({ id }) => end(roster, id, today)));
    ended += others.length;
    const last = page.at(-1);
    if (last === undefined) return ended;
    after = last.id;
  }
}

/** Whether a record is a membership that would go on after today, and no row has it. */
function goesOn({ cipher }: Roster, index: RowIndex, today: string, { id, value }: Stored<RosterRecord>): boolean {
  if (value.sealed === undefined || index.find(id) !== undefined) return false;
  const { memberNumber, endsOn } = cipher.open(value.sealed, id);
  if (endsOn !== undefined && endsOn <= today) return false;
  // It may stand under a former secret.
  return index.find(cipher.ids(memberNumber)[0]) === undefined;
}

async function end({ roster, cipher }: Roster, id: string, today: string): Promise<void> {
  await change(roster, id, ({ sealed }) => {
    if (sealed === undefined) return undefined;
    // No row has this fingerprint: when the membership is in a file again, it changes.
    return { fingerprint: '', sealed: cipher.seal({ ...cipher.open(sealed, id), endsOn: today }, id) };
  });
}
