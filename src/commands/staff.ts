import { randomUUID } from 'node:crypto';
import { fastestArgon2 } from '../adapters/argon2.ts';
import { passwordHasher } from '../adapters/passwordHasher.ts';
import { findBySignInName } from '../core/account/account.ts';
import { readEmail } from '../core/account/email.ts';
import { enrol } from '../core/account/enrolment.ts';
import { judgePassword } from '../core/account/newPassword.ts';
import { seconds } from '../core/clock.ts';
import { ROLES, type Role } from '../core/staff/roles.ts';
import { everyStaffMember, rolesOf, setRoles } from '../core/staff/staff.ts';
import { translator } from '../http/words.ts';
import { passwordRules } from '../parts.ts';
import { columns, type Options, timeOf } from './help.ts';
import { readPassword } from './password.ts';
import { type Ground, Misuse, Refused, runCommand, subcommand } from './run.ts';

const BY = 'command line';
const ROLE = {
  type: 'string',
  multiple: true,
  value: 'ROLE',
  help: `${ROLES.join(', ')}; may come several times`,
} as const;

const OPTIONS = {
  username: { type: 'string', value: 'NAME', help: 'what they type to sign in' },
  email: { type: 'string', value: 'EMAIL', help: 'signs in too, and hears of what happens to the account' },
  'first-name': { type: 'string', value: 'NAME', help: 'as others call them' },
  'last-name': { type: 'string', value: 'NAME', help: 'as others call them' },
  role: ROLE,
  'password-stdin': { type: 'boolean', help: 'do not ask, also at a terminal' },
} as const satisfies Options;

const words = translator('en');

const make = subcommand({
  summary: 'open an account for one of the staff who is no member, with roles',
  about: [
    'The first administrator is made so. The password is read from the standard input; at a terminal it is asked for. A second',
    'step is set up at the first sign-in: staff never come in without one.',
  ],
  options: OPTIONS,
  async run({ values, open }) {
    const text = (name: 'username' | 'email' | 'first-name' | 'last-name') => {
      const value = values[name];
      if (value === undefined || value === '') throw new Misuse(`--${name} is missing.`);
      return value;
    };
    const [username, firstName, lastName] = [text('username'), text('first-name'), text('last-name')];
    const email = readEmail(text('email'));
    if (email === undefined) throw new Refused('The email address is none.');
    if (!/^[A-Za-z0-9._-]{3,64}$/.test(username)) throw new Refused('A username has 3 to 64 letters, digits and . _ -');
    const roles = rolesIn(values.role);
    const password = await readPassword(values['password-stdin'] === true);
    const ground = await open();
    const member = { username, email, firstName, lastName, locale: 'en', password };
    const rules = passwordRules(ground.config);
    const { refusal } = judgePassword(rules, member, password);
    if (refusal !== undefined) throw new Refused(words(`refusals.${refusal}`, { least: rules.least }));
    const { accounts } = ground.stores;
    const id = randomUUID();
    const hasher = passwordHasher(await fastestArgon2(), ground.secrets.passwordPeppers);
    const outcome = await enrol({ accounts, hasher }, id, member, seconds(ground.clock));
    if (outcome !== 'opened') throw new Refused('The username or the email belongs to an account already: use grant.');
    return give(ground, id, username, roles);
  },
});

const grant = subcommand({
  summary: 'give somebody who has an account these roles besides those they have',
  argument: 'USERNAME',
  options: { role: ROLE },
  async run({ argument, values, open }) {
    const roles = rolesIn(values.role);
    const ground = await open();
    const { id, before } = await find(ground, argument);
    return give(ground, id, argument, [...before, ...roles]);
  },
});

const revoke = subcommand({
  summary: 'take roles from somebody; all of them where none is named',
  about: ['Their account stays. Where there are administrators, one at least stays.'],
  argument: 'USERNAME',
  options: { role: ROLE },
  async run({ argument, values, open }) {
    const gone = values.role === undefined ? ROLES : rolesIn(values.role);
    const ground = await open();
    const { id, before } = await find(ground, argument);
    return give(
      ground,
      id,
      argument,
      before.filter((role) => !gone.includes(role)),
    );
  },
});

const list = subcommand({
  summary: 'the staff and their roles',
  options: {},
  async run({ open }) {
    const { stores } = await open();
    const all = await Promise.all(
      (await everyStaffMember(stores.staff)).map(async ({ accountId, roles, since, by }) => {
        const account = await stores.accounts.find(accountId);
        return { username: account?.value.username ?? accountId, roles, since: timeOf(since), by };
      }),
    );
    const rows = all.map(({ username, roles, since }) => [username, roles.join(', '), since]);
    return { json: all, lines: columns([['username', 'roles', 'since'], ...rows]) };
  },
});

function rolesIn(names: readonly string[] | undefined): Role[] {
  if (names === undefined || names.length === 0) throw new Misuse('--role is missing.');
  return names.map((name) => {
    const role = ROLES.find((one) => one === name);
    if (role === undefined) throw new Misuse(`--role ${name} is none of ${ROLES.join(', ')}.`);
    return role;
  });
}

async function find({ stores }: Ground, username: string) {
  const account = await findBySignInName(stores.accounts, username);
  if (account === undefined) throw new Refused(`Nobody signs in as ${username}.`);
  return { id: account.id, before: await rolesOf(stores.staff, account.id) };
}

async function give({ stores, clock, audit }: Ground, id: string, username: string, roles: readonly Role[]) {
  const outcome = await setRoles(stores.staff, id, roles, { by: BY, at: seconds(clock) });
  if (!outcome.ok) throw new Refused('This is the last administrator: make another first.');
  const now = await rolesOf(stores.staff, id);
  await audit.record({ action: 'roles-set', subject: { kind: 'account', id }, detail: { roles: now.join(' ') } });
  const what = now.length === 0 ? 'has no roles any more' : `is ${now.join(', ')}`;
  return { json: { username, sub: id, roles: now }, lines: [`${username} ${what}.`] };
}

await runCommand({
  name: 'staff',
  summary: "The plan's staff: who may use the console, and for what.",
  subcommands: { make, grant, revoke, list },
});
