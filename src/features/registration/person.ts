import type { Clock } from '../../core/clock.ts';
import { seconds } from '../../core/clock.ts';
import { ageAt, readBirthDate } from '../../core/membership/birthDate.ts';
import type { Person } from '../../core/membership/membership.ts';
import { type Outcome, proven, type Refusal, refused } from '../../core/refusal.ts';
import type { Form } from '../../http/form.ts';
import { type ErrandContext, step } from '../../http/step.ts';

const FIELDS = ['first-name', 'last-name', 'birth-month', 'birth-day', 'birth-year', 'postal-code'] as const;

const FIELD_OF: Readonly<Partial<Record<Refusal, string>>> = {
  'first-name-missing': 'first-name',
  'last-name-missing': 'last-name',
  'birth-date-missing': 'birth-month',
  'birth-date-wrong': 'birth-month',
  'postal-code-wrong': 'postal-code',
};

/** Longer than any name on a card. */
const MOST = 100;

/** Who you are, as on the member card. */
export const personStep = (deps: { clock: Clock; leastAge: number }) =>
  step<Person, ErrandContext>({
    name: 'person',
    view: 'registration/person',

    show: async ({ journey }, typed) => ({ fields: typed ? fieldsOf(typed) : kept(journey.facts.person) }),

    parse(form) {
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
    },

    async submit(person, { journey }): Promise<Outcome<object>> {
      const age = ageAt(person.birthDate, deps.clock.now());
      if (age < 0) return refused('birth-date-wrong');
      if (journey.course === 'register' && age < deps.leastAge) return refused('too-young');
      return proven({ person: { ...person, at: seconds(deps.clock) } });
    },

    fieldOf: (refusal) => FIELD_OF[refusal],
    pageOf: (refusal) => (refusal === 'too-young' ? 'registration/too-young' : undefined),
  });

const fieldsOf = (form: Form): Record<string, string> =>
  Object.fromEntries(FIELDS.map((name) => [name, form.get(name) ?? '']));

function kept(person: Person | undefined): Record<string, string> {
  const [year = '', month = '', day = ''] = person?.birthDate.split('-') ?? [];
  return {
    ...{ 'first-name': person?.firstName ?? '', 'last-name': person?.lastName ?? '' },
    ...{ 'birth-month': month, 'birth-day': day, 'birth-year': year, 'postal-code': person?.postalCode ?? '' },
  };
}
