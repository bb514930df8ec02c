import { type Contender, type Servers, settingsOf, startOurs } from './contenders.ts';
import { addMembers } from './members.ts';
import { OPERATIONS } from './operations.ts';
import { measure, type Plan, percentile, type Result } from './rounds.ts';
import { figure, type Row, table } from './table.ts';

const READ_ACCOUNTS = ['userinfo', 'refresh', 'single-sign-on', 'sign-in'];

/** How many accounts the other store has. */
const FEW = 1_000;

/** The operations that read accounts, on a store of a thousand and on one of many, turn by turn. Both providers are fresh: one that has run is faster. */
export async function compareGrowth(servers: Servers, accounts: number, plan: Plan): Promise<string> {
  const [few, many] = await Promise.all([begin('few', servers, 3, FEW), begin('many', servers, 4, accounts)]);
  try {
    const rows: Row[] = [];
    for (const operation of OPERATIONS.filter(({ name }) => READ_ACCOUNTS.includes(name))) {
      const [first, second] = await measure(operation, [few, many], plan);
      if (first === undefined || second === undefined) continue;
      const beside = (of: (result: Result) => number): string[] => {
        const [before, after] = [of(first), of(second)];
        return [figure(before), figure(after), figure(after / before)];
      };
      rows.push([
        ...[operation.title, ...beside(({ times }) => percentile(times, 50))],
        ...beside(({ processor, hashing, times }) => (processor - hashing) / times.length),
        ...beside(({ servers: theirs, times }) => theirs / times.length),
      ]);
    }
    const head = ['p50, ms', 'CPU without hashes, ms', 'CPU of the servers, ms'];
    return table(['operation', ...head.flatMap((what) => [`${what}: ${FEW} accounts`, `${accounts}`, 'times'])], rows);
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

async function begin(name: string, servers: Servers, database: number, accounts: number): Promise<Contender> {
  const settings = settingsOf(servers, database);
  const provider = await startOurs(name, settings, accounts);
  await addMembers(String(settings.MONGODB_URI), accounts);
  return provider;
}
