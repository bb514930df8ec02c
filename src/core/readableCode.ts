/** Letters and digits that nobody mishears on the phone (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Twelve bytes, of each its lower 5 bits, to be read aloud: 60 bits such as `7K2M-QX4T-9WBD`. */
export function readableCode(bytes: Uint8Array): string {
  const characters = Array.from(bytes, (byte) => ALPHABET[byte & 31]);
  return [0, 4, 8].map((from) => characters.slice(from, from + 4).join('')).join('-');
}
