import { z } from 'zod';
import type { Membership } from '../core/membership/membership.ts';

const text = z.string().trim().min(1).max(254);

const Contact = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('email'), to: text.regex(/^[^\s@]+@[^\s@]+$/) }),
  z.object({ kind: z.enum(['mobile', 'landline']), to: z.string().regex(/^\+[1-9]\d{6,14}$/) }),
]);

const EligibleMember = z.object({
  memberNumber: text,
  formerNumbers: z.array(text).max(100).default([]),
  firstName: text,
  lastName: text,
  birthDate: z.iso.date(),
  postalCode: text,
  standing: z.enum(['active', 'frozen', 'deceased']),
  endsOn: z.iso.date().optional(),
  contacts: z.array(Contact).max(20).default([]),
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/)
    .default('en'),
}) satisfies z.ZodType<Membership>;

/** What the eligibility service answers (docs/eligibility-service.md). Fields that are not known are left out. */
export const EligibilityAnswer = z.discriminatedUnion('match', [
  z.object({ match: z.literal(false) }),
  z.object({ match: z.literal(true), membership: EligibleMember }),
]);
