import { createHmac } from 'node:crypto';
import type { Account } from '../core/account/account.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { marksOf } from '../core/factors/factors.ts';
import { sameText } from '../core/sameText.ts';
import type { Stored } from '../core/storage/collection.ts';
import type { PageContext } from './context.ts';

/** Browsers whose members do not want to be asked for a second step there for some days. */
export interface RememberedBrowsers {
  has(ctx: PageContext, account: Stored<Account>): boolean;
  remember(ctx: PageContext, account: Stored<Account>): void;
}

export interface RememberedBrowsersDependencies {
  /** The current one first. */
  readonly keys: readonly string[];
  readonly https: boolean;
  /** For how long; 0 for never. */
  readonly days: number;
  readonly clock: Clock;
}

/** A browser that a family shares remembers several of them; the oldest makes room. */
const MOST_OWNERS = 5;
const DAY = 24 * 60 * 60;

/**
 * A cookie with an entry for each account: until when, in ten digits, and a signature of that, the account, its epoch and
 * its second steps. It names nobody, none can be made or prolonged without the key, and it ends with a new password and
 * with each second step that is added or removed: whoever had a hand in one of them is asked again.
 */
export function rememberedBrowsers({ keys, https, days, clock }: RememberedBrowsersDependencies): RememberedBrowsers {
  const name = https ? '__Host-remembered' : 'remembered';
  const entry = (key: string, until: string, { id, value }: Stored<Account>): string => {
    const what = `remembered:${until}:${id}:${value.deviceEpoch}:${marksOf(value)}`;
    return until + createHmac('sha256', key).update(what).digest('base64url').slice(0, 22);
  };
  /** What has not ended. What would hold for longer than the setting says now is none. */
  const read = (ctx: PageContext): string[] => {
    const entries = (ctx.cookies.get(name, { signed: false }) ?? '').split('.');
    const now = seconds(clock);
    const holds = (given: string) =>
      /^\d{10}[\w-]{22}$/.test(given) &&
      Number(given.slice(0, 10)) > now &&
      Number(given.slice(0, 10)) <= now + days * DAY;
    return entries.length <= MOST_OWNERS ? entries.filter(holds) : [];
  };
  const isOf = (given: string, account: Stored<Account>): boolean =>
    keys.some((key) => sameText(given, entry(key, given.slice(0, 10), account)));

  return {
    has: (ctx, account) => read(ctx).some((given) => isOf(given, account)),
    remember(ctx, account) {
      if (days === 0) return;
      const others = read(ctx).filter((given) => !isOf(given, account));
      const own = entry(keys[0] ?? '', String(seconds(clock) + days * DAY), account);
      ctx.cookies.set(name, [own, ...others].slice(0, MOST_OWNERS).join('.'), {
        ...{
          httpOnly: true,
          sameSite: 'lax',
          secure: https,
          signed: false,
          overwrite: true,
          maxAge: days * DAY * 1_000,
        },
      });
    },
  };
}
