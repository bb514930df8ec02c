import { randomUUID } from 'node:crypto';
import { fastestArgon2 } from '../adapters/argon2.ts';
import { passwordHasher } from '../adapters/passwordHasher.ts';
import { type Account, findByMemberNumbers, findBySignInName } from '../core/account/account.ts';
import { enrol } from '../core/account/enrolment.ts';
import { seconds } from '../core/clock.ts';
import { letterPurpose } from '../core/codes/codes.ts';
import { LETTER } from '../core/codes/contacts.ts';
import { countOf } from '../core/factors/factors.ts';
import { inRoster } from '../core/membership/roster.ts';
import type { Stored } from '../core/storage/collection.ts';
import { makeCodes } from '../errands.ts';
import { attemptDigest, passwordRules, rosterOf } from '../parts.ts';
import { columns, type Options, timeOf } from './help.ts';
import { importMembers } from './memberImport.ts';
import { readMember, TAKEN } from './memberRow.ts';
import { readPassword } from './password.ts';
import { type Call, type Ground, Misuse, Refused, runCommand, subcommand } from './run.ts';

const OPTIONS = {
  username: { type: 'string', value: 'NAME', help: 'what the member types to sign in' },
  email: { type: 'string', value: 'EMAIL', help: 'signs in too' },
  'unconfirmed-email': { type: 'boolean', help: 'nobody has seen that it is theirs: it does not sign in' },
  phone: { type: 'string', value: 'PHONE', help: 'such as +12025550143' },
  'unconfirmed-phone': { type: 'boolean', help: 'nobody has seen that it is theirs' },
  'member-number': { type: 'string', value: 'NUMBER', help: 'as on the card' },
  'first-name': { type: 'string', value: 'NAME', help: 'as on the card' },
  'last-name': { type: 'string', value: 'NAME', help: 'as on the card' },
  'birth-date': { type: 'string', value: 'DATE', help: 'YYYY-MM-DD' },
  'postal-code': { type: 'string', value: 'CODE', help: 'ZIP' },
  locale: { type: 'string', value: 'LANGUAGE', help: 'en unless told' },
  'password-stdin': { type: 'boolean', help: 'do not ask, also at a terminal' },
  'password-must-change': { type: 'boolean', help: 'a new one is asked for at the first sign-in' },
  'password-hash': { type: 'string', value: 'HASH', help: 'instead of a password: its hash from another system' },
} as const satisfies Options;

const NEEDED = [
  ...(['username', 'email', 'phone', 'member-number'] as const),
  ...(['first-name', 'last-name', 'birth-date', 'postal-code'] as const),
];

const NEW_USERNAME = /^(?:[A-Za-z0-9._-]+|[^\s@]+@[^\s@]+)$/;

const make = subcommand({
  summary: 'open an account for one member',
  about: [
    'The password is read from the standard input; at a terminal it is asked for. It has to be a good one, unless',
    '--password-must-change makes it good for nothing but choosing another.',
  ],
  options: OPTIONS,
  async run({ values, open }) {
    for (const name of NEEDED) if (values[name] === undefined) throw new Misuse(`--${name} is missing.`);
    if (!NEW_USERNAME.test(String(values.username))) {
      throw new Refused('A username has letters, digits and . _ - only, or is an email address.');
    }
    const hash = values['password-hash'];
    if (hash !== undefined && values['password-stdin']) throw new Misuse('Give a password or a --password-hash.');
    const row = {
      ...detailsOf(values),
      ...(hash === undefined
        ? { password: await readPassword(values['password-stdin'] === true) }
        : { passwordHash: hash }),
    };
    const ground = await open();
    const read = readMember(row, passwordRules(ground.config));
    if ('fault' in read) throw new Refused(`The member is refused: ${read.fault}.`);
    const id = randomUUID();
    const hasher = passwordHasher(await fastestArgon2(), ground.secrets.passwordPeppers);
    const outcome = await enrol({ accounts: ground.stores.accounts, hasher }, id, read.member, seconds(ground.clock));
    if (outcome === 'there') throw new Refused(`${read.member.username} has an account already.`);
    if (outcome === 'taken') throw new Refused(`The member is refused: ${TAKEN}.`);
    await ground.audit.record({ action: 'member-made', subject: { kind: 'account', id } });
    return shown(await find(ground, read.member.username));
  },
});

const show = subcommand({
  summary: 'the account of a member, without its secrets',
  argument: 'USERNAME',
  options: {},
  async run({ argument, open }) {
    const ground = await open();
    const account = await find(ground, argument);
    await ground.audit.record({ action: 'member-shown', subject: { kind: 'account', id: account.id } });
    return shown(account);
  },
});

const letterCode = subcommand({
  summary: 'a code for a letter to a member without a usable contact',
  argument: 'MEMBER-NUMBER',
  about: [
    'For a member whom no code reaches: to register, or to put a new contact on the account. Record first how you made sure who is asking. Send the',
    'code by post to the address in your records, and to nowhere else; it is shown once and replaces the one before.',
  ],
  options: {},
  async run({ argument, open }) {
    const { config, secrets, stores, clock, audit } = await open();
    const membership =
      config.eligibility === undefined ? await inRoster(rosterOf(secrets, stores), argument) : undefined;
    if (config.eligibility === undefined && membership === undefined)
      throw new Refused(`No membership has the number ${argument}.`);
    const digest = attemptDigest(secrets);
    const number = membership?.memberNumber ?? argument;
    const numbers = [number, ...(membership?.formerNumbers ?? [])];
    const hasAccount = (await findByMemberNumbers(stores.accounts, numbers)) !== undefined;
    const purpose = letterPurpose(digest, number, hasAccount ? 'contact' : 'registration');
    const issued = await makeCodes({ stores, clock, digest }).issue(purpose, LETTER);
    // The number itself is for nobody who reads what is on record.
    await audit.record({ action: 'letter-code-made', detail: { membership: digest(number) } });
    const page = `${config.issuer}${hasAccount ? '/letter' : '/register'}`;
    const described = {
      memberNumber: number,
      code: issued.code,
      page,
      until: timeOf(Math.floor(issued.until / 1_000)),
    };
    return { json: described, lines: columns(Object.entries(described)) };
  },
});

/** The fields of a row of MEMBERS_FILE. */
const detailsOf = (values: Call<typeof OPTIONS>['values']) => ({
  username: values.username,
  email: values.email,
  emailConfirmed: !values['unconfirmed-email'],
  phone: values.phone,
  phoneConfirmed: !values['unconfirmed-phone'],
  memberNumber: values['member-number'],
  firstName: values['first-name'],
  lastName: values['last-name'],
  birthDate: values['birth-date'],
  postalCode: values['postal-code'],
  locale: values.locale,
  passwordMustChange: values['password-must-change'],
});

async function find({ stores }: Ground, username: string): Promise<Stored<Account>> {
  const account = await findBySignInName(stores.accounts, username);
  if (account === undefined) throw new Refused(`Nobody signs in as ${username}.`);
  return account;
}

function shown({ id, value }: Stored<Account>) {
  const { password, formerPasswords: _, passwordMustChange = false, createdAt, updatedAt, ...rest } = value;
  // What opens the account, or is on its way to, is not shown either.
  const { moreContacts, factors: __, recovery, ...details } = rest;
  const secondSteps = countOf(value);
  const described = {
    ...{ sub: id, ...details, ...(moreContacts && { moreContacts: moreContacts.map(({ to }) => to) }) },
    ...{
      password: password.phc.split('$')[1] ?? '',
      passwordMustChange,
      secondSteps,
      recovers: recovery !== undefined,
    },
    ...{ created: timeOf(createdAt), updated: timeOf(updatedAt) },
  };
  return { json: described, lines: columns(Object.entries(described).map(([name, value]) => [name, String(value)])) };
}

await runCommand({
  name: 'members',
  summary: 'The accounts of members.',
  subcommands: { make, import: importMembers, show, 'letter-code': letterCode },
});
