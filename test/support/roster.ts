import { temporaryRowIndex } from '../../src/adapters/rowIndex.ts';
import { makeSeal } from '../../src/adapters/seal.ts';
import type { Membership } from '../../src/core/membership/membership.ts';
import type { Roster } from '../../src/core/membership/roster.ts';
import { rosterCipher } from '../../src/core/membership/rosterCipher.ts';
import { type Taken, type Taking, takeRoster } from '../../src/core/membership/rosterImport.ts';
import { type BadRow, judgeRoster } from '../../src/core/membership/rosterJudge.ts';
import type { RosterSource } from '../../src/core/membership/rosterPorts.ts';
import type { Stores } from '../../src/core/storage/stores.ts';

/** The day of the tests' clock. */
const TODAY = '2026-01-15';

export const ROSTER_HEADER =
  'member_number,first_name,last_name,birth_date,postal_code,email,phone,phone_kind,locale,status,ends_on,merged_into';

/** The roster under these secrets, the current one first. */
export const rosterUnder = ({ roster }: Stores, ...secrets: string[]): Roster => ({
  ...{ roster, cipher: rosterCipher(secrets, makeSeal(secrets, 'ROSTER_KEY')) },
});

/** A row of a membership of its own, in the order of the header's columns. */
export const rosterRow = (number: string, more: Readonly<Record<string, string>> = {}): string => {
  const fields: Readonly<Record<string, string>> = {
    ...{ member_number: number, first_name: 'Sample', last_name: `Person ${number}`, birth_date: '1964-07-21' },
    ...{ postal_code: '97202', email: `${number}@example.com`, ...more },
  };
  return ROSTER_HEADER.split(',')
    .map((column) => fields[column] ?? '')
    .join(',');
};

export const personOf = (number: string, more: Partial<Membership> = {}) => ({
  ...{ firstName: 'Sample', lastName: `Person ${number}`, birthDate: '1964-07-21', postalCode: '97202', ...more },
});

/** Imports rows without quotes as the command does with --partial. */
export async function importRows(
  roster: Roster,
  rows: readonly string[],
  more: Partial<Taking> = {},
): Promise<{ taken: Taken; bad: BadRow[] }> {
  const lines = [ROSTER_HEADER, ...rows].map((line, i) => ({ number: i + 1, fields: line.split(',') }));
  const source: RosterSource = {
    async *read() {
      yield lines;
    },
  };
  const index = temporaryRowIndex();
  const bad: BadRow[] = [];
  await judgeRoster(source, roster, index, TODAY, (row) => bad.push(row));
  const taken = await takeRoster(source, roster, index, { today: TODAY, dryRun: false, whole: false, ...more });
  index.close();
  return { taken, bad };
}
