import type { Person } from './membership.ts';

/** Letters that carry no accent but are written without theirs on many cards. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

const SUFFIXES: ReadonlySet<string> = new Set(['jr', 'sr', 'ii', 'iii', 'iv']);

/**
 * Whether two descriptions are of one person. These differences do not count: case, accents, hyphens, apostrophes,
 * spaces, full-width forms, a suffix such as Jr or III, and what stands behind the first five digits of a ZIP. All four
 * details are compared whatever the first ones say.
 */
export const samePerson = (a: Person, b: Person): boolean => canonicalPerson(a) === canonicalPerson(b);

/** The one form in which people are compared. */
export const canonicalPerson = ({ firstName, lastName, birthDate, postalCode }: Person): string =>
  [canonicalName(firstName), canonicalName(lastName), birthDate, canonicalPostalCode(postalCode)].join(' ');

/** The one form in which member numbers are compared: `MHP-100-2001`, `mhp 100 2001` and full-width twins are one. */
export function canonicalMemberNumber(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** A name as it is compared: its letters and digits alone. A suffix stays where nothing else would be left. */
export function canonicalName(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßæœøłđðþı]/g, (letter) => PLAIN[letter] ?? letter)
    .split(/[\s,]+/)
    .map((word) => word.replace(/[^\p{L}\p{N}]/gu, ''))
    .filter(Boolean);
  while (words.length > 1 && SUFFIXES.has(words.at(-1) ?? '')) words.pop();
  return words.join('');
}

/** The first five digits of a ZIP or ZIP+4. */
const canonicalPostalCode = (text: string): string => text.normalize('NFKC').replace(/\D/g, '').slice(0, 5);
