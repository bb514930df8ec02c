import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';

/** A certificate with the key that it speaks for. */
export interface Certified {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** The subject, in DER. */
  readonly name: Buffer;
}

interface Wish {
  readonly commonName: string;
  readonly organization?: string;
  readonly dnsName?: string;
  /** Who signs; the certificate signs itself where it is left out. */
  readonly issuer?: Certified;
  /** May sign others. */
  readonly authority?: boolean;
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

/** Makes an X.509 certificate (RFC 5280) on a fresh P-256 key, since Node only reads them. */
export function makeCertificate(wish: Wish): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = nameOf(wish);
  const { validFrom = new Date('2020-01-01'), validTo = new Date('2049-01-01') } = wish;
  const extensions = [
    ...(wish.authority ? [extension('551d13', sequence(der(0x01, Buffer.of(0xff))))] : []),
    ...(wish.dnsName ? [extension('551d11', sequence(der(0x82, Buffer.from(wish.dnsName))))] : []),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(0x4d), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    wish.issuer?.name ?? name,
    sequence(utcTime(validFrom), utcTime(validTo)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = sign('sha256', body, wish.issuer?.privateKey ?? privateKey);
  const whole = sequence(body, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), signature));
  return { certificate: new X509Certificate(whole), privateKey, name };
}

/** The key of a certificate as it is registered for `self_signed_tls_client_auth` (RFC 8705 2.2.2). */
export const certificateJwk = ({ certificate, privateKey }: Certified, kid: string) => ({
  ...createPublicKey(privateKey).export({ format: 'jwk' }),
  kid,
  x5c: [certificate.raw.toString('base64')],
});

/** One value of ASN.1 in DER: a tag, a length, the content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), bytes]);
}

const sequence = (...content: readonly Buffer[]): Buffer => der(0x30, ...content);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));

const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`));

/** A name as a sequence of its parts; the common name is 2.5.4.3, the organization 2.5.4.10. */
function nameOf({ commonName, organization }: Wish): Buffer {
  const part = (id: string, text: string) => der(0x31, sequence(oid(id), der(0x0c, Buffer.from(text))));
  return sequence(...(organization ? [part('55040a', organization)] : []), part('550403', commonName));
}
