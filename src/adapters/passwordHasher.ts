import { createHash, createHmac } from 'node:crypto';
import type { PasswordHash, PasswordHasher } from '../core/account/password.ts';
import { type Argon2, isCurrentArgon2, isReadableArgon2 } from './argon2.ts';
import { foreignComparison } from './foreignHash.ts';

/**
 * Argon2id over the password keyed with a pepper that no database holds (NIST SP 800-63B-4 3.1.1.2: a keyed hash with a
 * separately stored secret). `peppers`: the current one first; the others still verify what was made with them.
 */
export function passwordHasher(argon2: Argon2, peppers: readonly string[]): PasswordHasher {
  const byId = new Map(peppers.map((pepper) => [pepperId(pepper), pepper]));
  const [current] = byId.keys();
  if (current === undefined) throw new Error('there is no pepper to hash with');

  const keyed = (id: string, password: string): string => {
    if (id === '') return password;
    const pepper = byId.get(id);
    if (pepper === undefined)
      throw new Error(`PASSWORD_PEPPER lacks the pepper ${id} that a stored password was made with`);
    return createHmac('sha256', pepper).update(password).digest('base64');
  };

  const matches = async ({ phc, pepperId: id }: PasswordHash, password: string): Promise<boolean> => {
    const input = keyed(id, password);
    if (phc.startsWith('$argon2')) return argon2.verify(phc, input);
    const compare = foreignComparison(phc);
    if (compare === undefined) throw new Error(`a stored password has a form that is not known: ${phc.slice(0, 16)}`);
    return compare(input);
  };

  return {
    hash: async (password) => ({ phc: await argon2.hash(keyed(current, password)), pepperId: current }),
    async verify(stored, password) {
      if (!(await matches(stored, password))) return 'wrong';
      return stored.pepperId === current && isCurrentArgon2(stored.phc) ? 'right' : 'outdated';
    },
  };
}

/** Whether a hash from another system has a form that a password can be compared with. */
export const isKnownHash = (phc: string): boolean => isReadableArgon2(phc) || foreignComparison(phc) !== undefined;

/** Names a pepper without telling it. */
const pepperId = (pepper: string): string =>
  createHash('sha256').update(`pepper:${pepper}`).digest('base64url').slice(0, 8);
