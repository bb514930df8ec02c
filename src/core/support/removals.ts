import type { Account } from '../account/account.ts';
import { type AftermathDependencies, expectAftermath } from '../account/aftermath.ts';
import { seconds } from '../clock.ts';
import { hasSecondStep, marksOf } from '../factors/factors.ts';
import { type Outcome, proven, refused } from '../refusal.ts';
import { type Collection, change, type Stored } from '../storage/collection.ts';
import type { Expiring } from '../storage/expiring.ts';

/** An agent asks to take all second steps away from an account; another one has to say yes. */
export interface Removal {
  readonly accountId: string;
  /** The id of the agent's account. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: string;
  /** The account's `deviceEpoch` and second steps then: what was asked for is about these. */
  readonly epoch: number;
  readonly marks: string;
}

interface Removed {
  readonly before: Account;
  readonly after: Account;
  readonly settled: () => Promise<void>;
}

const DAY_MS = 86_400_000;
/** One list for each day (UTC), so that none grows for ever. */
const listOf = (at: number): string => `removals:${Math.floor(at / DAY_MS)}`;

export interface RemovalDependencies extends AftermathDependencies {
  readonly expiring: Expiring;
  readonly accounts: Collection<Account>;
  /** 192 random bits, Base64url. */
  readonly newSecret: () => string;
}

/** Removals that wait for a second person, for a day at most. */
export function removals({ expiring, accounts, schedule, clock, newSecret }: RemovalDependencies) {
  const key = (id: string) => `removal:${id}`;
  const find = async (id: string): Promise<(Removal & { readonly id: string }) | undefined> => {
    const entry = /^[\w-]{32}$/.test(id) ? await expiring.get(key(id)) : undefined;
    return entry === undefined || entry.spentAt !== undefined ? undefined : { ...(entry.value as Removal), id };
  };
  const list = async () => {
    const lists = await Promise.all([0, DAY_MS].map((before) => expiring.members(listOf(clock.now() - before))));
    const found = await Promise.all(lists.flat().map(find));
    return found.filter((one) => one !== undefined).toSorted((a, b) => a.at - b.at);
  };

  return {
    find,
    /** All that wait, the oldest first. */
    list,

    async ask({ id, value }: Stored<Account>, by: string, reason: string): Promise<Outcome<null>> {
      if (!hasSecondStep(value)) return refused('nothing-to-remove');
      if ((await list()).some(({ accountId }) => accountId === id)) return refused('removal-asked');
      const [request, deadline] = [newSecret(), clock.now() + DAY_MS];
      const asked: Removal = {
        ...{ accountId: id, by, at: clock.now(), reason, epoch: value.deviceEpoch, marks: marksOf(value) },
      };
      await expiring.put(key(request), asked, deadline);
      await expiring.join(listOf(clock.now()), request, deadline);
      return proven(null);
    },

    /** Settles it for good, by whoever is first. */
    decline: (id: string): Promise<boolean> => expiring.spend(key(id), clock.now()),

    /**
     * Takes them away, and the account's sessions, known devices and remembered browsers count no more. Whatever `by` may do,
     * it is not who has asked. Answers with the account before and after, and how to say that its sessions are ended and its owner told.
     */
    async approve(id: string, by: string): Promise<Outcome<Removed>> {
      const asked = await find(id);
      if (asked === undefined) return refused('removal-gone');
      if (asked.by === by) return refused('own-request');
      // Of two who approve at once one does, and a form that is sent again does nothing.
      if (!(await expiring.spend(key(id), clock.now()))) return refused('removal-gone');
      const { accountId, epoch } = asked;
      const settled = await expectAftermath({ schedule, clock }, { accountId, epoch, what: 'support-steps-removed' });
      let before: Account | undefined;
      const after = await change(accounts, accountId, (now) => {
        before = now;
        const isSame = now.deviceEpoch === epoch && marksOf(now) === asked.marks;
        const { factors: _, ...rest } = now;
        return isSame ? { ...rest, deviceEpoch: now.deviceEpoch + 1, updatedAt: seconds(clock) } : undefined;
      });
      if (after === undefined || before === undefined || after.deviceEpoch === before.deviceEpoch)
        return refused('removal-gone');
      return proven({ before, after, settled });
    },
  };
}

export type Removals = ReturnType<typeof removals>;
