import { createHmac } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** An authenticator app, written from RFC 6238 and RFC 4226 alone. */
export class AuthenticatorApp {
  readonly #key: Buffer;
  /** By how many seconds its clock is ahead. */
  ahead = 0;

  /** `seed`: Base32, in groups or not. */
  constructor(seed: string) {
    const bits = [...seed.replaceAll(/\s/g, '')]
      .map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'))
      .join('');
    this.#key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }

  /** What it shows at a time in milliseconds since 1970. */
  code(now: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor((now / 1_000 + this.ahead) / 30)));
    const mac = createHmac('sha1', this.#key).update(counter).digest();
    const offset = (mac.at(-1) ?? 0) & 15;
    return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  }
}
