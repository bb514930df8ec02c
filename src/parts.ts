import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { developmentInbox } from './adapters/developmentInbox.ts';
import { eligibilityService } from './adapters/eligibilityService.ts';
import { gatewayCarrier } from './adapters/messageGateway.ts';
import { passwordStrength } from './adapters/passwordStrength.ts';
import { makeSeal } from './adapters/seal.ts';
import { smtpCarrier } from './adapters/smtpCarrier.ts';
import { ConfigFault } from './config/fault.ts';
import type { Config, Secrets } from './config/load.ts';
import { leastLength, type PasswordRules } from './core/account/newPassword.ts';
import type { AuditEntry } from './core/audit/event.ts';
import { history } from './core/audit/history.ts';
import { makeLookup } from './core/audit/lookup.ts';
import { makeMacs } from './core/audit/macs.ts';
import { recorder } from './core/audit/record.ts';
import { type RetentionDependencies, removeOld } from './core/audit/retention.ts';
import { sealChains } from './core/audit/seals.ts';
import { type VerifyDependencies, verifyAudit } from './core/audit/verify.ts';
import {
  type AdministrationDependencies,
  type ClientAdministration,
  clientAdministration,
} from './core/client/administration.ts';
import type { Clock } from './core/clock.ts';
import { publishedAhead } from './core/keys/keyRing.ts';
import type { MembershipDirectory } from './core/membership/membership.ts';
import { inRoster, type Roster, rosterDirectory } from './core/membership/roster.ts';
import { rosterCipher } from './core/membership/rosterCipher.ts';
import type { Carrier, Channel } from './core/messages/message.ts';
import type { Stores } from './core/storage/stores.ts';
import { clientCertificates } from './http/clientCertificate.ts';
import { type PublishedKeys, type SigningKeys, signingKeys } from './oidc/jwks.ts';
import { ownApi } from './oidc/resources.ts';

/** What the settings say about the protocol. */
export const protocolSettings = (config: Config, { cookieKeys }: Secrets) => ({
  issuer: config.issuer,
  cookieKeys,
  limits: config.limits,
  resources: [...config.resources, ownApi(config.issuer)],
  registration: config.dynamicRegistration,
  outboundAllow: config.outboundAllow,
  certificateOf:
    config.clientCertHeader === undefined
      ? undefined
      : clientCertificates(config.clientCertHeader, config.trustedProxies),
  certificateAuthorities: config.certificateAuthorities,
  mtlsOrigin: config.mtlsOrigin,
  mfaPolicy: config.mfaPolicy,
});

/** 256 random bits (RFC 9700 asks for no fewer than 128). */
const newSecret = (): string => randomBytes(32).toString('base64url');

/** What administrators do with clients, on these stores. */
export const administrationOf = (
  { clients, clientChanges: changes }: Stores,
  clock: Clock,
  parts: Pick<AdministrationDependencies, 'faultOf' | 'forget' | 'audit'>,
): ClientAdministration => clientAdministration({ clients, changes, clock, newId: randomUUID, newSecret, ...parts });

/** What a new password has to be. */
export const passwordRules = ({ passwordLeast, mfaPolicy, plan }: Config): PasswordRules => ({
  meter: passwordStrength(),
  least: leastLength(mfaPolicy === 'required', passwordLeast),
  plan: plan.name,
});

/** The built-in roster, as its secrets open it. */
export const rosterOf = ({ rosterKeys }: Secrets, { roster }: Stores): Roster => ({
  roster,
  cipher: rosterCipher(rosterKeys, makeSeal(rosterKeys, 'ROSTER_KEY')),
});

/**
 * Whom to ask for memberships: the plan's eligibility service where ELIGIBILITY_URL is set, else the built-in roster. `isUp`
 * is false while the service is left alone because it failed again and again. `mayBeNumber`: whether a number is somebody's, as far
 * as can be told by the number alone.
 */
export function membershipDirectory(
  { eligibility }: Config,
  secrets: Secrets,
  stores: Stores,
  clock: Clock,
): MembershipDirectory & { isUp(): boolean; mayBeNumber(memberNumber: string): Promise<boolean> } {
  // A service is asked about a person and a number together, and never about a number alone.
  if (eligibility !== undefined) return { ...eligibilityService(eligibility, clock), mayBeNumber: async () => true };
  const roster = rosterOf(secrets, stores);
  const mayBeNumber = async (memberNumber: string) => (await inRoster(roster, memberNumber)) !== undefined;
  return { ...rosterDirectory(roster), isUp: () => true, mayBeNumber };
}

/** What stands in the store for names, networks and codes: keyed digests. */
export const attemptDigest = (secrets: Pick<Secrets, 'cookieKeys'>) => {
  const digest = keyedDigest(secrets, 'attempt');
  return (text: string): string => digest(text).slice(0, 22);
};

/** Challenges for passkeys: 32 bytes that nobody foretells, one for each purpose, Base64url. */
export const webAuthnChallenge = (secrets: Pick<Secrets, 'cookieKeys'>) => keyedDigest(secrets, 'webauthn');

const keyedDigest =
  ({ cookieKeys }: Pick<Secrets, 'cookieKeys'>, what: 'attempt' | 'webauthn') =>
  (text: string): string =>
    createHmac('sha256', cookieKeys[0] ?? '')
      .update(`${what}:${text}`)
      .digest('base64url');

/**
 * What is put on record, in a chain of this process's own, and all that goes with it. `circumstances`: what is known at any
 * moment of who does something, and where.
 */
export function auditOf(
  { keyEncryptionKeys }: Pick<Secrets, 'keyEncryptionKeys'>,
  stores: Pick<Stores, 'audit' | 'auditSeals' | 'auditLookup'>,
  clock: Clock,
  circumstances?: () => Partial<AuditEntry>,
) {
  const parts = {
    ...{ batches: stores.audit, seals: stores.auditSeals, lookup: makeLookup(stores.auditLookup) },
    ...{ macs: makeMacs(keyEncryptionKeys), clock },
  };
  const newNode = () => randomBytes(12).toString('hex');
  const audit = recorder({ ...parts, newNode, ...(circumstances === undefined ? {} : { circumstances }) });
  return {
    ...{ record: audit.record, recordSoon: audit.recordSoon, finish: audit.finish },
    seal: () => sealChains(parts, audit),
    removeOld: (forget: RetentionDependencies['forget'], before: number) => removeOld({ ...parts, forget }, before),
    history: history(parts),
    verify: (onProgress: NonNullable<VerifyDependencies['onProgress']> = () => undefined) =>
      verifyAudit({ ...parts, onProgress }),
  };
}

/** The day that the plan's members have now, YYYY-MM-DD. Memberships begin and end by it. */
export function todayOf({ plan }: Config, clock: Clock): string {
  // Sweden writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: plan.timeZone }).format(clock.now());
}

/** The ring of signing keys as these settings want it. */
export function keyRingOf(
  { keyTimes, limits }: Config,
  secrets: Secrets,
  { keyRings }: Stores,
  clock: Clock,
): SigningKeys {
  return signingKeys({
    keyRings,
    seal: makeSeal(secrets.keyEncryptionKeys),
    clock,
    timing: { ahead: publishedAhead(keyTimes), longestUse: limits.overall },
    rotateEvery: keyTimes.rotateEvery,
  });
}

/** The keys at a start. Rejects with a ConfigFault when KEY_ENCRYPTION_KEY does not open them. */
export async function loadAtStart(keys: Pick<SigningKeys, 'load'>): Promise<PublishedKeys> {
  try {
    return await keys.load();
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('no key opens'))) throw error;
    throw new ConfigFault([
      'KEY_ENCRYPTION_KEY: is not the one that the signing keys in the store were sealed with; bring that one back behind a comma, or begin with an empty store',
    ]);
  }
}

/**
 * Who carries messages. In development everything lands in the inbox, and goes out as well where there is a provider; in
 * production there is no inbox, and a channel without a provider is not there.
 */
export function messageCarriers(
  { production, issuer, mail, smsGateway, letters }: Config,
  { expiring }: Stores,
  clock: Clock,
) {
  const smtp = mail.smtpUrl === undefined ? undefined : smtpCarrier(mail.smtpUrl, mail.from, new URL(issuer).hostname);
  const gateway = smsGateway === undefined ? undefined : gatewayCarrier(smsGateway.url, smsGateway.secret);
  const inbox = production ? undefined : developmentInbox(expiring, clock);
  const carriers = new Map<Channel, Carrier>();
  for (const [channel, provider] of [
    ['email', smtp],
    ['sms', gateway],
    ['voice', gateway],
    ['letter', letters ? gateway : undefined],
  ] as const) {
    const carrier = inbox?.carrier(provider) ?? provider;
    if (carrier !== undefined) carriers.set(channel, carrier);
  }
  return { carriers, inbox };
}
