import { createHash } from 'node:crypto';
import { sameText } from '../sameText.ts';

/** The digest under which a client secret is stored. Secrets are long and random, so that a fast hash is enough. */
export const digestSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** Whether a secret is one of those whose digests are listed, compared without telling by time which. */
export function secretMatches(secret: string, digests: readonly string[]): boolean {
  const digest = digestSecret(secret);
  return digests.map((known) => sameText(known, digest)).includes(true);
}
