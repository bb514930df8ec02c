import { z } from 'zod';
import { SIGN_IN_NAME_MAX } from '../core/account/signInName.ts';
import type { NewClient } from '../core/client/newClient.ts';

const version = z.string().min(1).max(40);

/** `PLAN_FILE`: what the pages say about the plan. */
export const PlanFile = z.object({
  name: z.string().min(1),
  phone: z.string().min(1),
  tty: z.string().min(1),
  website: z.url(),
  timeZone: z.string().refine((name) => isTimeZone(name), 'must be an IANA time zone, such as America/New_York'),
  phoneHours: z.record(z.string(), z.string()),
  taglines: z
    .array(z.object({ lang: z.string(), dir: z.enum(['ltr', 'rtl']).default('ltr'), text: z.string() }))
    .default([]),
  agreements: z.object({
    terms: z.object({ version, url: z.url() }),
    privacy: z.object({ version, url: z.url() }),
    sms: z.object({ version }),
  }),
  banner: z.record(z.string(), z.string()).optional(),
  security: z
    .object({
      contact: z
        .array(
          z.string().regex(/^(mailto:[^\s@]+@[^\s@]+|tel:\+[\d-]+|https:\/\/\S+)$/, 'must be mailto:, tel:+ or https:'),
        )
        .min(1),
      policy: z.url({ protocol: /^https$/ }).optional(),
    })
    .optional(),
});

/** `CLIENTS_FILE`: relying parties in OpenID registration metadata. What is not listed here oidc-provider checks. */
export const ClientsFile = z
  .array(
    z.looseObject({
      client_id: z.string().min(1),
      client_secret: z.string().min(1).optional(),
      redirect_uris: z.array(z.string()).default([]),
      client_name: z.string().optional(),
      client_uri: z.url().optional(),
      initiate_login_uri: z.url().optional(),
      first_party: z.boolean().optional(),
      require_mfa: z.boolean().optional(),
    }),
  )
  .refine((clients) => new Set(clients.map(({ client_id }) => client_id)).size === clients.length, {
    message: 'the same client_id stands here twice',
  });

/** `RESOURCES_FILE`: the plan's APIs, for which apps get access tokens. */
export const ResourcesFile = z.array(
  z.object({
    resource: z.url().refine((uri) => !uri.includes('#'), 'must have no fragment'),
    scopes: z.record(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/), z.record(z.string(), z.string())),
  }),
);

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const text = z.string().min(1);

const signInName = text.max(SIGN_IN_NAME_MAX);

/** One member, as MEMBERS_FILE and the command line bring them. */
export const MemberRow = z
  .looseObject({
    username: signInName.regex(/^\S+$/, 'must have no spaces'),
    password: text.optional(),
    /** Instead of a password: its hash from another system (see src/adapters/foreignHash.ts). */
    passwordHash: text.optional(),
    /** A new one is asked for at the first sign-in. */
    passwordMustChange: z.boolean().optional(),
    email: signInName.regex(/^[^\s@]+@[^\s@]+$/, 'must be an email address'),
    /** Only a confirmed address signs in; both are taken as confirmed unless this says no. */
    emailConfirmed: z.boolean().optional(),
    phone: text,
    phoneConfirmed: z.boolean().optional(),
    memberNumber: text,
    firstName: text,
    lastName: text,
    birthDate: z.iso.date(),
    postalCode: text,
    locale: z.string().default('en'),
  })
  .refine(({ password, passwordHash }) => (password === undefined) !== (passwordHash === undefined), {
    path: ['password'],
    message: 'give a password or a passwordHash',
  });

/** `MEMBERS_FILE`: accounts for development. */
export const MembersFile = z.array(MemberRow);

export type ClientEntry = NewClient;
export type MemberEntry = z.infer<typeof MembersFile>[number];
