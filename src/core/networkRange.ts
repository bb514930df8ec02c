import { isIP } from 'node:net';

/** Whether a text is an address or a CIDR range. */
export function isRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  return version !== 0 && more === undefined && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most));
}
