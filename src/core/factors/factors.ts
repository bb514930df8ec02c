import type { Account } from '../account/account.ts';
import type { PasswordHash } from '../account/password.ts';
import type { Passkey } from './passkey.ts';

/**
 * The second steps that there are, the safest first. A recovery code is the way out when the others are lost, and counts
 * only beside one of them.
 */
const METHODS = ['passkey', 'totp', 'text', 'recovery-code'] as const;
export type Method = (typeof METHODS)[number];

/** Those that a member sets up. */
export type Enrollable = Exclude<Method, 'recovery-code'>;

/** What an account has besides its password. Times are in seconds since 1970. */
export interface Factors {
  readonly passkeys?: readonly Passkey[] | undefined;
  readonly totp?: TotpFactor | undefined;
  /** A phone that has shown by a code that it is the member's; gets texts and calls. */
  readonly phone?: { readonly to: string; readonly addedAt: number } | undefined;
  /** Hashes of the codes, by their slot. */
  readonly recoveryCodes?: readonly PasswordHash[] | undefined;
  readonly lastUsed?: Method | undefined;
  /** How often a second step was set up or removed. */
  readonly changes?: number;
}

/** A seed that an authenticator app knows too (RFC 6238). */
interface TotpFactor {
  /** The seed, encrypted for this account alone. */
  readonly sealed: string;
  /** The time step of the last code that was used; none before it is good any more. */
  readonly lastStep: number;
  /** By how many steps the clock of the app was ahead then. */
  readonly drift: number;
  readonly addedAt: number;
}

/** The account with these of its factors changed. A second step that comes or goes is counted. */
export function withFactors(account: Account, changed: Partial<Factors>): Account {
  const all = Object.entries({ ...account.factors, ...changed }).filter(([, value]) => value !== undefined);
  const factors: Factors = Object.fromEntries(all);
  const { changes = 0 } = factors;
  const isSame = marksOf({ factors }) === marksOf(account);
  return { ...account, factors: isSame ? factors : { ...factors, changes: changes + 1 } };
}

/**
 * What is another with each second step that is set up or removed, and with nothing else; the count tells who has added one
 * and removed it again from who has done neither.
 */
export const marksOf = ({ factors: { passkeys = [], totp, phone, changes } = {} }: Holder): string =>
  JSON.stringify([changes, passkeys.map(({ id, addedAt }) => [id, addedAt]), totp?.addedAt, phone?.to, phone?.addedAt]);

type Holder = Pick<Account, 'factors'>;

/** Whether signing in takes more than the password. */
export const hasSecondStep = ({ factors }: Holder): boolean =>
  (factors?.passkeys ?? []).length > 0 || factors?.totp !== undefined || factors?.phone !== undefined;

/** One of an account's second steps. */
export type SecondStep = { readonly method: 'totp' | 'text' } | { readonly method: 'passkey'; readonly id: string };

/** The account without this second step. Recovery codes count only beside another, and go with the last. */
export function withoutSecondStep(account: Account, step: SecondStep): Account {
  const passkeys = account.factors?.passkeys?.filter(({ id }) => step.method !== 'passkey' || id !== step.id);
  const gone = step.method === 'totp' ? { totp: undefined } : step.method === 'text' ? { phone: undefined } : {};
  const changed = withFactors(account, { ...(passkeys ? { passkeys } : {}), ...gone });
  return hasSecondStep(changed) ? changed : withFactors(changed, { recoveryCodes: undefined, lastUsed: undefined });
}

/** Seconds after which a member who has skipped the offer of a passkey may hear of it again. */
const OFFER_EVERY = 30 * 86_400;

/** Whether a member may be offered a passkey after signing in: who has none, has not said never, and was not asked lately. */
export const mayOfferPasskey = ({ factors, passkeyOffer }: Account, now: number): boolean =>
  (factors?.passkeys ?? []).length === 0 &&
  !passkeyOffer?.never &&
  (passkeyOffer === undefined || passkeyOffer.askedAt + OFFER_EVERY <= now);

/** How many second steps an account has to choose from. */
export const countOf = ({ factors }: Holder): number =>
  (factors?.passkeys ?? []).length + [factors?.totp, factors?.phone].filter((one) => one !== undefined).length;

/**
 * What an account can show as its second step, the safest first. `shown`: a number to which a code has gone in the same
 * journey; the same phone is no second step beside itself (NIST SP 800-63B-4 4.2.2.2).
 */
export function methodsOf({ factors }: Holder, shown?: string): Method[] {
  if (!hasSecondStep({ factors })) return [];
  const has: Readonly<Record<Method, boolean>> = {
    passkey: (factors?.passkeys ?? []).length > 0,
    totp: factors?.totp !== undefined,
    text: factors?.phone !== undefined && factors.phone.to !== shown,
    'recovery-code': factors?.recoveryCodes !== undefined,
  };
  return METHODS.filter((method) => has[method]);
}

/**
 * The one that is asked for unless the member chooses: the last one used, but a recovery code only when chosen. Where
 * nothing less than a passkey is enough, the `safest`.
 */
export function usualMethod({ factors }: Holder, shown?: string, safest = false): Method | undefined {
  const methods = methodsOf({ factors }, shown);
  const last = safest ? undefined : factors?.lastUsed;
  return last !== undefined && last !== 'recovery-code' && methods.includes(last) ? last : methods[0];
}
