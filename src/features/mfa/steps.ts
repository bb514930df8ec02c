import { type Account, attemptsOwner } from '../../core/account/account.ts';
import type { PasswordHasher } from '../../core/account/password.ts';
import { readPhone } from '../../core/account/phone.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import {
  type Enrollable,
  hasSecondStep,
  type Method,
  marksOf,
  methodsOf,
  usualMethod,
  withFactors,
} from '../../core/factors/factors.ts';
import { PHISHING_RESISTANT, resistsPhishing } from '../../core/journey/assurance.ts';
import type { Facts, SecondFact } from '../../core/journey/journey.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import type { Seal } from '../../core/seal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import { changedIn, type Post } from '../../http/post.ts';
import { type StepContext, step } from '../../http/step.ts';
import type { EnrollableFactor, Factor, FactorContext } from './factor.ts';
import { newRecoveryCodes, openFresh, sealFresh } from './recoveryCode.ts';
import { sendToPhone } from './text.ts';

export interface MfaDependencies {
  readonly accounts: Collection<Account>;
  /** In the order in which they are offered, the safest first. */
  readonly enrollable: readonly EnrollableFactor[];
  readonly recoveryCode: Factor;
  /** Phones are texted or called here; else no code by phone can be set up. */
  readonly reachesPhones: boolean;
  /** For how many days a browser may be remembered; 0 for none. */
  readonly rememberDays: number;
  readonly hasher: PasswordHasher;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly post: Post;
}

/** What was answered to a second step, and whether this browser is to be asked for it again. */
interface Answered {
  readonly answer: unknown;
  readonly remember: boolean;
}

const REMEMBER = 'remember-browser';

function known(context: StepContext): FactorContext {
  if (context.account === undefined) throw new Error('a second step is asked of nobody');
  return context as FactorContext;
}

/** Whose attempts at second steps these are. */
const countedFor = (context: StepContext): string => {
  const { id, value } = known(context).account;
  return attemptsOwner(id, value);
};

/** Where a change is made, and how the account stood before, for the message that tells of it. */
const madeIn = (context: StepContext) => {
  const here = known(context);
  return { ...changedIn(here), before: here.account.value };
};

const NO_SECOND_STEP = { passkeys: undefined, totp: undefined, phone: undefined };

/** Whether nothing less than a passkey is enough. */
const demandsPasskey = ({ level = 0 }: StepContext): boolean => level >= PHISHING_RESISTANT;

const phoneShown = ({ journey }: StepContext): string | undefined => journey.facts.code?.way.to;

/** The steps around second steps: which, showing one, setting one up, and the recovery codes. */
export function mfaSteps(deps: MfaDependencies) {
  const { accounts, enrollable, hasher, seal, clock, post } = deps;
  const factors: readonly Factor[] = [...enrollable, deps.recoveryCode];
  const named = <Known extends Factor>(list: readonly Known[], method: Method | undefined): Known => {
    const found = list.find((one) => one.method === method);
    if (found === undefined) throw new Error(`there is no second step ${method} here`);
    return found;
  };
  const chosen = (context: StepContext): Factor => named(factors, context.journey.facts.method?.name ?? usual(context));
  const usual = (context: StepContext): Method | undefined =>
    usualMethod(known(context).account.value, phoneShown(context), demandsPasskey(context));
  const possible = enrollable.filter(({ method }) => method !== 'text' || deps.reachesPhones);
  /** What may be set up here. */
  const offered = (context: StepContext): readonly EnrollableFactor[] =>
    demandsPasskey(context) ? enrollable.filter(resistsPhishing) : possible;
  const setsUp = ({ journey }: StepContext): EnrollableFactor => named(enrollable, journey.facts.enrolment?.name);
  const proof = ({ account }: FactorContext, { amr }: Factor): SecondFact => ({
    ...{ at: seconds(clock), accountId: account.id, epoch: account.value.deviceEpoch, amr },
  });

  /** Whose attempt an answer is, where it compares a secret. */
  const attempt = (input: unknown, context: StepContext, { method, compares }: Factor, what = '') => ({
    counted: compares(input) ? [{ rule: 'second', subject: `${what}${method}:${countedFor(context)}` } as const] : [],
    ...({ lockedAs: 'code-locked', input } as const),
  });

  const method = step<Method, StepContext>({
    name: 'method',
    view: 'mfa/method',
    async show(context) {
      const { value } = known(context).account;
      const methods = methodsOf(value, phoneShown(context)).map((name) => ({
        name,
        masked: named(factors, name).masked(value),
      }));
      return { methods, usual: usual(context) };
    },
    parse(form, context) {
      const name = methodsOf(known(context).account.value, phoneShown(context)).find(
        (one) => one === form.get('method'),
      );
      return name === undefined ? refused('method-missing') : proven(name);
    },
    submit: async (name) => proven({ method: { at: seconds(clock), name } }),
    fieldOf: (_, context) => `method-${methodsOf(known(context).account.value, phoneShown(context))[0]}`,
  });

  /**
   * Whether the member may ask not to be asked here for a while: after the password, on a computer of their own, where no
   * more than the password is needed.
   */
  const mayBeRemembered = ({ level = 2, journey: { facts } }: StepContext): boolean =>
    deps.rememberDays > 0 && level < 2 && facts.password?.shared === false;

  const second = step<Answered, StepContext>({
    name: 'second',
    view: (context) => chosen(context).view,
    show: async (context, typed) => ({
      rememberDays: mayBeRemembered(context) ? deps.rememberDays : 0,
      remember: typed?.has(REMEMBER) ?? false,
      ...(await chosen(context).show(known(context))),
    }),
    parse(form, context) {
      const answer = chosen(context).parse(form);
      return answer.ok ? proven({ answer: answer.proven, remember: form.has(REMEMBER) }) : answer;
    },
    identify: async (input, context) => ({ ...attempt(input.answer, context, chosen(context)), input }),
    async submit({ answer, remember }, context): Promise<Outcome<Facts>> {
      const factor = chosen(context);
      const outcome = await factor.prove(answer, known(context));
      if (!outcome.ok) return outcome;
      const { shown, facts } = outcome.proven;
      const wish = remember && mayBeRemembered(context) ? { remember } : {};
      return proven({ ...facts, ...(shown ? { second: { ...proof(known(context), factor), ...wish } } : {}) });
    },
    fieldOf: (refusal, context) => chosen(context).fieldOf(refusal),
  });

  const enrolment = step<Enrollable, StepContext>({
    name: 'enrolment',
    view: 'mfa/enrolment',
    show: async (context) => ({ methods: offered(context).map((one) => one.method) }),
    parse(form, context) {
      const name = offered(context).find((one) => one.method === form.get('method'))?.method;
      return name === undefined ? refused('method-missing') : proven(name);
    },
    submit: async (name, context) =>
      proven({ enrolment: { at: seconds(clock), name, ...named(enrollable, name).begin?.(known(context)) } }),
    fieldOf: (_, context) => `method-${offered(context)[0]?.method}`,
  });

  const number = step<string, StepContext>({
    name: 'number',
    view: 'mfa/number',
    show: async (context, typed) => ({ phone: typed?.get('phone') ?? known(context).account.value.phone ?? '' }),
    parse(form) {
      const to = readPhone(form.get('phone') ?? '');
      return to === undefined || post.waysTo([{ kind: 'mobile', to }]).length === 0
        ? refused('phone-wrong')
        : proven(to);
    },
    async submit(to) {
      const at = seconds(clock);
      return proven({ number: { at, to }, texted: { at } });
    },
    conclude: ({ number: fact }, context) =>
      sendToPhone(post, known(context), { what: 'setup', to: fact?.to ?? '', by: 'sms' }),
    fieldOf: () => 'phone',
  });

  const setup = step<unknown, StepContext>({
    name: 'setup',
    view: (context) => setsUp(context).setupView,
    show: async (context) => ({
      // With one thing to choose there is no other.
      ...(offered(context).length === 1 ? { chooseUrl: undefined } : {}),
      ...(await setsUp(context).showSetup(known(context))),
    }),
    parse: (form, context) => setsUp(context).parse(form),
    identify: async (input, context) => attempt(input, context, setsUp(context), 'setup:'),
    async submit(input, context): Promise<Outcome<Facts>> {
      const factor = setsUp(context);
      const { account, journey } = known(context);
      const outcome = await factor.setUp(input, known(context));
      if (!outcome.ok) return outcome;
      const { adds, facts } = outcome.proven;
      if (adds === undefined) return proven({ ...facts });
      // What is lost goes, with its recovery codes, once the new one works.
      const isAnew = journey.facts.ownPassword !== undefined;
      const fresh =
        isAnew || account.value.factors?.recoveryCodes === undefined ? await newRecoveryCodes(hasher) : undefined;
      let added = false;
      const after = await change(accounts, account.id, (now) => {
        // Who has shown a password alone sets nothing up beside what is there already: that one is asked for.
        const may = !hasSecondStep(now) || journey.facts.second !== undefined || isAnew;
        // Of two journeys by one link one replaces what is there, and none what the other has set up.
        const isSame = !isAnew || marksOf(now) === marksOf(account.value);
        added = now.deviceEpoch === account.value.deviceEpoch && may && isSame;
        const more = {
          ...(isAnew ? NO_SECOND_STEP : {}),
          ...adds(isAnew ? undefined : now.factors),
          ...(fresh ? { recoveryCodes: fresh.hashes } : {}),
          lastUsed: factor.method,
        };
        return added ? { ...withFactors(now, more), updatedAt: seconds(clock) } : undefined;
      });
      if (!added || after === undefined) return proven({});
      await post.tellOfChange({ ...madeIn(context), after }, isAnew ? 'second-step-replaced' : 'second-step-added');
      const at = seconds(clock);
      return proven({
        setup: proof(known(context), factor),
        ...(fresh ? { fresh: { at, sealed: sealFresh(seal, journey.id, fresh.codes) } } : {}),
        // A code that was renewed on the way here is still to be written down.
        ...(fresh || journey.facts.fresh ? {} : { codes: { at } }),
      });
    },
    fieldOf: (refusal, context) => setsUp(context).fieldOf(refusal),
  });

  /** New recovery codes, for who has lost the old ones or fears that somebody else has them. */
  const newCodes = step<null, StepContext>({
    name: 'newCodes',
    view: 'mfa/new-codes',
    show: async () => ({}),
    parse: () => proven(null),
    async submit(_, context) {
      const { account, journey } = known(context);
      const fresh = await newRecoveryCodes(hasher);
      const at = seconds(clock);
      const after = await change(accounts, account.id, (now) =>
        hasSecondStep(now) && now.deviceEpoch === account.value.deviceEpoch
          ? { ...withFactors(now, { recoveryCodes: fresh.hashes }), updatedAt: at }
          : undefined,
      );
      if (after !== undefined) await post.tellOfChange({ ...madeIn(context), after }, 'recovery-codes-renewed');
      return proven({ newCodes: { at }, fresh: { at, sealed: sealFresh(seal, journey.id, fresh.codes) } });
    },
    fieldOf: () => undefined,
  });

  const codes = step<null, StepContext>({
    name: 'codes',
    view: 'mfa/codes',
    show: async ({ journey: { id, facts } }) => ({ codes: openFresh(seal, id, facts.fresh?.sealed ?? '') }),
    parse: (form) => (form.has('saved') ? proven(null) : refused('codes-not-saved')),
    submit: async () => proven({ codes: { at: seconds(clock) }, fresh: undefined } as object),
    fieldOf: () => 'saved',
  });

  return { method, second, enrolment, number, setup, newCodes, codes };
}
