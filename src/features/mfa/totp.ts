import { renderSVG } from 'uqr';
import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { readCode } from '../../core/codes/codes.ts';
import { withFactors } from '../../core/factors/factors.ts';
import { judgeTotp, newSeed, otpauthUri, seedPurpose, type TotpVerdict } from '../../core/factors/totp.ts';
import { proven, type Refusal, refused } from '../../core/refusal.ts';
import type { Seal } from '../../core/seal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { enrollable, type FactorContext } from './factor.ts';

export interface TotpDependencies {
  readonly accounts: Collection<Account>;
  readonly seal: Seal;
  readonly clock: Clock;
  /** The plan's name, as the app lists it. */
  readonly plan: string;
}

const REFUSALS: Readonly<Record<Exclude<TotpVerdict['is'], 'right'>, Refusal>> = {
  wrong: 'app-code-wrong',
  used: 'app-code-used',
  'clock-wrong': 'clock-wrong',
};

const ofJourney = (id: string): string => `totp-setup:${id}`;

/** Codes of an authenticator app (RFC 6238). */
export const totpFactor = ({ accounts, seal, clock, plan }: TotpDependencies) => {
  const seedOf = ({ journey }: FactorContext): string =>
    seal.open(journey.facts.enrolment?.sealed ?? '', ofJourney(journey.id));

  return enrollable<string>({
    method: 'totp',
    amr: ['otp'],
    view: 'mfa/totp',
    show: async () => ({}),
    masked: () => '',
    compares: () => true,

    parse(form) {
      const code = readCode(form.get('code') ?? '');
      return code === undefined ? refused('code-malformed') : proven(code);
    },

    async prove(code, { account: { id } }) {
      let verdict: TotpVerdict = { is: 'wrong' };
      // Of two that come at once with one code the second finds it used.
      await change(accounts, id, (now) => {
        const { totp } = now.factors ?? {};
        if (totp === undefined) return undefined;
        verdict = judgeTotp(seal.open(totp.sealed, seedPurpose(id)), code, seconds(clock), totp);
        if (verdict.is !== 'right') return undefined;
        const used = { ...totp, lastStep: verdict.step, drift: verdict.drift };
        return withFactors(now, { totp: used, lastUsed: 'totp' });
      });
      const { is } = verdict as TotpVerdict;
      return is === 'right' ? proven({ shown: true }) : refused(REFUSALS[is]);
    },

    setupView: 'mfa/totp-setup',
    begin: ({ journey }) => ({ sealed: seal.seal(newSeed(), ofJourney(journey.id)) }),

    async showSetup(context) {
      const seed = seedOf(context);
      const uri = otpauthUri(seed, plan, context.account.value.username);
      return {
        uri,
        seed: seed.match(/.{1,4}/g)?.join(' '),
        picture: renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 1 }),
      };
    },

    async setUp(code, context) {
      const seed = seedOf(context);
      const verdict = judgeTotp(seed, code, seconds(clock), { lastStep: 0, drift: 0 });
      if (verdict.is !== 'right') return refused(REFUSALS[verdict.is]);
      const sealed = seal.seal(seed, seedPurpose(context.account.id));
      const { step: lastStep, drift } = verdict;
      const totp = { sealed, lastStep, drift, addedAt: seconds(clock) };
      return proven({ adds: () => ({ totp }) });
    },

    fieldOf: () => 'code',
  });
};
