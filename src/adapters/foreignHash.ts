import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** Beyond these an imported hash could be made to eat the machine. */
const MOST = { bcryptLog2: 16, pbkdf2Rounds: 5_000_000, scryptWork: 2 ** 30 };

/** Bytes. */
const LEAST_KEY = 16;

const BCRYPT = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const PHC = /^\$(pbkdf2-sha256|pbkdf2-sha512|scrypt)\$([a-z0-9=,]+)\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)$/;

/** Whether a password is the one that was hashed. */
type Comparison = (password: string) => Promise<boolean>;
type Derivation = (password: string, salt: Buffer, length: number) => Promise<Buffer>;

/**
 * How a password is compared with a hash that another system made: bcrypt (`$2b$…`), or in PHC form `$pbkdf2-sha256$i=…`
 * and `$pbkdf2-sha512$i=…`, `$scrypt$ln=…,r=…,p=…`. Undefined when the form is none of these, or the work too much.
 */
export function foreignComparison(hash: string): Comparison | undefined {
  const cost = BCRYPT.exec(hash)?.[1];
  if (cost !== undefined) {
    return Number(cost) <= MOST.bcryptLog2 ? (password) => verifyBcrypt(password, hash) : undefined;
  }
  const [, scheme = '', settings = '', salt64 = '', key64 = ''] = PHC.exec(hash) ?? [];
  const derive = derivation(scheme, settings);
  if (derive === undefined) return undefined;
  const [salt, key] = [Buffer.from(salt64, 'base64'), Buffer.from(key64, 'base64')];
  // A key of no length would fit every password.
  if (salt.length === 0 || key.length < LEAST_KEY) return undefined;
  return async (password) => timingSafeEqual(await derive(password, salt, key.length), key);
}

function derivation(scheme: string, settings: string): Derivation | undefined {
  const number = (name: string) => Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(settings)?.[1] ?? 0);
  if (scheme.startsWith('pbkdf2-')) {
    const rounds = number('i');
    if (rounds < 1 || rounds > MOST.pbkdf2Rounds) return undefined;
    return (password, salt, length) => derivePbkdf2(password, salt, rounds, length, scheme.slice(7));
  }
  if (scheme === 'scrypt') {
    const [log2, r, p] = [number('ln'), number('r'), number('p')];
    const work = 128 * 2 ** log2 * r * p;
    if (log2 < 1 || work < 1 || work > MOST.scryptWork) return undefined;
    const cost = { N: 2 ** log2, r, p, maxmem: 2 * MOST.scryptWork };
    return (password, salt, length) => deriveScrypt(password, salt, length, cost);
  }
  return undefined;
}
