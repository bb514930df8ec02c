import { generateSecret, generateSync, generateURI } from 'otplib';
import { sameText } from '../sameText.ts';

/** Seconds. */
const STEP = 30;
/** So many steps either way are accepted (RFC 6238 5.2); a code from further off only tells that the clock is wrong. */
const NEAR = 1;
const FAR = 5;

/** 160 random bits in Base32 (RFC 4226 4, R6). */
export const newSeed = (): string => generateSecret({ length: 20 });

/** A seed is sealed for one account, so that a record that is moved to another opens nothing. */
export const seedPurpose = (accountId: string): string => `totp:${accountId}`;

/** What an authenticator app reads from the picture or the link. */
export const otpauthUri = (seed: string, issuer: string, label: string): string =>
  generateURI({ issuer, label, secret: seed });

export type TotpVerdict =
  | { readonly is: 'right'; readonly step: number; readonly drift: number }
  | { readonly is: 'wrong' | 'used' | 'clock-wrong' };

/**
 * Judges a code of six digits at a time (seconds since 1970). `lastStep`: codes of this step and before are used up.
 * `drift`: by how many steps the app's clock was ahead last time (RFC 6238 6).
 */
export function judgeTotp(
  seed: string,
  code: string,
  now: number,
  { lastStep, drift }: { readonly lastStep: number; readonly drift: number },
): TotpVerdict {
  const current = Math.floor(now / STEP);
  const offsets = Array.from({ length: 2 * FAR + 1 }, (_, i) => i - FAR);
  // Every step is looked at, so that time does not tell which of them it is.
  const matching = offsets.filter((offset) => sameText(codeOf(seed, current + offset), code));
  const nearest = matching.toSorted((a, b) => Math.abs(a - drift) - Math.abs(b - drift))[0];
  if (nearest === undefined) return { is: 'wrong' };
  if (Math.abs(nearest - drift) > NEAR && Math.abs(nearest) > NEAR) return { is: 'clock-wrong' };
  const step = current + nearest;
  return step <= lastStep ? { is: 'used' } : { is: 'right', step, drift: nearest };
}

const codeOf = (seed: string, step: number): string => generateSync({ secret: seed, epoch: step * STEP, period: STEP });
