import { readBirthDate } from '../core/membership/birthDate.ts';
import type { Person } from '../core/membership/membership.ts';
import { type Outcome, proven, type Refusal, refused } from '../core/refusal.ts';
import type { Form } from './form.ts';

const FIELDS = ['first-name', 'last-name', 'birth-month', 'birth-day', 'birth-year', 'postal-code'] as const;

/** The field that a refusal is about. */
export const PERSON_FIELD_OF: Readonly<Partial<Record<Refusal, string>>> = {
  'first-name-missing': 'first-name',
  'last-name-missing': 'last-name',
  'birth-date-missing': 'birth-month',
  'birth-date-wrong': 'birth-month',
  'postal-code-wrong': 'postal-code',
};

/** Longer than any name on a card. */
const MOST = 100;

/** Who somebody is, as on the member card, from the fields of `views/parts/person-fields.ejs`. */
export function readPerson(form: Form): Outcome<Person> {
  const text = (name: string) => (form.get(name) ?? '').normalize('NFC').trim().slice(0, MOST);
  const [firstName, lastName] = [text('first-name'), text('last-name')];
  if (firstName === '') return refused('first-name-missing');
  if (lastName === '') return refused('last-name-missing');
  const date = [text('birth-year'), text('birth-month'), text('birth-day')] as const;
  if (date.every((part) => part === '')) return refused('birth-date-missing');
  const birthDate = readBirthDate(...date);
  if (birthDate === undefined) return refused('birth-date-wrong');
  const postalCode = /^(\d{5})([ -]?\d{4})?$/.exec(text('postal-code').normalize('NFKC'))?.[1];
  return postalCode === undefined
    ? refused('postal-code-wrong')
    : proven({ firstName, lastName, birthDate, postalCode });
}

/** What those fields show again: as it was typed, or of somebody whom they described before. */
export const typedPerson = (form: Form | undefined): Record<string, string> =>
  Object.fromEntries(FIELDS.map((name) => [name, form?.get(name) ?? '']));
