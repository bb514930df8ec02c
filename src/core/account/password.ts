import type { Collection, Stored } from '../storage/collection.ts';
import type { Account } from './account.ts';

/** A password as it is stored: its hash in PHC form, which names its own parameters, and the pepper it was made with. */
export interface PasswordHash {
  readonly phc: string;
  /** Which pepper; empty for a hash that was made elsewhere, without one. */
  readonly pepperId: string;
}

/** Hashes and compares passwords. */
export interface PasswordHasher {
  hash(password: string): Promise<PasswordHash>;
  /** `outdated`: right, but made with other parameters, another pepper or another algorithm than `hash` uses today. */
  verify(stored: PasswordHash, password: string): Promise<'wrong' | 'right' | 'outdated'>;
}

/** NFC, so that the same keys on another keyboard give the same password (NIST SP 800-63B-4 3.1.1.2). */
export const normalizePassword = (typed: string): string => typed.normalize('NFC');

export interface PasswordProof {
  readonly accounts: Collection<Account>;
  readonly hasher: PasswordHasher;
  /** The hash of a password that nobody has. */
  readonly decoy: PasswordHash;
}

/**
 * Compares a typed password with the account's. Without an account it does the same work on a decoy, so that a name
 * that exists takes no longer than one that does not. A right password whose hash is outdated is hashed anew; where
 * another request has changed the account meanwhile, that one's word stands.
 */
export async function provePassword(
  { accounts, hasher, decoy }: PasswordProof,
  account: Stored<Account> | undefined,
  typed: string,
): Promise<boolean> {
  const password = normalizePassword(typed);
  const verdict = await hasher.verify(account?.value.password ?? decoy, password);
  if (account === undefined || verdict === 'wrong') return false;
  if (verdict === 'outdated') {
    const renewed = { ...account.value, password: await hasher.hash(password) };
    await accounts.replace(account.id, account.version, renewed);
  }
  return true;
}
