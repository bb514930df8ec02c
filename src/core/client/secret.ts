import { createHash, timingSafeEqual } from 'node:crypto';

/** The digest under which a client secret is stored. Secrets are long and random, so that a fast hash is enough. */
export const digestSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** Whether a secret is one of those whose digests are listed, compared without telling by time which. */
export function secretMatches(secret: string, digests: readonly string[]): boolean {
  const digest = Buffer.from(digestSecret(secret));
  return digests
    .map((known) => {
      const buffer = Buffer.from(known);
      return buffer.length === digest.length && timingSafeEqual(buffer, digest);
    })
    .includes(true);
}
