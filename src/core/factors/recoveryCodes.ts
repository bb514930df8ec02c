/** How many an account has; each has a slot, so that one hash is compared and not ten. */
export const SLOTS = 10;

/** Without 0, O, 1, I and L, which look alike. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const LENGTH = 16;

export interface RecoveryCode {
  /** From 1. */
  readonly slot: number;
  /** 79 random bits in groups of four. */
  readonly code: string;
}

/** `randomIndex(n)` gives an unforeseeable whole number below n. */
export function newRecoveryCode(slot: number, randomIndex: (below: number) => number): RecoveryCode {
  const letters = Array.from({ length: LENGTH }, () => ALPHABET[randomIndex(ALPHABET.length)]).join('');
  return { slot, code: String(letters.match(/.{4}/g)?.join('-')) };
}

/** How one is shown and typed: its slot, then the code. */
export const writtenCode = ({ slot, code }: RecoveryCode): string => `${slot}-${code}`;

/** What was typed, however it is grouped; undefined where it is none, which costs no attempt. */
export function readRecoveryCode(typed: string): RecoveryCode | undefined {
  const text = typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  const { 1: slot = '', 2: letters = '' } = /^(10|[1-9])([2-9A-HJKMNP-Z]{16})$/.exec(text) ?? [];
  return letters === '' ? undefined : { slot: Number(slot), code: String(letters.match(/.{4}/g)?.join('-')) };
}
