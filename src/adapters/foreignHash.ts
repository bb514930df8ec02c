import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** Beyond these an imported hash could be made to eat the machine. */
const MOST = { pbkdf2Rounds: 5_000_000, scryptLog2: 20, scryptMemory: 2 ** 30 };

/**
 * Compares a password with a hash that another system made: bcrypt (`$2b$…`), or in PHC form `$pbkdf2-sha256$i=…` and
 * `$pbkdf2-sha512$i=…`, `$scrypt$ln=…,r=…,p=…`. Undefined when the form is none of these.
 */
export async function verifyForeign(hash: string, password: string): Promise<boolean | undefined> {
  if (/^\$2[abxy]\$\d\d\$/.test(hash)) return verifyBcrypt(password, hash);
  const [, scheme = '', settings = '', salt64 = '', key64 = ''] = hash.split('$');
  const salt = Buffer.from(salt64, 'base64');
  const key = Buffer.from(key64, 'base64');
  if (salt.length === 0 || key.length === 0) return undefined;
  const derived = await derive(scheme, settings, password, salt, key.length);
  return derived && timingSafeEqual(derived, key);
}

async function derive(scheme: string, settings: string, password: string, salt: Buffer, length: number) {
  const number = (name: string) => Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(settings)?.[1]);
  if (scheme === 'pbkdf2-sha256' || scheme === 'pbkdf2-sha512') {
    const rounds = number('i');
    return rounds <= MOST.pbkdf2Rounds ? derivePbkdf2(password, salt, rounds, length, scheme.slice(7)) : undefined;
  }
  if (scheme === 'scrypt') {
    const [log2, r, p] = [number('ln'), number('r'), number('p')];
    if (!(log2 <= MOST.scryptLog2)) return undefined;
    return deriveScrypt(password, salt, length, { N: 2 ** log2, r, p, maxmem: MOST.scryptMemory });
  }
  return undefined;
}
