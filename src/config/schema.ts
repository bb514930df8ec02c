import { z } from 'zod';
import { MFA_POLICIES } from '../core/journey/assurance.ts';
import { isRange } from '../core/networkRange.ts';
import { redisUrlFault } from '../core/storage/redisServers.ts';

/** Shorter secrets can be guessed; 32 characters of base64 are 192 bits. */
const SECRET_MIN = 32;

/**
 * Every setting: its type, its default and what it is for. Read from the environment once, at the start. What `meta` adds
 * stands in the reference (config/README.md): `fallback`, a default that depends, and `values`, what may stand there.
 */
export const SETTINGS = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` demands real servers and real secrets'),
  PORT: port(3000).describe('the port to listen on'),
  ISSUER: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('the address that members and apps use: an origin; https except on localhost, https always in production')
    .meta({ fallback: '`http://localhost:PORT`' }),
  MONGODB_URI: z
    .string()
    .startsWith('mongodb')
    .optional()
    .describe('keeps what lasts; together with REDIS_URL it replaces the embedded store; may hold a password')
    .meta({ values: '`mongodb://…`, `mongodb+srv://…`' }),
  REDIS_URL: z
    .string()
    .superRefine((url, faults) => {
      const message = redisUrlFault(url);
      if (message !== undefined) faults.addIssue({ code: 'custom', message });
    })
    .optional()
    .describe(
      'keeps what expires: sessions, tokens, journeys; one server, nodes of a Cluster, or Sentinels ([below](#redis)); may hold a password',
    )
    .meta({ values: '`redis://…`, `rediss://…`, `redis+cluster://…`, `redis+sentinel://…`' }),
  DATA_DIR: z
    .string()
    .default('.data')
    .describe('the folder of the embedded store and of the secrets made at first start')
    .meta({ values: 'the path of a folder' }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .optional()
    .describe('which log lines are written, as JSON on standard output')
    .meta({ fallback: '`warn` in development, `info` elsewhere' }),
  CLIENTS_FILE: z
    .string()
    .optional()
    .describe('relying parties to put into the store, in OpenID registration metadata')
    .meta({ fallback: '`config/clients.dev.json` in development' }),
  MEMBERS_FILE: z
    .string()
    .optional()
    .describe('members to put into the store; development only')
    .meta({ fallback: '`config/members.dev.json` in development' }),
  ROSTER_FILE: z
    .string()
    .optional()
    .describe('memberships to put into the roster, as CSV; development only')
    .meta({ fallback: '`config/roster.dev.csv` in development' }),
  ELIGIBILITY_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "the plan's eligibility service, which is asked for memberships instead of the roster (docs/eligibility-service.md); in production https, or http on this machine",
    )
    .meta({ fallback: 'none: the roster is asked' }),
  RESOURCES_FILE: z
    .string()
    .optional()
    .describe("the plan's APIs that apps get access tokens for")
    .meta({ fallback: '`config/resources.dev.json` in development' }),
  DYNAMIC_REGISTRATION: z
    .enum(['off', 'token', 'open'])
    .default('token')
    .describe('who may register a client over the protocol: nobody, who holds an initial access token, or anybody'),
  OUTBOUND_ALLOW: origins().describe(
    'origins in private networks that may be fetched (key sets, back-channel logout); in development the sample portal',
  ),
  CLIENT_CERT_HEADER: z
    .string()
    .optional()
    .describe(
      'the header in which the trusted proxies hand on the certificate of a client (`Client-Cert` of RFC 9440, or percent-encoded PEM); without it no client proves itself by a certificate. The proxies must take the header away from what comes from outside',
    ),
  MTLS_CA_FILE: z
    .string()
    .optional()
    .describe('PEM certificates of who may issue client certificates (tls_client_auth)'),
  MTLS_ORIGIN: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe('the origin at which the proxy asks clients for certificates, where that is not ISSUER'),
  JWKS_MAX_AGE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('verifiers may keep the public keys this long'),
  KEY_POLL_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(600)
    .default(60)
    .describe('each process looks for new signing keys this often'),
  KEY_ROTATION_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_650)
    .default(90)
    .describe('signing keys are replaced after this many days; 0 leaves it to the command'),
  PLAN_FILE: z
    .string()
    .default('config/plan.json')
    .describe(
      "the plan's name, phone, hours, time zone, taglines, a `banner` for all pages, and the `security` contact for `/.well-known/security.txt`",
    ),
  TRUSTED_PROXIES: ranges().describe('the proxies whose `X-Forwarded-For` and client certificates are believed'),
  SHARED_NETWORKS: ranges().describe(
    'networks that many members share, such as a clinic; more sign-ins may fail there before they wait',
  ),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/[^/]+/, 'must be an address such as smtps://user:password@mail.example.org')
    .optional()
    .describe(
      'the mail server; without it no email is sent, in development all mail is in `/dev/inbox`; may hold a password',
    )
    .meta({ values: '`smtps://…`, `smtp://…`' }),
  MAIL_FROM: z
    .string()
    .optional()
    .describe('the sender of mail')
    .meta({ fallback: '`no-reply@` and the host of ISSUER' }),
  SMS_GATEWAY_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('takes texts and calls (docs/message-gateway.md); https, or on this machine'),
  LETTERS: z
    .enum(['none', 'gateway'])
    .default('none')
    .describe(
      'whether the gateway of texts and calls takes letters as well (docs/message-gateway.md), so that the support desk can send a code by post',
    ),
  SMS_COUNTRIES: z
    .string()
    .default('US')
    .transform(words)
    .pipe(z.array(z.string().regex(/^[A-Z]{2}$/, 'must list countries such as US')))
    .describe('countries whose phones are texted and called')
    .meta({ values: 'ISO 3166-1 codes, comma-separated', fallback: '`US`' }),
  REGISTRATION_MIN_AGE: z.coerce
    .number()
    .int()
    .min(0)
    .max(120)
    .default(18)
    .describe('who is younger cannot register alone'),
  MEMBERSHIP_GRACE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_650)
    .default(60)
    .describe('who was a member until so many days ago may still register and sign in'),
  AUDIT_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(2_192)
    .describe(
      'what was put on record is kept this long, and what members read of it in their activity: six years, as HIPAA demands (45 CFR 164.316(b)(2)(i)), with two leap days',
    ),
  SESSION_IDLE_SECONDS: duration(900).describe('a session ends after this long without activity'),
  SESSION_SHARED_IDLE_SECONDS: duration(300).describe('the same on a computer that others use too'),
  SESSION_OVERALL_SECONDS: duration(43_200).describe('a session ends this long after sign-in'),
  PASSWORD_MIN_LENGTH: z.coerce
    .number()
    .int()
    .min(8)
    .max(64)
    .optional()
    .describe(
      'new passwords have at least this many characters; never fewer than 15 where a password alone signs in (NIST SP 800-63B-4 3.1.1.2)',
    )
    .meta({ fallback: '15, or 12 with MFA_POLICY=required' }),
  MFA_POLICY: z
    .enum(MFA_POLICIES)
    .optional()
    .describe(
      'whether every sign-in takes two steps, or only that of a member who has set up a second one; an app may ask for more',
    )
    .meta({ fallback: '`required` in production, otherwise `when-enrolled`' }),
  REMEMBER_BROWSER_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(90)
    .default(0)
    .describe(
      'for so many days a browser is asked for the password only, where its member wants that and no app asks for two steps; 0 for never, as at AAL2 (NIST SP 800-63B-4 5.1): not together with `MFA_POLICY=required`',
    ),
  REFUSAL_FLOOR_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(5_000)
    .default(500)
    .describe(
      'milliseconds; no refused sign-in is answered sooner, so that time does not tell whether the name exists: longer than the slowest hash in use',
    ),
  PORTAL_PORT: port(3001).describe('the port of the sample portal; 0 leaves it out; development only'),
  WORKERS: z.coerce
    .number()
    .int()
    .min(0)
    .max(128)
    .default(1)
    .describe('processes that share the port; 0 means one per core; more than one needs MongoDB and Redis'),
  DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(300)
    .optional()
    .describe('on SIGTERM, requests are still served this long, so that a load balancer can notice `/health/ready`')
    .meta({ fallback: '5 in production, otherwise 0' }),
  COOKIE_KEYS: secrets().describe('sign cookies and forms; comma-separated, the current one first'),
  PASSWORD_PEPPER: secrets().describe(
    'keys the password hashes; comma-separated, the current one first; never drop one that is in use',
  ),
  KEY_ENCRYPTION_KEY: secrets().describe(
    'encrypts the signing keys and the seeds of authenticator apps in the store, and messages that wait, and signs what is on record; comma-separated, the current one first; how one is dropped stands [below](#changing-key_encryption_key)',
  ),
  ROSTER_KEY: secrets().describe(
    'encrypts the memberships in the store; comma-separated, the current one first; drop one only after an import of the whole roster',
  ),
  ELIGIBILITY_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be one word of ASCII')
    .optional()
    .describe('the bearer token that the eligibility service wants')
    .meta({ values: 'a word' }),
  SMS_GATEWAY_SECRET: secrets()
    .describe('signs what the gateway of texts and calls is sent; the first one counts')
    .meta({ fallback: 'none' }),
  METRICS_TOKEN: secrets()
    .describe('the bearer token of `/metrics`; several, comma-separated, are good at once')
    .meta({ fallback: 'none: `/metrics` is open in development, and not there in production' }),
});

export type Settings = z.infer<typeof SETTINGS>;

/** Secrets without which nothing runs; made at first start in development. */
export const NEEDED_SECRETS = ['COOKIE_KEYS', 'KEY_ENCRYPTION_KEY', 'PASSWORD_PEPPER', 'ROSTER_KEY'] as const;

/** Settings that may also be given as `NAME_FILE`, the path of a file that holds the value. */
export const SECRETS = [...NEEDED_SECRETS, 'METRICS_TOKEN', 'ELIGIBILITY_TOKEN', 'SMS_GATEWAY_SECRET'] as const;

function port(fallback: number) {
  return z.coerce.number().int().min(0).max(65_535).default(fallback);
}

function duration(fallback: number) {
  return z.coerce.number().int().min(10).max(86_400).default(fallback);
}

function ranges() {
  return z
    .string()
    .default('')
    .transform(words)
    .pipe(z.array(z.string().refine(isRange, 'must list addresses or CIDR ranges')))
    .meta({ values: 'addresses and CIDR ranges, comma-separated', fallback: 'none' });
}

function origins() {
  return z
    .string()
    .default('')
    .transform(words)
    .pipe(z.array(z.string().refine((text) => URL.parse(text)?.origin === text, 'must list origins')))
    .meta({ values: 'origins, comma-separated', fallback: 'none' });
}

function words(list: string): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}

function secrets() {
  return z
    .string()
    .transform((list) => list.split(',').map((secret) => secret.trim()))
    .pipe(z.array(z.string().min(SECRET_MIN, `each secret needs ${SECRET_MIN} characters or more`)))
    .optional()
    .meta({
      values: `secrets of ${SECRET_MIN} characters or more`,
      fallback: 'made at first start; production needs it',
    });
}
