import { createHmac, hkdfSync } from 'node:crypto';
import { sameText } from '../sameText.ts';

/** What only we can have written, whoever writes the database. */
export interface Macs {
  sign(text: string): string;
  /** `unknown-key`: it says that a key made it which we do not have (any longer). */
  check(text: string, mac: string): 'right' | 'wrong' | 'unknown-key';
}

/**
 * HMAC-SHA-256 with keys that are derived from secrets (RFC 5869), the current one first; the others made what is older.
 * Each says by a digest of it which key it was.
 */
export function makeMacs(secrets: readonly string[]): Macs {
  const keys = secrets.map((secret) => {
    const key = Buffer.from(hkdfSync('sha256', secret, '', 'audit', 32));
    return { key, id: hmac(key, 'which key').slice(0, 8) };
  });
  const [current] = keys;
  if (current === undefined) throw new Error('there is no key to sign with');
  return {
    sign: (text) => `${current.id}.${hmac(current.key, text)}`,
    check(text, mac) {
      const made = keys.find(({ id }) => id === keyOf(mac));
      if (made === undefined) return 'unknown-key';
      return sameText(mac, `${made.id}.${hmac(made.key, text)}`) ? 'right' : 'wrong';
    },
  };
}

/** The digest of the key that a mac names. */
export const keyOf = (mac: string): string => mac.slice(0, 8);

const hmac = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('base64url');
