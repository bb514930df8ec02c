import { rosterSource } from './adapters/rosterSource.ts';
import { temporaryRowIndex } from './adapters/rowIndex.ts';
import { ConfigFault } from './config/fault.ts';
import type { Roster } from './core/membership/roster.ts';
import { RosterFileFault } from './core/membership/rosterColumns.ts';
import { takeRoster } from './core/membership/rosterImport.ts';
import { judgeRoster } from './core/membership/rosterJudge.ts';

/**
 * Brings the roster to what ROSTER_FILE says; memberships that are not in it stay. `today`: YYYY-MM-DD. Throws a ConfigFault
 * that names every bad row, before any is taken.
 */
export async function seedRoster(roster: Roster, path: string, today: string): Promise<void> {
  const source = rosterSource(path);
  const index = temporaryRowIndex();
  const faults: string[] = [];
  try {
    await judgeRoster(source, roster, index, today, ({ line, reason }) => faults.push(`line ${line}: ${reason}`));
    if (faults.length === 0) await takeRoster(source, roster, index, { today, dryRun: false, whole: false });
  } catch (error) {
    if (!(error instanceof RosterFileFault)) throw error;
    faults.push(error.message.replace(/\.$/, ''));
  } finally {
    index.close();
  }
  if (faults.length > 0) throw new ConfigFault(faults.map((fault) => `ROSTER_FILE: ${path}: ${fault}`));
}
