import { randomInt } from 'node:crypto';
import type { Account } from '../../core/account/account.ts';
import type { PasswordHash, PasswordHasher } from '../../core/account/password.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { withFactors } from '../../core/factors/factors.ts';
import {
  newRecoveryCode,
  type RecoveryCode,
  readRecoveryCode,
  SLOTS,
  writtenCode,
} from '../../core/factors/recoveryCodes.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Seal } from '../../core/seal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { changedIn, type Post } from '../../http/post.ts';
import { factor } from './factor.ts';

export interface RecoveryCodeDependencies {
  readonly accounts: Collection<Account>;
  readonly hasher: PasswordHasher;
  readonly decoy: PasswordHash;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly post: Post;
}

/** Codes that the member has to write down, as the journey keeps them until then. */
export const sealFresh = (seal: Seal, journeyId: string, codes: readonly RecoveryCode[]): string =>
  seal.seal(JSON.stringify(codes.map(writtenCode)), `fresh-codes:${journeyId}`);

export const openFresh = (seal: Seal, journeyId: string, sealed: string): readonly string[] =>
  JSON.parse(seal.open(sealed, `fresh-codes:${journeyId}`));

/** A new code for each slot, with what is stored of it. */
export async function newRecoveryCodes(hasher: PasswordHasher) {
  const codes = Array.from({ length: SLOTS }, (_, i) => newRecoveryCode(i + 1, randomInt));
  const hashes: PasswordHash[] = [];
  for (const { code } of codes) hashes.push(await hasher.hash(code));
  return { codes, hashes };
}

/** One of ten codes on paper (NIST SP 800-63B-4 3.1.2, look-up secrets). Who uses one gets another for its slot. */
export const recoveryCodeFactor = ({ accounts, hasher, decoy, seal, clock, post }: RecoveryCodeDependencies) =>
  factor<RecoveryCode>({
    method: 'recovery-code',
    amr: ['otp'],
    view: 'mfa/recovery-code',
    show: async () => ({}),
    masked: () => '',
    compares: () => true,

    parse(form) {
      const code = readRecoveryCode(form.get('recovery-code') ?? '');
      return code === undefined ? refused('recovery-code-malformed') : proven(code);
    },

    async prove({ slot, code }, { account, journey, session, agent }) {
      const hash = account.value.factors?.recoveryCodes?.[slot - 1];
      if ((await hasher.verify(hash ?? decoy, code)) === 'wrong' || hash === undefined)
        return refused('recovery-code-wrong');
      const next = newRecoveryCode(slot, randomInt);
      const nextHash = await hasher.hash(next.code);
      let spent = false;
      // Of two that come at once with one code the second finds another in its slot.
      const changed = await change(accounts, account.id, (now) => {
        const { recoveryCodes = [] } = now.factors ?? {};
        spent = recoveryCodes[slot - 1]?.phc === hash.phc;
        const replaced = recoveryCodes.map((one, i) => (i === slot - 1 ? nextHash : one));
        return spent ? withFactors(now, { recoveryCodes: replaced, lastUsed: 'recovery-code' }) : undefined;
      });
      if (!spent || changed === undefined) return refused('code-used');
      const where = changedIn({ account, session, agent });
      await post.tellOfChange({ ...where, before: account.value, after: changed }, 'recovery-code-used', { slot });
      return proven({
        shown: true,
        facts: { fresh: { at: seconds(clock), sealed: sealFresh(seal, journey.id, [next]) } },
      });
    },

    fieldOf: () => 'recovery-code',
  });
