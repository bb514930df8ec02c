/** Letters and digits that nobody mishears on the phone (Crockford's base 32). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Twelve bytes, of each its lower 5 bits, to be read aloud: 60 bits such as `7K2M-QX4T-9WBD`. */
export function readableCode(bytes: Uint8Array): string {
  let code = '';
  for (let i = 0; i < 12; i += 1) code += (i === 4 || i === 8 ? '-' : '') + ALPHABET.charAt((bytes[i] ?? 0) & 31);
  return code;
}
