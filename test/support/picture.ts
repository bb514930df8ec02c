import { crc32, deflateSync } from 'node:zlib';

/** A PNG (W3C PNG 3, 5) in one colour; `more` are chunks of its own, by their names. */
export function png(width: number, height: number, more: Readonly<Record<string, Buffer>> = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3, Buffer.of(0x5b, 0x2a, 0x86))]);
  const pixels = Buffer.concat(Array.from({ length: height }, () => row));
  const chunks = { IHDR: header, ...more, IDAT: deflateSync(pixels), IEND: Buffer.alloc(0) };
  return Buffer.concat([
    Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    ...Object.entries(chunks).map(([name, data]) => chunk(name, data)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

export const dataUrl = (bytes: Buffer, type = 'image/png'): string => `data:${type};base64,${bytes.toString('base64')}`;
