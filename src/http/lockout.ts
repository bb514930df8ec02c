import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attempts } from '../core/lockout/attempts.ts';
import { giveBackAll, networkPool, type Pool, poolsOf, settle, takeAll } from '../core/lockout/pools.ts';
import { type Outcome, refused } from '../core/refusal.ts';
import type { PageContext } from './context.ts';
import type { DeviceOwner, KnownDevices } from './device.ts';
import type { NetworkOf } from './network.ts';
import type { RememberedName } from './rememberedName.ts';

/** Whose secret is guessed at. */
export interface Target {
  /** The name that was typed, in its canonical form. */
  readonly name: string;
  /** The account that it belongs to, if any. */
  readonly account: DeviceOwner | undefined;
  /** What this browser keeps after a success; undefined on a computer that others use too. */
  readonly keep: { readonly username: string | undefined } | undefined;
}

export interface LockoutDependencies {
  readonly attempts: Attempts;
  readonly networkOf: NetworkOf;
  readonly devices: KnownDevices;
  readonly usernames: RememberedName;
  /** Digests what stands in keys, so that the store lists no names and addresses. */
  readonly digestKey: string;
  /** No refusal is told sooner than this many milliseconds, so that time does not tell why. */
  readonly refusalFloor: number;
}

/**
 * Lets a secret be compared only for an attempt that was taken before, and settles the attempt by the outcome. The
 * network's pool comes first, so that made-up names write no keys; a comparison that never happened costs nothing.
 */
export function lockout(deps: LockoutDependencies) {
  const { attempts } = deps;
  const digest = (text: string) =>
    createHmac('sha256', deps.digestKey).update(`attempt:${text}`).digest('base64url').slice(0, 22);

  /** For a code that belongs to nobody yet: only the network is counted. Answers until when it has to wait, if so. */
  async function guardNetwork(ctx: PageContext, isRight: () => Promise<boolean>): Promise<number | undefined> {
    const network = deps.networkOf(ctx);
    const pools = [networkPool(digest(network.key), network.shared)];
    const taken = await takeAll(attempts, pools);
    if (!taken.ok) return taken.until;
    if (await isRight()) await giveBackAll(attempts, pools);
    return undefined;
  }

  async function guarded<Input, Proven>(
    ctx: PageContext,
    identify: () => Promise<Target & { input: Input }>,
    compare: (input: Input) => Promise<Outcome<Proven>>,
  ): Promise<Outcome<Proven>> {
    const started = performance.now();
    const network = deps.networkOf(ctx);
    const ofNetwork = [networkPool(digest(network.key), network.shared)];
    const allowed = await takeAll(attempts, ofNetwork);
    if (!allowed.ok) return refused('locked', allowed.until);

    const { name, account, keep, input } = await identify();
    const device = deps.devices.idFor(ctx, account);
    const pools: Pool[] = poolsOf({
      name: digest(`name:${name}`),
      subject: digest(account === undefined ? `name:${name}` : `account:${account.id}`),
      bucket: digest(device === undefined ? `network:${network.key}` : `device:${device}`),
      knownDevice: device !== undefined,
    });
    const taken = await takeAll(attempts, pools);
    if (!taken.ok) return refused('locked', taken.until);

    const all = [...ofNetwork, ...pools];
    let outcome: Outcome<Proven>;
    try {
      outcome = await compare(input);
    } catch (error) {
      await giveBackAll(attempts, all).catch(() => ctx.state.log.warn('attempts could not be given back'));
      throw error;
    }
    if (outcome.ok) await settle(attempts, all);
    else await delay(Math.max(0, started + deps.refusalFloor - performance.now()));
    if (outcome.ok && account !== undefined) {
      if (keep !== undefined) deps.devices.remember(ctx, account);
      deps.usernames.set(ctx, keep?.username);
    }
    return outcome;
  }

  return { guarded, guardNetwork };
}

export type Guarded = ReturnType<typeof lockout>['guarded'];
export type NetworkGuard = ReturnType<typeof lockout>['guardNetwork'];
