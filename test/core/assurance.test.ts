import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/core/account/account.ts';
import type { Factors } from '../../src/core/factors/factors.ts';
import {
  ACR,
  acrTold,
  levelOf,
  type MfaPolicy,
  neededLevel,
  resistsPhishing,
  signInRequirements,
} from '../../src/core/journey/assurance.ts';
import { resultOf } from '../../src/core/journey/authorizationRequest.ts';
import { type Facts, factsToChooseAnew, nextStep, type Requirement } from '../../src/core/journey/journey.ts';

const NOTHING = { byClient: false, acrValues: [], essential: [] };
const { aal1, aal2, phishingResistant } = ACR;

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
    ['acr_values prefer a passkey', 'when-enrolled', { acrValues: [phishingResistant, aal2] }, 3],
    ['acr_values would have a passkey second', 'required', { acrValues: [aal2, phishingResistant] }, 2],
    ['a passkey is essential', 'when-enrolled', { essential: [phishingResistant] }, 3],
    ['a passkey is essential, or less is', 'when-enrolled', { essential: [phishingResistant, aal2] }, 2],
    ['a passkey is essential, or much less is', 'required', { essential: [phishingResistant, aal1] }, 2],
    [
      'a passkey is preferred where the app is registered for two steps',
      'when-enrolled',
      { byClient: true, acrValues: [phishingResistant] },
      3,
    ],
  ] as const)('when %s', (_, policy: MfaPolicy, wanted, level) => {
    expect(neededLevel(policy, { ...NOTHING, ...wanted })).toBe(level);
  });
});

describe('the class that an app is told', () => {
  test.each([
    ['asks for nothing', phishingResistant, {}, aal2],
    ['asks for nothing', aal2, {}, aal2],
    ['asks for nothing', aal1, {}, aal1],
    ['prefers a passkey', phishingResistant, { acrValues: ['urn:other', phishingResistant, aal2] }, phishingResistant],
    ['prefers two steps', phishingResistant, { acrValues: [aal2, phishingResistant] }, aal2],
    ['prefers a password', phishingResistant, { acrValues: [aal1] }, aal1],
    ['knows others only', phishingResistant, { acrValues: ['urn:other', ''] }, aal2],
    ['demands a passkey', phishingResistant, { essential: [phishingResistant], acrValues: [aal2] }, phishingResistant],
    ['demands two steps', phishingResistant, { essential: [aal2] }, aal2],
    ['demands a passkey or a password', aal2, { essential: [phishingResistant, aal1] }, aal1],
    ['demands a passkey or two steps', aal2, { essential: [phishingResistant, aal2] }, aal2],
  ] as const)('when it %s of %s', (_, reached, wanted, told) => {
    expect(acrTold(reached, { ...NOTHING, ...wanted })).toBe(told);
  });
  test('is none where there is no session', () => expect(acrTold(undefined, NOTHING)).toBeUndefined());
});

describe('what signing in takes', () => {
  const app = { totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } };
  const key = { id: 'k', publicKey: 'k', counter: 0, transports: [], backedUp: false, addedAt: 1 };
  const setUp = ['enrolment', 'setup', 'codes'];
  const password = { accountId: 'a', at: 1, shared: false, epoch: 0 };
  const shown = (...amr: string[]) => ({ at: 2, accountId: 'a', epoch: 0, amr });
  test.each([
    ['nobody yet', 3, false, undefined, {}, ['password']],
    ['a password alone', 3, false, {}, { password }, ['password', ...setUp]],
    ['a password and a passkey', 3, false, { passkeys: [key] }, { password }, ['password', 'second']],
    [
      'its passkey shown',
      3,
      false,
      { passkeys: [key] },
      { password, second: shown('pop', 'user') },
      ['password', 'second'],
    ],
    ['an app not shown yet', 3, false, app, { password }, ['password', 'second']],
    ['an app shown', 3, false, app, { password, second: shown('otp') }, ['password', ...setUp]],
    [
      'an app shown instead of its passkey',
      3,
      false,
      { ...app, passkeys: [key] },
      { password, second: shown('otp') },
      ['password', ...setUp],
    ],
    ['a session and an app', 3, true, app, {}, ['second']],
    ['a session and an app shown', 3, true, app, { second: shown('otp') }, setUp],
    ['a session and nothing else', 3, true, {}, {}, ['password', ...setUp]],
    ['a passkey instead of the password', 3, false, { passkeys: [key] }, { passkey: shown('pop', 'user') }, []],
    ['an app shown, and no more is needed', 2, false, app, { password, second: shown('otp') }, ['password', 'second']],
  ] as const)('of who has %s, for level %i, stepping up %s', (_, level, stepUp, factors, facts, wanted) => {
    const account = factors === undefined ? undefined : { factors };
    expect([...signInRequirements({ level, stepUp, account, facts })].toSorted()).toEqual(wanted.toSorted());
  });
});

describe('a browser that is remembered', () => {
  const app = { totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } };
  const password = { accountId: 'a', at: 1, shared: false, epoch: 0 };
  test.each([
    ['a password is enough', 1, { password }, ['password']],
    ['two steps are needed', 2, { password }, ['password', 'second']],
    ['a passkey is needed', 3, { password }, ['password', 'second']],
    ['the computer is shared', 1, { password: { ...password, shared: true } }, ['password', 'second']],
    ['the password must change', 1, { password: { ...password, mustChange: true } }, ['password', 'second']],
    ['the terms have changed', 1, { password: { ...password, mustAgree: true } }, ['password', 'second']],
  ] as const)('when %s', (_, level, facts, wanted) => {
    const signIn = { level, stepUp: false, account: { factors: app }, facts, remembered: true };
    expect([...signInRequirements(signIn)]).toEqual(wanted);
  });
  test('a passkey is not offered to who has shown a password alone', () =>
    expect([
      ...signInRequirements({
        ...{ level: 1, stepUp: false, account: { factors: app }, remembered: true },
        facts: { password: { ...password, offersPasskey: true }, offer: { at: 2, answer: 'make' } },
      }),
    ]).toEqual(['password']));
  test('stands in for nothing in a session', () =>
    expect([
      ...signInRequirements({ level: 2, stepUp: true, account: { factors: app }, facts: {}, remembered: true }),
    ]).toEqual(['second']));
});

const SECOND = { at: 2, accountId: 'a', epoch: 0, amr: ['otp'] };
/** What each step adds when it is answered well. */
const ANSWERS: Readonly<Partial<Record<Requirement, readonly Facts[]>>> = {
  account: [{ account: { at: 1 } }],
  password: [false, true].flatMap((mustChange) =>
    [false, true].flatMap((mustAgree) =>
      [false, true].map((offersPasskey) => ({
        password: { accountId: 'a', at: 1, shared: false, epoch: 0, mustChange, mustAgree, offersPasskey },
      })),
    ),
  ),
  offer: [
    { offer: { at: 2, answer: 'make' }, enrolment: { at: 2, name: 'passkey' } },
    { offer: { at: 2, answer: 'skip' } },
    { offer: { at: 2, answer: 'never' } },
  ],
  passkey: [{ passkey: { ...SECOND, amr: ['pop', 'user'] } }],
  method: [{ method: { at: 1, name: 'text' } }],
  second: [
    { second: SECOND },
    { second: SECOND, fresh: { at: 2, sealed: 'x' } },
    { second: { ...SECOND, amr: ['pop', 'user'] } },
  ],
  renewal: [{ renewal: { at: 2 } }],
  agreement: [{ agreement: { at: 2 } }],
  enrolment: (['totp', 'text', 'passkey'] as const).map((name) => ({ enrolment: { at: 2, name } })),
  number: [{ number: { at: 2, to: '+1' } }],
  setup: [
    { setup: SECOND, fresh: { at: 2, sealed: 'x' } },
    { setup: SECOND, codes: { at: 2 } },
    { setup: { ...SECOND, amr: ['pop', 'user'] }, fresh: { at: 2, sealed: 'x' } },
    { setup: { ...SECOND, amr: ['pop', 'user'] }, codes: { at: 2 } },
    { setup: { ...SECOND, amr: ['pop', 'user'] } },
  ],
  codes: [{ codes: { at: 2 } }],
  consent: [{ consent: { decision: 'allowed', at: 3 } }],
};
const ALL = Object.keys(ANSWERS) as Requirement[];
const TOTP: Factors = { totp: { sealed: 'x', lastStep: 0, drift: 0, addedAt: 1 } };
const PASSKEY: Factors = {
  passkeys: [{ id: 'k', publicKey: 'k', counter: 0, transports: [], backedUp: false, addedAt: 1 }],
};

/** Whether a member who has these can give this answer, on the page as it is at this level. */
function isPossible(step: Requirement, answer: Facts, facts: Facts, factors: Factors | undefined, level: number) {
  const hasPasskey = (factors?.passkeys ?? []).length > 0;
  if (step === 'passkey') return hasPasskey;
  if (answer.second && resistsPhishing(answer.second)) return hasPasskey;
  // Who has one is not offered another.
  if (answer.password?.offersPasskey) return !hasPasskey;
  // Nothing else is offered there.
  if (answer.enrolment && level > 2) return answer.enrolment.name === 'passkey';
  if (!answer.setup) return true;
  // A code that was renewed is not taken as written down.
  if (facts.fresh && answer.codes) return false;
  return resistsPhishing(answer.setup) === (facts.enrolment?.name === 'passkey');
}

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
      const before = step === due ? facts : factsToChooseAnew(facts, due, step);
      if (before === undefined) continue;
      for (const answer of ANSWERS[step] ?? []) {
        if (!isPossible(step, answer, before, factors, level)) continue;
        const added = answer.setup && (resistsPhishing(answer.setup) ? PASSKEY : TOTP);
        walk({ ...before, ...answer }, added ? { ...factors, ...added } : factors);
      }
    }
  };
  walk({}, start.factors);
  return ends;
}

describe('every way through a sign-in', () => {
  const session = { accountId: 'a', authTime: 1, amr: ['pwd'] };
  const phone = { phone: { to: '+1', addedAt: 1 } };
  const all = [undefined, TOTP, { passkeys: [] }, phone, PASSKEY, { ...PASSKEY, ...TOTP }];
  const cases = all.flatMap((factors) =>
    [1, 2, 3].flatMap((level) => [false, true].map((stepUp) => ({ factors, level, stepUp }))),
  );
  test.each(cases)('ends with what %j needs', (start) => {
    const ends = everyEnd(start);
    expect(ends.length).toBeGreaterThan(0);
    const { totp, phone: its, passkeys = [] } = (start.factors ?? {}) as Factors;
    const enrolled = totp !== undefined || its !== undefined || passkeys.length > 0;
    for (const facts of ends) {
      const { second, setup, passkey, password } = facts;
      const { login } = resultOf(facts, start.stepUp ? session : undefined);
      const twoSteps = second !== undefined || setup !== undefined || passkey !== undefined;
      if (enrolled || start.level > 1) expect([facts, twoSteps]).toEqual([facts, true]);
      // Who sets up the first one has shown the password in this very journey; who sets up one more, one that there was.
      if (setup !== undefined) expect([facts, (enrolled ? second : password) !== undefined]).toEqual([facts, true]);
      if (setup !== undefined && enrolled)
        expect([facts, start.level === 3 || facts.offer?.answer === 'make']).toEqual([facts, true]);
      const byPasskey = [second, setup, passkey].some((proof) => proof !== undefined && resistsPhishing(proof));
      expect(login?.acr).toBe(byPasskey ? phishingResistant : twoSteps ? aal2 : aal1);
      expect(levelOf(login?.acr)).toBeGreaterThanOrEqual(start.level);
      expect(login?.amr.includes('mfa')).toBe(twoSteps);
      if (password?.mustChange) expect(facts.renewal).toBeDefined();
      if (password?.mustAgree) expect(facts.agreement).toBeDefined();
      if (facts.fresh !== undefined) expect(facts.codes).toBeDefined();
    }
  });
});
