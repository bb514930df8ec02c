import type { Clock } from '../../core/clock.ts';
import { seconds } from '../../core/clock.ts';
import { ageAt } from '../../core/membership/birthDate.ts';
import type { Person } from '../../core/membership/membership.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { PERSON_FIELD_OF, readPerson, typedPerson } from '../../http/personForm.ts';
import { type ErrandContext, step } from '../../http/step.ts';

/** Who you are, as on the member card. */
export const personStep = (deps: { clock: Clock; leastAge: number }) =>
  step<Person, ErrandContext>({
    name: 'person',
    view: 'registration/person',

    show: async ({ journey }, typed) => ({ fields: typed ? typedPerson(typed) : kept(journey.facts.person) }),

    parse: readPerson,

    async submit(person, { journey }): Promise<Outcome<object>> {
      const age = ageAt(person.birthDate, deps.clock.now());
      if (age < 0) return refused('birth-date-wrong');
      if (journey.course === 'register' && age < deps.leastAge) return refused('too-young');
      return proven({ person: { ...person, at: seconds(deps.clock) } });
    },

    fieldOf: (refusal) => PERSON_FIELD_OF[refusal],
    pageOf: (refusal) => (refusal === 'too-young' ? 'registration/too-young' : undefined),
  });

function kept(person: Person | undefined): Record<string, string> {
  const [year = '', month = '', day = ''] = person?.birthDate.split('-') ?? [];
  return {
    ...{ 'first-name': person?.firstName ?? '', 'last-name': person?.lastName ?? '' },
    ...{ 'birth-month': month, 'birth-day': day, 'birth-year': year, 'postal-code': person?.postalCode ?? '' },
  };
}
