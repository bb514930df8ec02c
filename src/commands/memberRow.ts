import { isKnownHash } from '../adapters/passwordHasher.ts';
import { MemberRow } from '../config/files.ts';
import type { NewMember } from '../core/account/enrolment.ts';
import { judgePassword, type PasswordRules } from '../core/account/newPassword.ts';
import { translator } from '../http/words.ts';
import { faultsOf } from './files.ts';

const words = translator('en');

export const TAKEN = 'the username, the email or the member number belongs to another account';

const UNKNOWN_HASH =
  'passwordHash: its form is not known, or takes too much work; bcrypt, PBKDF2, scrypt and Argon2 in PHC form are';

/**
 * A member as the operator brings them, or what is wrong with them. A password that the member keeps has to be a good one;
 * for one that opens nothing but the page on which a new one is chosen any will do.
 */
export function readMember(row: unknown, rules: PasswordRules): { member: NewMember } | { fault: string } {
  const parsed = MemberRow.safeParse(row);
  if (!parsed.success) return { fault: faultsOf(parsed.error) };
  const member = parsed.data;
  const { password, passwordHash, passwordMustChange } = member;
  if (passwordHash !== undefined && !isKnownHash(passwordHash)) return { fault: UNKNOWN_HASH };
  if (password === undefined || passwordMustChange) return { member };
  const { refusal } = judgePassword(rules, member, password);
  return refusal === undefined
    ? { member }
    : { fault: `password: ${words(`refusals.${refusal}`, { least: rules.least }).replace(/\.$/, '')}` };
}
