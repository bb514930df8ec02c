/** Encrypts what must not be readable in a stolen store; see src/adapters/seal.ts. */
export interface Seal {
  seal(plain: string, purpose: string): string;
  /** Throws when no key fits or the text was changed. */
  open(sealed: string, purpose: string): string;
  /** Which key opens it: the one that seals now, one before it, or none. */
  keyOf(sealed: string, purpose: string): 'current' | 'older' | 'none';
}
