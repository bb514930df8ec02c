import { X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { MfaPolicy } from '../core/journey/assurance.ts';
import { isLoopback } from '../core/loopback.ts';
import type { Plan } from '../core/plan.ts';
import type { SessionLimits } from '../core/session/limits.ts';
import { ConfigFault } from './fault.ts';
import { type ClientEntry, ClientsFile, type MemberEntry, MembersFile, PlanFile, ResourcesFile } from './files.ts';
import { NEEDED_SECRETS, SECRETS, SETTINGS, type Settings } from './schema.ts';
import { weakSecrets } from './weakSecrets.ts';

/** Everything the composition needs to know, checked. */
export interface Config {
  readonly production: boolean;
  /** What is allowed, and probably not meant. */
  readonly warnings: readonly string[];
  readonly port: number;
  readonly issuer: string;
  readonly logLevel: string;
  readonly dataDir: string;
  readonly servers: { readonly mongoUri: string; readonly redisUrl: string } | undefined;
  /** Undefined in development: then they are made at first start and kept in the data folder. */
  readonly secrets: Secrets | undefined;
  readonly plan: Plan;
  readonly clients: readonly ClientEntry[];
  readonly members: readonly MemberEntry[];
  /** A CSV file of memberships for development. */
  readonly rosterFile: string | undefined;
  /** The plan's own service, where there is one; else the roster is asked. */
  readonly eligibility: { readonly url: string; readonly token: string | undefined } | undefined;
  readonly mail: { readonly smtpUrl: string | undefined; readonly from: string };
  readonly smsGateway: { readonly url: string; readonly secret: string } | undefined;
  /** The gateway prints letters too. */
  readonly letters: boolean;
  readonly smsCountries: readonly string[];
  /** Years. */
  readonly registrationAge: number;
  readonly graceDays: number;
  readonly auditDays: number;
  readonly portalPort: number;
  readonly trustedProxies: readonly string[];
  readonly sharedNetworks: readonly string[];
  readonly limits: SessionLimits;
  /** Processes that serve. */
  readonly workers: number;
  readonly drainSeconds: number;
  /** Who may read `/metrics`: everybody, nobody, or who holds one of these tokens. */
  readonly metricsAccess: 'open' | 'closed' | readonly string[];
  readonly resources: readonly z.infer<typeof ResourcesFile>[number][];
  readonly dynamicRegistration: Settings['DYNAMIC_REGISTRATION'];
  readonly outboundAllow: readonly string[];
  readonly clientCertHeader: string | undefined;
  /** PEM, of as many as the file holds. */
  readonly certificateAuthorities: readonly X509Certificate[];
  readonly mtlsOrigin: string | undefined;
  /** Seconds. */
  readonly keyTimes: { readonly jwksMaxAge: number; readonly poll: number; readonly rotateEvery: number };
  /** Characters of a new password, where the operator wants more than the standard. */
  readonly passwordLeast: number | undefined;
  readonly mfaPolicy: MfaPolicy;
  readonly rememberBrowserDays: number;
  /** Milliseconds. */
  readonly refusalFloor: number;
}

export interface Secrets {
  readonly cookieKeys: readonly string[];
  readonly keyEncryptionKeys: readonly string[];
  readonly passwordPeppers: readonly string[];
  readonly rosterKeys: readonly string[];
}

/**
 * Reads settings and the files that they name. Collects all faults and throws them as one ConfigFault.
 * `root` is the project's folder, against which default files are found; files named by a setting count from the
 * working folder.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, root: string): Config {
  const faults: string[] = [];
  // Where a setting is wrong its default stands in, so that the faults of the files are told as well.
  const settings =
    readSettings(env, faults) ?? SETTINGS.parse({ NODE_ENV: env.NODE_ENV === 'production' ? 'production' : undefined });

  const production = settings.NODE_ENV === 'production';
  const issuer = (settings.ISSUER ?? `http://localhost:${settings.PORT}`).replace(/\/$/, '');
  if (faults.length === 0) faults.push(...crossFaults(settings, issuer, production));

  const file = <T>(name: keyof Settings & `${string}_FILE`, fallback: string | undefined, schema: z.ZodType<T>) => {
    const path = env[name] ? resolve(String(env[name])) : fallback && join(root, fallback);
    return path === undefined ? undefined : readFile(name, path, schema, faults);
  };
  const development = (path: string) => (production ? undefined : path);
  const portal = `http://localhost:${settings.PORTAL_PORT}`;
  const plan = file('PLAN_FILE', 'config/plan.json', PlanFile);
  const clients = file('CLIENTS_FILE', development('config/clients.dev.json'), ClientsFile) ?? [];
  const resources = file('RESOURCES_FILE', development('config/resources.dev.json'), ResourcesFile) ?? [];
  if (resources.some(({ resource }) => resource.replace(/\/$/, '') === `${issuer}/api/v1`))
    faults.push(`RESOURCES_FILE: ${issuer}/api/v1 is the API of this provider itself, and needs no entry`);
  const certificateAuthorities = readCertificates(settings.MTLS_CA_FILE, faults);
  const members = production ? [] : (file('MEMBERS_FILE', 'config/members.dev.json', MembersFile) ?? []);
  const rosterFile = production
    ? undefined
    : readablePath(env.ROSTER_FILE ? resolve(env.ROSTER_FILE) : join(root, 'config/roster.dev.csv'), faults);
  if (faults.length > 0 || plan === undefined) throw new ConfigFault(faults);

  return {
    production,
    warnings: production ? warningsOf(settings, env, plan) : [],
    port: settings.PORT,
    issuer,
    logLevel: settings.LOG_LEVEL ?? (settings.NODE_ENV === 'development' ? 'warn' : 'info'),
    dataDir: env.DATA_DIR ? settings.DATA_DIR : join(root, settings.DATA_DIR),
    servers: serversOf(settings),
    secrets: secretsOf(settings),
    plan,
    // The development clients name the sample portal at its usual port.
    clients:
      env.CLIENTS_FILE || settings.PORTAL_PORT === 0
        ? clients
        : (moved(clients, 'http://localhost:3001', portal) as typeof clients),
    members,
    rosterFile,
    eligibility:
      settings.ELIGIBILITY_URL === undefined
        ? undefined
        : { url: settings.ELIGIBILITY_URL, token: settings.ELIGIBILITY_TOKEN },
    mail: {
      smtpUrl: settings.SMTP_URL,
      from: settings.MAIL_FROM ?? `no-reply@${new URL(issuer).hostname}`,
    },
    smsGateway:
      settings.SMS_GATEWAY_URL === undefined
        ? undefined
        : { url: settings.SMS_GATEWAY_URL, secret: settings.SMS_GATEWAY_SECRET?.[0] ?? '' },
    letters: settings.LETTERS === 'gateway',
    smsCountries: settings.SMS_COUNTRIES,
    registrationAge: settings.REGISTRATION_MIN_AGE,
    graceDays: settings.MEMBERSHIP_GRACE_DAYS,
    auditDays: settings.AUDIT_DAYS,
    portalPort: production ? 0 : settings.PORTAL_PORT,
    trustedProxies: settings.TRUSTED_PROXIES,
    sharedNetworks: settings.SHARED_NETWORKS,
    passwordLeast: settings.PASSWORD_MIN_LENGTH,
    mfaPolicy: mfaPolicyOf(settings, production),
    rememberBrowserDays: settings.REMEMBER_BROWSER_DAYS,
    refusalFloor: settings.REFUSAL_FLOOR_MS,
    workers: settings.WORKERS === 0 ? availableParallelism() : settings.WORKERS,
    drainSeconds: settings.DRAIN_SECONDS ?? (production ? 5 : 0),
    metricsAccess: settings.METRICS_TOKEN ?? (production ? 'closed' : 'open'),
    resources,
    dynamicRegistration: settings.DYNAMIC_REGISTRATION,
    outboundAllow: [...settings.OUTBOUND_ALLOW, ...(production ? [] : [portal])],
    clientCertHeader: settings.CLIENT_CERT_HEADER,
    certificateAuthorities,
    mtlsOrigin: settings.MTLS_ORIGIN,
    keyTimes: {
      jwksMaxAge: settings.JWKS_MAX_AGE_SECONDS,
      poll: settings.KEY_POLL_SECONDS,
      rotateEvery: settings.KEY_ROTATION_DAYS * 86_400,
    },
    limits: {
      idle: settings.SESSION_IDLE_SECONDS,
      sharedIdle: settings.SESSION_SHARED_IDLE_SECONDS,
      overall: settings.SESSION_OVERALL_SECONDS,
    },
  };
}

const mfaPolicyOf = ({ MFA_POLICY }: Settings, production: boolean): MfaPolicy =>
  MFA_POLICY ?? (production ? 'required' : 'when-enrolled');

/** What production does without, and probably should not. */
const warningsOf = (settings: Settings, env: Readonly<Record<string, string | undefined>>, plan: Plan): string[] => [
  ...(env.PLAN_FILE ? [] : ['PLAN_FILE is not set: the pages show the name and the phone of the sample plan']),
  ...(plan.security ? [] : ['PLAN_FILE has no security contact: /.well-known/security.txt is not there']),
  ...(settings.SMTP_URL ? [] : ['SMTP_URL is not set: no codes and notices by email']),
  ...(settings.SMS_GATEWAY_URL ? [] : ['SMS_GATEWAY_URL is not set: no codes by text message or call']),
];

function readSettings(env: Readonly<Record<string, string | undefined>>, faults: string[]): Settings | undefined {
  const given: Record<string, string> = {};
  for (const name of Object.keys(SETTINGS.shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    try {
      given[name] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      faults.push(`${name}_FILE: ${path} cannot be read (${reason(error)})`);
    }
  }
  const parsed = SETTINGS.safeParse(given);
  if (parsed.success) return parsed.data;
  faults.push(...issuesOf(parsed.error));
  return undefined;
}

/** What no setting shows by itself. */
function crossFaults(settings: Settings, issuer: string, production: boolean): string[] {
  const faults: string[] = [];
  const { protocol, hostname, origin } = new URL(issuer);
  if (issuer !== origin) faults.push('ISSUER: must be an origin and no more, such as https://login.example.org');
  if (protocol === 'http:' && (production || !isLoopback(hostname))) {
    faults.push(`ISSUER: http is allowed on localhost${production ? ' in development' : ''} only; members need https`);
  }
  if ((settings.MONGODB_URI === undefined) !== (settings.REDIS_URL === undefined)) {
    faults.push('MONGODB_URI and REDIS_URL: set both, or neither for the embedded store');
  }
  if (settings.WORKERS !== 1 && settings.MONGODB_URI === undefined) {
    faults.push('WORKERS: the embedded store is for one process; set MONGODB_URI and REDIS_URL, or WORKERS=1');
  }
  if (production && settings.ELIGIBILITY_URL !== undefined && !isSafeToAsk(settings.ELIGIBILITY_URL)) {
    faults.push('ELIGIBILITY_URL: what is asked and answered is about patients: http is allowed on this machine only');
  }
  if (settings.SMS_GATEWAY_URL !== undefined) {
    if (!isSafeToAsk(settings.SMS_GATEWAY_URL))
      faults.push('SMS_GATEWAY_URL: codes go there: http is allowed on this machine only');
    if (settings.SMS_GATEWAY_SECRET === undefined)
      faults.push('SMS_GATEWAY_SECRET: SMS_GATEWAY_URL needs it, to sign messages');
  }
  if (settings.REMEMBER_BROWSER_DAYS > 0 && mfaPolicyOf(settings, production) === 'required')
    faults.push('REMEMBER_BROWSER_DAYS: must be 0 where MFA_POLICY is required, because every sign-in takes two steps');
  const given = NEEDED_SECRETS.filter((name) => settings[name] !== undefined);
  if (!production && given.length > 0 && given.length < NEEDED_SECRETS.length) {
    faults.push(`${NEEDED_SECRETS.join(', ')}: set all of them, or none to have them made`);
  }
  if (!production) return faults;
  if (settings.MONGODB_URI === undefined && settings.REDIS_URL === undefined) {
    faults.push('MONGODB_URI and REDIS_URL: production needs both');
  }
  for (const name of NEEDED_SECRETS) {
    if (settings[name] === undefined) faults.push(`${name}: production needs it (or ${name}_FILE)`);
  }
  faults.push(...weakSecrets(Object.fromEntries(SECRETS.map((name) => [name, [settings[name] ?? []].flat()]))));
  for (const name of ['MEMBERS_FILE', 'ROSTER_FILE'] as const) {
    if (settings[name] !== undefined) faults.push(`${name}: is for development only`);
  }
  return faults;
}

function readFile<T>(setting: string, path: string, schema: z.ZodType<T>, faults: string[]): T | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    faults.push(`${setting}: ${path} cannot be read as JSON (${reason(error)})`);
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  faults.push(...issuesOf(parsed.error).map((issue) => `${setting}: ${path}: ${issue}`));
  return undefined;
}

/** Rows of a roster are judged when they are taken. */
function readablePath(path: string, faults: string[]): string {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    faults.push(`ROSTER_FILE: ${path} cannot be read (${reason(error)})`);
  }
  return path;
}

function isSafeToAsk(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || isLoopback(hostname);
}

function readCertificates(path: string | undefined, faults: string[]): X509Certificate[] {
  if (path === undefined) return [];
  try {
    const pem = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (pem === null) throw new Error('it holds no PEM certificate');
    return pem.map((one) => new X509Certificate(one));
  } catch (error) {
    faults.push(`MTLS_CA_FILE: ${path} cannot be used (${reason(error)})`);
    return [];
  }
}

const serversOf = ({ MONGODB_URI, REDIS_URL }: Settings) =>
  MONGODB_URI === undefined || REDIS_URL === undefined ? undefined : { mongoUri: MONGODB_URI, redisUrl: REDIS_URL };

function secretsOf(settings: Settings): Secrets | undefined {
  const { COOKIE_KEYS, KEY_ENCRYPTION_KEY, PASSWORD_PEPPER, ROSTER_KEY } = settings;
  if (COOKIE_KEYS === undefined || KEY_ENCRYPTION_KEY === undefined) return undefined;
  if (PASSWORD_PEPPER === undefined || ROSTER_KEY === undefined) return undefined;
  return {
    ...{ cookieKeys: COOKIE_KEYS, keyEncryptionKeys: KEY_ENCRYPTION_KEY },
    ...{ passwordPeppers: PASSWORD_PEPPER, rosterKeys: ROSTER_KEY },
  };
}

const moved = (value: unknown, from: string, to: string): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll(from, to));

const issuesOf = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
