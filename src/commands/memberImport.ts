import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { fastestArgon2 } from '../adapters/argon2.ts';
import { passwordHasher } from '../adapters/passwordHasher.ts';
import {
  claimsOfMember,
  type EnrolmentDependencies,
  enrol,
  type NewMember,
  standingOf,
} from '../core/account/enrolment.ts';
import { seconds } from '../core/clock.ts';
import { ROSTER_COLUMNS } from '../core/membership/rosterColumns.ts';
import { passwordRules } from '../parts.ts';
import { readJson } from './files.ts';
import { readMember, TAKEN } from './memberRow.ts';
import { importRoster } from './rosterImport.ts';
import { type Answer, type Ground, Misuse, subcommand } from './run.ts';

/** Rows that are worked on at once. */
const AT_ONCE = 16;
/** Rows after which a person at a terminal hears how far it is. */
const TOLD_EVERY = 1_000;

type Outcome = { readonly is: 'opened' | 'existing' } | { readonly is: 'bad'; readonly reason: string };

const ROSTER_HELP = [
  '',
  `FILE.csv is a roster in UTF-8, one membership on each line. Its first line names the columns: ${ROSTER_COLUMNS.slice(0, 5).join(', ')},`,
  `and any of ${ROSTER_COLUMNS.slice(5).join(', ')}.`,
  'phone_kind is mobile (the default) or landline, status active (the default), frozen, deceased or merged; dates are YYYY-MM-DD.',
  'A number that is merged leads to the membership merged_into. Every row is looked at before any is taken. Bad rows are told',
  'by their line; then nothing is taken, unless a person at the terminal says yes or --partial is given, and the exit code is 3.',
  'The same file again changes nothing.',
];

export const importMembers = subcommand({
  summary: 'open accounts for the members of a JSON file, or bring the roster to what a CSV file says',
  about: [
    'FILE.json is a JSON array of members with the fields of config/members.dev.json. Each has a password, or a passwordHash from',
    'another system: bcrypt ($2b$…), or $pbkdf2-sha256$, $pbkdf2-sha512$, $scrypt$, $argon2id$ in PHC form. Sign-in renews it.',
    'emailConfirmed and phoneConfirmed are true unless a row says false. Who has an account already keeps it as it is.',
    'Bad rows are told by their place in the array, from 0, and the good ones taken; then the exit code is 3.',
    ...ROSTER_HELP,
  ],
  argument: 'FILE',
  options: {
    'dry-run': { type: 'boolean', help: 'write nothing, only tell what would happen' },
    partial: { type: 'boolean', help: 'CSV: take the good rows also where others are bad' },
    whole: { type: 'boolean', help: 'CSV: it is the whole roster; memberships that are not in it end today' },
  },
  async run({ argument: path, values, open, say }) {
    const { 'dry-run': dryRun = false, partial = false, whole = false } = values;
    if (/\.csv$/i.test(path)) return importRoster({ path, dryRun, partial, whole }, open, say);
    if (partial || whole) throw new Misuse('--partial and --whole are for a CSV file.');
    return importAccounts(path, dryRun, open, say);
  },
});

async function importAccounts(
  path: string,
  dryRun: boolean,
  open: () => Promise<Ground>,
  say: (line: string) => void,
): Promise<Answer> {
  const rows = readJson(path, z.array(z.unknown()));
  const ground = await open();
  const take = await taker(ground, dryRun);
  const counts = { opened: 0, existing: 0 };
  const bad: { index: number; reason: string }[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const outcomes = await Promise.all(rows.slice(start, start + AT_ONCE).map((row, i) => take(row, start + i)));
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.is !== 'bad') counts[outcome.is] += 1;
      else {
        bad.push({ index: start + i, reason: outcome.reason });
        say(`${path}: ${start + i}: ${outcome.reason}.`);
      }
    }
    if (process.stderr.isTTY && (start / AT_ONCE) % (TOLD_EVERY / AT_ONCE) < 1) say(`${start} of ${rows.length} …`);
  }
  const { opened, existing } = counts;
  if (!dryRun) await ground.audit.record({ action: 'members-imported', detail: { ...counts, bad: bad.length } });
  return {
    json: { dryRun, opened, existing, bad },
    lines: [`${opened} ${dryRun ? 'would be opened' : 'opened'}, ${existing} there already, ${bad.length} bad.`],
    refusedInPart: bad.length > 0,
  };
}

/** What happens to one row after another. Of two rows for one member the first counts. */
async function taker({ config, secrets, stores, clock }: Ground, dryRun: boolean) {
  const rules = passwordRules(config);
  const deps = { accounts: stores.accounts, hasher: passwordHasher(await fastestArgon2(), secrets.passwordPeppers) };
  const seen = new Map<string, number>();
  return async (row: unknown, index: number): Promise<Outcome> => {
    const read = readMember(row, rules);
    if ('fault' in read) return { is: 'bad', reason: read.fault };
    const claims = claimsOfMember(read.member);
    const earlier = claims.map((claim) => seen.get(claim)).find((place) => place !== undefined);
    if (earlier !== undefined) {
      return { is: 'bad', reason: `the username, the email or the member number stands in row ${earlier} too` };
    }
    for (const claim of claims) seen.set(claim, index);
    const outcome = dryRun
      ? await foretell(deps, read.member)
      : await enrol(deps, randomUUID(), read.member, seconds(clock));
    if (outcome === 'taken') return { is: 'bad', reason: TAKEN };
    return { is: outcome === 'there' ? 'existing' : 'opened' };
  };
}

async function foretell({ accounts }: EnrolmentDependencies, member: NewMember): Promise<'opened' | 'there' | 'taken'> {
  const standing = await standingOf(accounts, member);
  return standing === 'new' ? 'opened' : standing;
}
