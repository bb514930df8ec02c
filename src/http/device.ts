import { createHmac, randomBytes } from 'node:crypto';
import { sameText } from '../core/sameText.ts';
import type { PageContext } from './context.ts';

/** Who signed in on this device before. Strangers who fail elsewhere cannot lock such a device out. */
export interface KnownDevices {
  /** The device's id when this account has signed in on it, else undefined. */
  idFor(ctx: PageContext, account: DeviceOwner | undefined): string | undefined;
  remember(ctx: PageContext, account: DeviceOwner): void;
}

export interface DeviceOwner {
  readonly id: string;
  /** Grows when the password is reset: devices of before are strangers then. */
  readonly deviceEpoch: number;
}

/** A browser that a family shares has several owners; the oldest makes room. */
const MOST_OWNERS = 5;
const HALF_A_YEAR_MS = 180 * 24 * 60 * 60 * 1000;

/**
 * A cookie with the device's id and, for each owner, a signature of id, account and epoch: it names nobody, and none can
 * be made without the key. `keys`: the current one first.
 */
export function knownDevices(keys: readonly string[], https: boolean): KnownDevices {
  const name = https ? '__Host-device' : 'device';
  const sign = (key: string, device: string, { id, deviceEpoch }: DeviceOwner): string =>
    createHmac('sha256', key).update(`device:${device}:${id}:${deviceEpoch}`).digest('base64url').slice(0, 22);
  const read = (ctx: PageContext): string[] => {
    const parts = (ctx.cookies.get(name, { signed: false }) ?? '').split('.');
    return parts.length <= MOST_OWNERS + 1 && parts.every((part) => /^[\w-]{22}$/.test(part)) ? parts : [];
  };
  const isOwner = (device: string, signatures: readonly string[], owner: DeviceOwner): boolean =>
    keys.some((key) => signatures.some((given) => sameText(given, sign(key, device, owner))));

  return {
    idFor(ctx, account) {
      const [device, ...signatures] = read(ctx);
      if (device === undefined || account === undefined) return undefined;
      return isOwner(device, signatures, account) ? device : undefined;
    },
    remember(ctx, account) {
      const [device = randomBytes(16).toString('base64url'), ...others] = read(ctx);
      const own = sign(keys[0] ?? '', device, account);
      const owners = [own, ...others.filter((given) => given !== own)].slice(0, MOST_OWNERS);
      ctx.cookies.set(name, [device, ...owners].join('.'), {
        ...{ httpOnly: true, sameSite: 'lax', secure: https, signed: false, overwrite: true, maxAge: HALF_A_YEAR_MS },
      });
    },
  };
}
