import { describe, expect, test } from '@jest/globals';
import { isKnownHash } from '../../src/adapters/passwordHasher.ts';

const SALT = 'A'.repeat(22);
const KEY = 'B'.repeat(43);

describe('a hash from another system', () => {
  test.each([
    `$2b$10$${'a'.repeat(53)}`,
    `$2y$12$${'a'.repeat(53)}`,
    `$pbkdf2-sha256$i=600000$${SALT}$${KEY}`,
    `$pbkdf2-sha512$i=210000,l=64$${SALT}$${KEY}=`,
    `$scrypt$ln=17,r=8,p=1$${SALT}$${KEY}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${KEY}`,
    `$argon2i$v=19$t=3,m=65536,p=4$${SALT}$${KEY}`,
  ])('%s is known', (hash) => expect(isKnownHash(hash)).toBe(true));

  test.each([
    '',
    'plain text',
    '{SSHA}c2FsdA==',
    '$2b$10$short',
    `$2b$31$${'a'.repeat(53)}`,
    `$pbkdf2-sha1$i=1000$${SALT}$${KEY}`,
    `$pbkdf2-sha256$i=0$${SALT}$${KEY}`,
    `$pbkdf2-sha256$i=600000$${SALT}$`,
    // A key of no length would fit every password, one of a byte each 256th.
    `$pbkdf2-sha256$i=600000$${SALT}$A`,
    `$pbkdf2-sha256$i=600000$${SALT}$AA`,
    `$scrypt$ln=17,r=8$${SALT}$${KEY}`,
    `$scrypt$ln=24,r=8,p=1$${SALT}$${KEY}`,
    `$scrypt$ln=10,r=8,p=999999999$${SALT}$${KEY}`,
    `$argon2id$v=19$m=99999999,t=2,p=1$${SALT}$${KEY}`,
    `$argon2id$m=19456,t=2,p=1$${SALT}$${KEY}`,
  ])('%s is not', (hash) => expect(isKnownHash(hash)).toBe(false));
});
