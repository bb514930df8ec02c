import { canonicalMemberNumber, canonicalName } from './matching.ts';
import type { Contact, Membership, Standing } from './membership.ts';
import { e164 } from './phone.ts';
import type { RosterColumn, RosterFields } from './rosterColumns.ts';

/** A number that was merged into another. */
export interface Merge {
  readonly memberNumber: string;
  readonly into: string;
}

/** One row of a roster file: a membership as the plan knows it today (its `formerNumbers` are empty), or a merge. */
export type RosterRow = Membership | Merge;

/** Longer than any name, number or address that is real. */
const LONGEST_FIELD = 254;

const STATUSES = ['active', 'frozen', 'deceased', 'merged'] as const;
type Status = (typeof STATUSES)[number];

type Check = (text: string, row: RosterFields, today: string) => string | undefined;

/** What is wrong with a field, by column. None repeats what stands there: that is a person's, and this goes into logs. */
const CHECKS: Readonly<Partial<Record<RosterColumn, Check>>> = {
  member_number: (text) => (canonicalMemberNumber(text) === '' ? 'has no letter or digit' : undefined),
  first_name: nameFault,
  last_name: nameFault,
  birth_date: (text, _, today) => dateFault(text) ?? (text > today ? 'lies in the future' : undefined),
  postal_code: (text) => (/^\d{5}(?:[- ]?\d{4})?$/.test(text) ? undefined : 'is no ZIP of five or nine digits'),
  email: (text) => (text === '' || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? undefined : 'is no email address'),
  phone_kind: (text) => (['', 'mobile', 'landline'].includes(text) ? undefined : 'must be mobile or landline'),
  locale: (text) =>
    /^(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?$/.test(text) ? undefined : 'is no language such as en or es',
  status: (text) => (statusOf(text) === undefined ? `must be one of ${STATUSES.join(', ')}` : undefined),
  ends_on: (text) => (text === '' ? undefined : dateFault(text)),
  merged_into: mergeFault,
};

/** The row that these fields make, or everything that is wrong with them. `today`: YYYY-MM-DD. */
export function readRosterRow(fields: RosterFields, today: string): { row: RosterRow } | { fault: string } {
  const phone = fields.phone === '' ? undefined : e164(fields.phone);
  const faults = faultsOf(fields, today);
  if (fields.phone !== '' && phone === undefined) faults.push('phone is no phone number');
  if (faults.length > 0) return { fault: faults.join('; ') };
  const status = statusOf(fields.status);
  return status === 'merged'
    ? { row: { memberNumber: fields.member_number, into: fields.merged_into } }
    : { row: membershipOf(fields, status ?? 'active', phone) };
}

const membershipOf = (fields: RosterFields, standing: Standing, phone: string | undefined): Membership => ({
  memberNumber: fields.member_number,
  formerNumbers: [],
  firstName: fields.first_name,
  lastName: fields.last_name,
  birthDate: fields.birth_date,
  postalCode: fields.postal_code,
  standing,
  ...(fields.ends_on === '' ? {} : { endsOn: fields.ends_on }),
  contacts: contactsOf(fields, phone),
  locale: fields.locale || 'en',
});

function faultsOf(fields: RosterFields, today: string): string[] {
  const faults: string[] = [];
  for (const [column, text] of Object.entries(fields)) {
    const fault = textFault(text) ?? CHECKS[column as RosterColumn]?.(text, fields, today);
    if (fault !== undefined) faults.push(`${column} ${fault}`);
  }
  return faults;
}

function textFault(text: string): string | undefined {
  if (text.length > LONGEST_FIELD) return `has more than ${LONGEST_FIELD} characters`;
  return /\p{Cc}/u.test(text) ? 'has control characters' : undefined;
}

function nameFault(text: string): string | undefined {
  return canonicalName(text) === '' ? 'has no letter' : undefined;
}

function dateFault(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'is no date such as 1951-03-14';
  const time = Date.parse(`${text}T00:00:00Z`);
  // Some engines take the 30th of February for a day in March.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text
    ? 'is a day that there never was'
    : undefined;
}

function mergeFault(text: string, { status, member_number }: RosterFields): string | undefined {
  if (statusOf(status) !== 'merged') return text === '' ? undefined : 'is for the status merged only';
  if (canonicalMemberNumber(text) === '') return 'is missing';
  return canonicalMemberNumber(text) === canonicalMemberNumber(member_number) ? 'leads to itself' : undefined;
}

const statusOf = (text: string): Status | undefined =>
  text === '' ? 'active' : STATUSES.find((status) => status === text.toLowerCase());

function contactsOf({ email, phone_kind }: RosterFields, phone: string | undefined): Contact[] {
  return [
    ...(email === '' ? [] : [{ kind: 'email', to: email } as const]),
    ...(phone === undefined ? [] : [{ kind: phone_kind === 'landline' ? 'landline' : 'mobile', to: phone } as const]),
  ];
}
