import { attemptsOwner } from '../core/account/account.ts';
import { canonicalSignInName } from '../core/account/signInName.ts';
import type { Attempts, PoolRule } from '../core/lockout/attempts.ts';
import { giveBackAll, LOCKOUT, networkPool, type Pool, poolsOf, settle, takeAll } from '../core/lockout/pools.ts';
import { type Outcome, type Refusal, refused } from '../core/refusal.ts';
import type { PageContext } from './context.ts';
import type { DeviceOwner, KnownDevices } from './device.ts';
import type { Network, NetworkOf } from './network.ts';
import { notBefore } from './notBefore.ts';
import type { RememberedName } from './rememberedName.ts';

type Owner = DeviceOwner & Parameters<typeof attemptsOwner>[1];

/** Whose password is guessed at. */
interface PasswordTarget {
  /** The name that was typed, in its canonical form. */
  readonly name: string;
  /** The account that it belongs to, if any. */
  readonly account: Owner | undefined;
  /** What this browser keeps after a success; undefined on a computer that others use too. */
  readonly keep: { readonly username: string | undefined } | undefined;
}

/** What else is guessed at: pools of its own, each counting for one subject. */
interface OtherTarget {
  readonly counted: readonly {
    readonly rule: keyof typeof LOCKOUT;
    readonly subject: string;
    readonly cleared?: boolean;
  }[];
  /** What is said when they are empty. */
  readonly lockedAs: Refusal;
}

export type Target = PasswordTarget | OtherTarget;

export interface LockoutDependencies {
  readonly attempts: Attempts;
  readonly networkOf: NetworkOf;
  readonly devices: KnownDevices;
  readonly usernames: RememberedName;
  /** Digests what stands in keys, so that the store lists no names and addresses. */
  readonly digest: (text: string) => string;
  /** No refusal is told sooner than this many milliseconds, so that time does not tell why. */
  readonly refusalFloor: number;
  /** Hears that sign-in with an account's name was refused for now; and of a success after this many failures. */
  readonly onLocked: (accountId: string, until: number) => void;
  readonly onLateSuccess: (accountId: string, failures: number) => void;
  /** Hears of a name that fails for the first time in a day from this network, on no device that the account knows. */
  readonly onFailed: (network: Network) => void;
}

/** As many failures before a success are worth a word to the owner. */
const MANY_FAILURES = 5;

/**
 * Lets a secret be compared only for an attempt that was taken before, and settles the attempt by the outcome. The
 * network's pool comes first, so that made-up names write no keys; a comparison that never happened costs nothing.
 */
export function lockout(deps: LockoutDependencies) {
  const { attempts, digest } = deps;
  const poolOfNetwork = ({ key, shared }: Network) => networkPool(digest(key), shared);

  /** For a code that belongs to nobody yet: only the network is counted. Answers until when it has to wait, if so. */
  async function guardNetwork(ctx: PageContext, isRight: () => Promise<boolean>): Promise<number | undefined> {
    const pools = [poolOfNetwork(deps.networkOf(ctx))];
    const taken = await takeAll(attempts, pools);
    if (!taken.ok) return taken.until;
    if (await isRight()) await giveBackAll(attempts, pools);
    return undefined;
  }

  /** Whether a form that is refused with nothing compared goes on record: who sends such without end would fill it. */
  async function isRecordable(ctx: PageContext): Promise<boolean> {
    const { key, shared } = deps.networkOf(ctx);
    return (await attempts.take(`tries:forms:${digest(key)}`, shared ? LOCKOUT.sharedForms : LOCKOUT.forms)).ok;
  }

  /** A name that the support desk has unlocked begins anew. */
  const nameDigest = (name: string, account: Parameters<typeof attemptsOwner>[1] = {}) =>
    digest(`name:${attemptsOwner(name, account)}`);

  /** The pools of a password, and the device that the account knows, if this is one. */
  function passwordPools(ctx: PageContext, network: Network, { name, account }: PasswordTarget): Pool[] {
    const device = deps.devices.idFor(ctx, account);
    return poolsOf({
      name: nameDigest(name, account),
      subject: digest(account === undefined ? `name:${name}` : `account:${attemptsOwner(account.id, account)}`),
      bucket: digest(device === undefined ? `network:${network.key}` : `device:${device}`),
      knownDevice: device !== undefined,
    });
  }

  const otherPools = ({ counted }: OtherTarget): Pool[] =>
    counted.map(({ rule, subject, cleared = true }): Pool => {
      const poolRule: PoolRule = LOCKOUT[rule];
      return { key: `tries:${rule}:${digest(subject)}`, rule: poolRule, cleared };
    });

  async function guarded<Input, Proven>(
    ctx: PageContext,
    identify: () => Promise<Target & { input: Input }>,
    compare: (input: Input) => Promise<Outcome<Proven>>,
    put: (outcome: Outcome<never> | Outcome<Proven>) => Promise<unknown>,
  ): Promise<Outcome<Proven>> {
    const no = async (...why: Parameters<typeof refused>) => {
      const refusal = refused(...why);
      await put(refusal);
      return refusal;
    };
    const started = performance.now();
    const network = deps.networkOf(ctx);
    const ofNetwork = [poolOfNetwork(network)];
    const allowed = await takeAll(attempts, ofNetwork);
    // Not put on record one by one: whoever floods us from one network would fill the record.
    if (!allowed.ok) return refused('locked', allowed.until);

    const giveBack = (pools: readonly Pool[]) =>
      giveBackAll(attempts, pools).catch(() => ctx.state.log.warn('attempts could not be given back'));
    const begun = async () => {
      const target = await identify();
      const pools = 'name' in target ? passwordPools(ctx, network, target) : otherPools(target);
      return { target, pools, taken: await takeAll(attempts, pools) };
    };
    const { target, pools, taken } = await begun().catch(async (error) => {
      await giveBack(ofNetwork);
      throw error;
    });
    const password = 'name' in target ? target : undefined;
    if (!taken.ok) {
      const refusal = await no('name' in target ? 'locked' : target.lockedAs, taken.until);
      await notBefore(started + deps.refusalFloor);
      if (password?.account !== undefined) deps.onLocked(password.account.id, taken.until);
      return refusal;
    }

    const all = [...ofNetwork, ...pools];
    let outcome: Outcome<Proven>;
    try {
      outcome = await compare(target.input);
      await put(outcome);
    } catch (error) {
      await giveBack(all);
      throw error;
    }
    if (outcome.ok && !outcome.missed) await settle(attempts, all);
    const isNewHere = taken.counts[0] === 1;
    if (!outcome.ok && isNewHere && password !== undefined && deps.devices.idFor(ctx, password.account) === undefined)
      deps.onFailed(network);
    // A step that goes on as if takes an even time as a whole.
    if (!outcome.ok) await notBefore(started + deps.refusalFloor);
    if (outcome.ok && password?.account !== undefined) {
      const { account, keep } = password;
      if (taken.taken > MANY_FAILURES) deps.onLateSuccess(account.id, taken.taken - 1);
      deps.usernames.set(ctx, keep?.username);
    }
    return outcome;
  }

  /** Opens what wrong passwords have locked for these names of one account: in this browser and network, and everywhere. */
  async function unlock(
    { network, device }: { readonly network: Network; readonly device: string | undefined },
    account: Omit<Owner, 'deviceEpoch'>,
    names: readonly string[],
  ): Promise<void> {
    const buckets = [`network:${network.key}`, ...(device === undefined ? [] : [`device:${device}`])];
    const pools = names.flatMap((name) =>
      buckets.flatMap((bucket) =>
        [false, true].flatMap((knownDevice) =>
          poolsOf({
            name: nameDigest(canonicalSignInName(name), account),
            subject: digest(`account:${attemptsOwner(account.id, account)}`),
            bucket: digest(bucket),
            knownDevice,
          }),
        ),
      ),
    );
    await settle(attempts, pools);
  }

  return { guarded, guardNetwork, isRecordable, unlock };
}

export type Guarded = ReturnType<typeof lockout>['guarded'];
export type IsRecordable = ReturnType<typeof lockout>['isRecordable'];
export type NetworkGuard = ReturnType<typeof lockout>['guardNetwork'];
export type Unlock = ReturnType<typeof lockout>['unlock'];
