import { SIGN_IN_NAME_MAX } from './signInName.ts';

/** An email address as a member types it; undefined where it is none. Whether it is theirs, a code shows. */
export function readEmail(typed: string): string | undefined {
  const email = typed.trim();
  const looksRight = /^[^\s@,;<>"]+@[^\s@,;<>"]+\.[^\s@,;<>".]+$/.test(email);
  return looksRight && email.length <= SIGN_IN_NAME_MAX ? email : undefined;
}
