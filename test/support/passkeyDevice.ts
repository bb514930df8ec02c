import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { Answer, Visitor } from './visitor.ts';

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: Buffer | Uint8Array | string): string => Buffer.from(data).toString('base64url');
const unescaped = (html: string): string => html.replaceAll('&#34;', '"').replaceAll('&amp;', '&');

/** User present, user verified (WebAuthn Level 3, 6.1). */
const FLAGS = 0x01 | 0x04;
const WITH_CREDENTIAL = 0x40;

/** A device that keeps one passkey, and a browser that asks it what a page of ours asks for. Its finger is always right. */
export class PasskeyDevice {
  readonly #id = randomBytes(16);
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  #owner = '';

  /** What the page's script would send. */
  answer(page: Answer): { readonly passkey: string } {
    const [, ceremony, options = ''] = /data-(create|get)="([^"]*)"/.exec(page.body) ?? [];
    const { origin, hostname } = new URL(page.url);
    const { challenge, user } = JSON.parse(unescaped(options));
    const clientData = JSON.stringify({ type: `webauthn.${ceremony}`, challenge, origin, crossOrigin: false });
    if (ceremony === 'create') this.#owner = user.id;
    const response = ceremony === 'create' ? this.#made(hostname) : this.#signed(hostname, clientData);
    const id = base64url(this.#id);
    return {
      passkey: JSON.stringify({
        ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {}, authenticatorAttachment: 'platform' },
        response: { clientDataJSON: base64url(clientData), ...response },
      }),
    };
  }

  #authenticatorData(hostname: string, flags: number): Buffer {
    return Buffer.concat([sha256(hostname), Buffer.from([flags, 0, 0, 0, 0])]);
  }

  /** 6.5.4, with the public key in COSE (RFC 9053 7.1.1: ES256 on P-256). */
  #made(hostname: string) {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    const coordinates: [number, Buffer][] = [
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ];
    const key = new Map<number, number | Uint8Array>([[1, 2], [3, -7], [-1, 1], ...coordinates]);
    const authData = Buffer.concat([
      ...[this.#authenticatorData(hostname, FLAGS | WITH_CREDENTIAL), Buffer.alloc(16), Buffer.from([0, 16])],
      ...[this.#id, isoCBOR.encode(key)],
    ]);
    const attestation = new Map<string, string | Uint8Array | Map<string, string>>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', authData],
    ]);
    return { attestationObject: base64url(isoCBOR.encode(attestation)), transports: ['internal'] };
  }

  /** 6.3.3. */
  #signed(hostname: string, clientData: string) {
    const data = this.#authenticatorData(hostname, FLAGS);
    const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), this.#keys.privateKey);
    return { authenticatorData: base64url(data), signature: base64url(signature), userHandle: this.#owner };
  }
}

/** Sends the passkey form of the sign-in page, which is not its first one. */
export function signInWithPasskey(visitor: Visitor, page: Answer, device: PasskeyDevice, within: string) {
  const form = /<form[^>]* class="passkey"[\s\S]*?<\/form>/.exec(page.body)?.[0] ?? '';
  return visitor.submit({ ...page, body: form }, device.answer(page), within);
}
