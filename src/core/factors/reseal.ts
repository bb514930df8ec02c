import type { Account } from '../account/account.ts';
import type { Seal } from '../seal.ts';
import { type Collection, change, everyDocument } from '../storage/collection.ts';
import { withFactors } from './factors.ts';
import { seedPurpose } from './totp.ts';

export interface Resealing {
  readonly accounts: Collection<Account>;
  readonly seal: Seal;
  /** Only to count. */
  readonly dryRun: boolean;
  /** Hears of an account whose seed no key opens: its app's codes are refused, now as later. */
  readonly onUnreadable: (accountId: string) => void;
}

/**
 * Seals the seeds of all authenticator apps with the current key that are sealed with an older one. Answers with how many
 * there were. Each account is settled by compare-and-swap, so that a code that is used at the same time stays used; what
 * was begun and not ended is done by doing it again.
 */
export async function resealSeeds({ accounts, seal, dryRun, onUnreadable }: Resealing): Promise<number> {
  let older = 0;
  for await (const { id, value } of everyDocument(accounts)) {
    const key = keyOfSeed(seal, id, value);
    if (key === 'none') onUnreadable(id);
    if (key !== 'older') continue;
    if (!dryRun) await change(accounts, id, (now) => withSeedResealed(seal, id, now));
    older += 1;
  }
  return older;
}

const keyOfSeed = (seal: Seal, id: string, { factors }: Account) =>
  factors?.totp === undefined ? undefined : seal.keyOf(factors.totp.sealed, seedPurpose(id));

function withSeedResealed(seal: Seal, id: string, account: Account): Account | undefined {
  const { totp } = account.factors ?? {};
  if (totp === undefined || keyOfSeed(seal, id, account) !== 'older') return undefined;
  const sealed = seal.seal(seal.open(totp.sealed, seedPurpose(id)), seedPurpose(id));
  return withFactors(account, { totp: { ...totp, sealed } });
}
