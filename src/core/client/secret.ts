import { createHash } from 'node:crypto';
import { sameText } from '../sameText.ts';

/** A secret as it is stored: nobody can read it back. Several hold at once, so that an app can change over. */
export interface ClientSecret {
  readonly digest: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970; without it the secret holds until it is taken away. */
  readonly expiresAt?: number | undefined;
}

/** The digest under which a client secret is stored. Secrets are long and random, so that a fast hash is enough. */
export const digestSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** The secrets with a new one. The old ones hold for `overlap` seconds more at the most, those that hold no longer go. */
export function withNewSecret(
  secrets: readonly ClientSecret[],
  secret: string,
  overlap: number,
  now: number,
): readonly ClientSecret[] {
  const old = secrets
    .map((known) => ({ ...known, expiresAt: Math.min(known.expiresAt ?? Number.POSITIVE_INFINITY, now + overlap) }))
    .filter(({ expiresAt }) => expiresAt > now);
  return [{ digest: digestSecret(secret), createdAt: now }, ...old];
}

/** Whether a secret is one of these and holds now, compared without telling by time which. */
export function secretMatches(secret: string, secrets: readonly ClientSecret[], nowSeconds: number): boolean {
  const digest = digestSecret(secret);
  return secrets
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > nowSeconds)
    .map((known) => sameText(known.digest, digest))
    .includes(true);
}
