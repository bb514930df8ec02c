import argon2 from 'argon2';
import type { PasswordHasher } from '../core/account/password.ts';

/** Argon2id at OWASP's floor: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet; RFC 9106). */
const PARAMETERS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const argon2Hasher: PasswordHasher = {
  hash: (password) => argon2.hash(password, PARAMETERS),
  verify: (hash, password) => argon2.verify(hash, password),
};
