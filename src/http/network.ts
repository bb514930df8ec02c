import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { PageContext } from './context.ts';

/** Where a request came from, as far as it can be believed. */
export interface Network {
  /** An IPv4 address, or the /64 of an IPv6 address: what one customer of a provider has. */
  readonly key: string;
  /** Many members share it, by the operator's word. */
  readonly shared: boolean;
}

export type NetworkOf = (ctx: PageContext) => Network;

/** Whether a request comes straight from a proxy that may speak for its clients. */
export function proxyFinder(trustedProxies: readonly string[]): (ctx: { readonly req: IncomingMessage }) => boolean {
  const trusted = rangeList(trustedProxies);
  return ({ req }) => contains(trusted, plainAddress(req.socket.remoteAddress ?? ''));
}

/**
 * Finds the sender's network. `X-Forwarded-For` is read from the right, and only as far as `trustedProxies` wrote it
 * (OWASP ASVS 5.0 4.1.3). Both lists hold addresses and CIDR ranges.
 */
export function networkFinder(trustedProxies: readonly string[], sharedNetworks: readonly string[]): NetworkOf {
  const [trusted, shared] = [rangeList(trustedProxies), rangeList(sharedNetworks)];
  return (ctx) => {
    const forwarded = ctx
      .get('X-Forwarded-For')
      .split(',')
      .map((part) => plainAddress(part.trim()));
    let sender = plainAddress(ctx.req.socket.remoteAddress ?? '');
    while (contains(trusted, sender)) {
      const before = forwarded.pop();
      if (before === undefined || isIP(before) === 0) break;
      sender = before;
    }
    return { key: networkKey(sender), shared: contains(shared, sender) };
  };
}

function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  }
  return list;
}

const contains = (list: BlockList, address: string): boolean =>
  isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** Where a network is, and not whose: the /24 of an IPv4 address, the /48 of an IPv6 one. */
export function coarse({ key }: Network): string | undefined {
  if (key === '') return undefined;
  if (!key.includes(':')) return key.replace(/[^.]+$/, '0/24');
  return `${key.split(':').slice(0, 3).join(':')}::/48`;
}

/** `::ffff:192.0.2.1` is 192.0.2.1, and a zone (`%eth0`) says nothing to others. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
}

function networkKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length);
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
