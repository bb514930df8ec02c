import type { Stored } from '../storage/collection.ts';
import type { Account } from './account.ts';

/** Hashes and compares passwords. The hash is a PHC string that carries its own parameters. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

/** NFC, so that the same keys on another keyboard give the same password (NIST SP 800-63B-4 3.1.1.2). */
export const normalizePassword = (typed: string): string => typed.normalize('NFC');

/**
 * Compares a typed password with the account's. Without an account it does the same work on a decoy, so that a name
 * that exists takes no longer than one that does not.
 */
export async function provePassword(
  hasher: PasswordHasher,
  account: Stored<Account> | undefined,
  typed: string,
  decoyHash: string,
): Promise<boolean> {
  const matches = await hasher.verify(account?.value.passwordHash ?? decoyHash, normalizePassword(typed));
  return matches && account !== undefined;
}
