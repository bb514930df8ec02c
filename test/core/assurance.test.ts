import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/core/account/account.ts';
import type { Factors } from '../../src/core/factors/factors.ts';
import { ACR, type MfaPolicy, neededLevel, signInRequirements } from '../../src/core/journey/assurance.ts';
import { resultOf } from '../../src/core/journey/authorizationRequest.ts';
import { type Facts, factsToChooseAnew, nextStep, type Requirement } from '../../src/core/journey/journey.ts';

const NOTHING = { byClient: false, acrValues: [], essential: [] };
const { aal1, aal2 } = ACR;

describe('the level that a request needs', () => {
  test.each([
    ['nothing is asked', 'when-enrolled', {}, 1],
    ['the policy says so', 'required', {}, 2],
    ['the app is registered so', 'when-enrolled', { byClient: true }, 2],
    ['acr_values prefer it', 'when-enrolled', { acrValues: [aal2, aal1] }, 2],
    ['acr_values prefer less', 'when-enrolled', { acrValues: [aal1, aal2] }, 1],
    ['acr_values name another first', 'when-enrolled', { acrValues: ['urn:other', aal2] }, 2],
    ['acr_values name none of ours', 'when-enrolled', { acrValues: ['urn:other', ''] }, 1],
    ['it is essential', 'when-enrolled', { essential: [aal2] }, 2],
    ['either is enough', 'when-enrolled', { essential: [aal2, aal1] }, 1],
    ['less is essential, but the policy stands', 'required', { essential: [aal1], acrValues: [aal1] }, 2],
    ['what is essential outweighs what is preferred', 'when-enrolled', { acrValues: [aal1], essential: [aal2] }, 2],
  ] as const)('when %s', (_, policy: MfaPolicy, wanted, level) => {
    expect(neededLevel(policy, { ...NOTHING, ...wanted })).toBe(level);
  });
});

const SECOND = { at: 2, accountId: 'a', epoch: 0, amr: ['otp'] };
/** What each step adds when it is answered well. */
const ANSWERS: Readonly<Partial<Record<Requirement, readonly Facts[]>>> = {
  account: [{ account: { at: 1 } }],
  password: [false, true].flatMap((mustChange) =>
    [false, true].map((mustAgree) => ({
      password: { accountId: 'a', at: 1, shared: false, epoch: 0, mustChange, mustAgree },
    })),
  ),
  passkey: [{ passkey: { ...SECOND, amr: ['pop', 'user'] } }],
  method: [{ method: { at: 1, name: 'text' } }],
  second: [{ second: SECOND }, { second: SECOND, fresh: { at: 2, sealed: 'x' } }],
  renewal: [{ renewal: { at: 2 } }],
  agreement: [{ agreement: { at: 2 } }],
  enrolment: [{ enrolment: { at: 2, name: 'totp' } }, { enrolment: { at: 2, name: 'text' } }],
  number: [{ number: { at: 2, to: '+1' } }],
  setup: [
    { setup: SECOND, fresh: { at: 2, sealed: 'x' } },
    { setup: SECOND, codes: { at: 2 } },
  ],
  codes: [{ codes: { at: 2 } }],
  consent: [{ consent: { decision: 'allowed', at: 3 } }],
};
const ALL = Object.keys(ANSWERS) as Requirement[];
const TOTP: Factors = { totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } };

/** Every end that answers lead to, in whatever order they are sent; the journey takes only what is due or may be chosen anew. */
function everyEnd(start: { factors: Factors | undefined; level: number; stepUp: boolean }): Facts[] {
  const ends: Facts[] = [];
  const seen = new Set<string>();
  const walk = (facts: Facts, factors: Factors | undefined): void => {
    const key = JSON.stringify([facts, factors]);
    if (seen.has(key)) return;
    seen.add(key);
    const known = facts.password !== undefined || facts.passkey !== undefined || start.stepUp;
    const account = known ? ({ factors } as Pick<Account, 'factors'>) : undefined;
    const { level, stepUp } = start;
    const due = nextStep(facts, signInRequirements({ level, stepUp, account, facts }));
    if (due === 'done') return void ends.push(facts);
    for (const step of ALL) {
      // A passkey is right for who has one.
      if (step === 'passkey' && !factors?.passkeys) continue;
      const before = step === due ? facts : factsToChooseAnew(facts, due, step);
      if (before === undefined) continue;
      for (const answer of ANSWERS[step] ?? [])
        walk({ ...before, ...answer }, answer.setup === undefined ? factors : { ...factors, ...TOTP });
    }
  };
  walk({}, start.factors);
  return ends;
}

describe('every way through a sign-in', () => {
  const session = { accountId: 'a', authTime: 1, amr: ['pwd'] };
  const cases = [undefined, TOTP, { passkeys: [] }, { phone: { to: '+1', addedAt: 1 } }].flatMap((factors) =>
    [1, 2].flatMap((level) => [false, true].map((stepUp) => ({ factors, level, stepUp }))),
  );
  test.each(cases)('ends with what %j needs', (start) => {
    const ends = everyEnd(start);
    expect(ends.length).toBeGreaterThan(0);
    const enrolled = start.factors?.totp !== undefined || start.factors?.phone !== undefined;
    for (const facts of ends) {
      const { second, setup, passkey, password } = facts;
      const { login } = resultOf(facts, start.stepUp ? session : undefined);
      const twoSteps = second !== undefined || setup !== undefined || passkey !== undefined;
      if (enrolled || start.level === 2) expect([facts, twoSteps, login?.acr]).toEqual([facts, true, aal2]);
      // Who sets up the first one has shown the password in this very journey; beside one that is there nothing is set up.
      if (setup !== undefined) expect([facts, password !== undefined, enrolled]).toEqual([facts, true, false]);
      expect(login?.acr).toBe(twoSteps ? aal2 : aal1);
      expect(login?.amr.includes('mfa')).toBe(twoSteps);
      if (password?.mustChange) expect(facts.renewal).toBeDefined();
      if (password?.mustAgree) expect(facts.agreement).toBeDefined();
      if (facts.fresh !== undefined) expect(facts.codes).toBeDefined();
    }
  });
});
