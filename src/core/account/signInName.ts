/**
 * The one form in which sign-in names are compared: NFKC, then lower case, then NFKC again, because lower case can undo
 * the normal form. `Jose`, `JOSE` and full-width twins are one name (PRECIS UsernameCaseMapped, RFC 8265 3.3).
 */
export function canonicalSignInName(typed: string): string {
  return typed.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
}

/** The claim under which an account holds a sign-in name. Usernames and addresses share this one namespace. */
export const signInNameClaim = (typed: string): string => `name:${canonicalSignInName(typed)}`;

/** Longer than any name that can exist; what is longer is refused before it is looked up. */
export const SIGN_IN_NAME_MAX = 254;
