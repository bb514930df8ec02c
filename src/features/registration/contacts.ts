import { agreedNow } from '../../core/account/agreements.ts';
import { readEmail } from '../../core/account/email.ts';
import { readPhone } from '../../core/account/phone.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import type { Facts } from '../../core/journey/journey.ts';
import type { Plan } from '../../core/plan.ts';
import { proven, type Refusal, refused } from '../../core/refusal.ts';
import { type ErrandContext, step } from '../../http/step.ts';

interface Typed {
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly texts: boolean;
}

const FIELD_OF: Readonly<Partial<Record<Refusal, string>>> = {
  'email-wrong': 'email',
  'phone-wrong': 'phone',
  'contact-missing': 'email',
  'terms-not-accepted': 'terms',
};

export interface ContactsDependencies {
  readonly clock: Clock;
  readonly agreements: Plan['agreements'];
  /** Sends a code to an address that none has reached yet. */
  readonly confirm: (email: string, context: ErrandContext) => Promise<void>;
}

/** How we reach the member, and what they agree to. */
export const contactsStep = ({ clock, agreements, confirm }: ContactsDependencies) =>
  step<Typed, ErrandContext>({
    name: 'contacts',
    view: 'registration/contacts',

    show: async ({ journey: { facts } }, typed) => ({
      email: typed ? (typed.get('email') ?? '') : (facts.contacts?.email ?? onFile(facts, ['email'])),
      phone: typed ? (typed.get('phone') ?? '') : (facts.contacts?.phone ?? onFile(facts, ['mobile', 'landline'])),
      terms: typed?.has('terms') ?? facts.contacts !== undefined,
      texts: typed?.has('texts') ?? facts.contacts?.agreed.sms !== undefined,
    }),

    parse(form) {
      const [email, phone] = ['email', 'phone'].map((name) => (form.get(name) ?? '').trim());
      if (email && readEmail(email) === undefined) return refused('email-wrong');
      const number = phone ? readPhone(phone) : undefined;
      if (phone && number === undefined) return refused('phone-wrong');
      if (!form.has('terms')) return refused('terms-not-accepted');
      return proven({ email: email || undefined, phone: number, texts: form.has('texts') });
    },

    async submit({ email, phone, texts }, { journey }) {
      // One of them at least has to be known to reach the member.
      if (email === undefined && phone !== journey.facts.code?.way.to) return refused('contact-missing');
      const at = seconds(clock);
      const agreed = agreedNow(agreements, texts);
      return proven({ contacts: { at, email, phone, agreed }, sent: { at, by: 'email' } });
    },

    async conclude({ contacts }, context) {
      const email = contacts?.email;
      if (email !== undefined && email !== context.journey.facts.code?.way.to) await confirm(email, context);
    },

    fieldOf: (refusal) => FIELD_OF[refusal],
  });

const onFile = ({ member }: Facts, kinds: readonly string[]): string =>
  member?.found?.contacts.find(({ kind }) => kinds.includes(kind))?.to ?? '';
