import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Seal } from '../core/seal.ts';

const ALGORITHM = 'aes-256-gcm';

/**
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the purpose is authenticated too, so that a sealed value
 * cannot be moved to another place. `secrets`: the current one first; the others open what they once sealed. `setting` is
 * the name of the one that they come from.
 */
export function makeSeal(secrets: readonly string[], setting = 'KEY_ENCRYPTION_KEY'): Seal {
  const keys = secrets.map((secret) => createHash('sha256').update(`seal:${secret}`).digest());
  const current = keys[0];
  if (current === undefined) throw new Error('there is no key to seal with');
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(ALGORITHM, current, nonce).setAAD(Buffer.from(purpose));
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return ['v1', nonce, text, cipher.getAuthTag()]
        .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
        .join('.');
    },
    open(sealed, purpose) {
      for (const key of keys) {
        const plain = openWith(key, sealed, purpose);
        if (plain !== undefined) return plain;
      }
      throw new Error(`no key opens the sealed ${purpose}: ${setting} is not the one that it was made with`);
    },
    keyOf(sealed, purpose) {
      const fits = keys.findIndex((key) => openWith(key, sealed, purpose) !== undefined);
      return fits === 0 ? 'current' : fits > 0 ? 'older' : 'none';
    },
  };
}

/** Undefined where it was sealed with another key. */
function openWith(key: Buffer, sealed: string, purpose: string): string | undefined {
  const [, nonce = '', text = '', tag = ''] = sealed.split('.');
  try {
    const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(nonce, 'base64url'))
      .setAAD(Buffer.from(purpose))
      .setAuthTag(Buffer.from(tag, 'base64url'));
    return decipher.update(text, 'base64url', 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
