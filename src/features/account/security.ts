import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { maskedWay } from '../../core/codes/contacts.ts';
import { countOf, type SecondStep, withFactors, withoutSecondStep } from '../../core/factors/factors.ts';
import type { Passkey } from '../../core/factors/passkey.ts';
import type { MfaPolicy } from '../../core/journey/assurance.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { type Collection, change } from '../../core/storage/collection.ts';
import type { Form } from '../../http/form.ts';
import { changedIn, type Post } from '../../http/post.ts';
import type { Visit } from '../../http/signedIn.ts';
import { type AccountPage, done } from './page.ts';

export interface SecurityDependencies {
  readonly accounts: Collection<Account>;
  readonly clock: Clock;
  readonly post: Post;
  readonly mfaPolicy: MfaPolicy;
  readonly issuer: string;
}

const PATH = '/security';
const HOME = `/account${PATH}`;
const LONGEST_NAME = 60;

/**
 * What the browser tells the member's passkey managers: these are all that there are, so that a removed one is offered no
 * more (WebAuthn Level 3, 5.1.10.2).
 */
const signalOf = (issuer: string, id: string, passkeys: readonly Passkey[]) => ({
  rpId: new URL(issuer).hostname,
  userId: Buffer.from(id).toString('base64url'),
  allAcceptedCredentialIds: passkeys.map((passkey) => passkey.id),
});

/** The password, the second steps, and recovery codes. */
export const securityPage = ({ issuer }: Pick<SecurityDependencies, 'issuer'>): AccountPage => ({
  path: PATH,
  view: 'account/security',
  async show({ account: { id, value } }) {
    const { passkeys = [], totp, phone, recoveryCodes } = value.factors ?? {};
    return {
      ...{ passkeys, totp, phone, count: countOf(value), hasCodes: recoveryCodes !== undefined },
      masked: phone && maskedWay({ by: 'sms', to: phone.to }),
      signal: signalOf(issuer, id, passkeys),
    };
  },
});

/** Removes a second step, unless two steps are demanded and it is the last. */
async function remove(
  { accounts, clock, post, mfaPolicy }: SecurityDependencies,
  visit: Visit,
  step: SecondStep,
): Promise<Outcome<string>> {
  let isLast = false;
  let before: Account | undefined;
  const after = await change(accounts, visit.account.id, (now) => {
    const without = withoutSecondStep(now, step);
    before = countOf(without) < countOf(now) ? now : undefined;
    isLast = before !== undefined && countOf(without) === 0 && mfaPolicy === 'required';
    return before !== undefined && !isLast ? { ...without, updatedAt: seconds(clock) } : undefined;
  });
  if (isLast) return refused('last-second-step');
  if (after !== undefined && before !== undefined)
    await post.tellOfChange({ ...changedIn(visit), before, after }, 'second-step-removed');
  return proven(done(HOME, `${step.method}-removed`));
}

/** What to say before it is removed: whether it is the last, and whether that may go at all. */
const whatIfRemoved = ({ mfaPolicy }: SecurityDependencies, account: Account) => ({
  isLast: countOf(account) === 1,
  isNeeded: countOf(account) === 1 && mfaPolicy === 'required',
});

/** One second step that there is once: the authenticator app, or the phone. */
export const secondStepPage = (deps: SecurityDependencies, method: 'totp' | 'text'): AccountPage => ({
  path: `${PATH}/${method}`,
  view: 'account/second-step',
  fresh: true,
  async show({ account: { value } }) {
    const { totp, phone } = value.factors ?? {};
    const step = method === 'totp' ? totp : phone;
    if (step === undefined) return undefined;
    const masked = phone && maskedWay({ by: 'sms', to: phone.to });
    return { method, masked, addedAt: step.addedAt, ...whatIfRemoved(deps, value) };
  },
  actions: {
    remove: { fresh: true, run: (_, visit) => remove(deps, visit, { method }), fieldOf: () => 'remove' },
  },
});

const passkeyOf = ({ account }: Visit, id: string): Passkey | undefined =>
  account.value.factors?.passkeys?.find((passkey) => passkey.id === id);

/** One passkey: its name, and taking it away. */
export const passkeyPage = (deps: SecurityDependencies): AccountPage => ({
  path: `${PATH}/passkey/:id`,
  view: 'account/passkey',
  fresh: true,
  async show(visit, ctx, typed) {
    const passkey = passkeyOf(visit, String(ctx.params.id));
    if (passkey === undefined) return undefined;
    const name = typed?.get('passkey-name') ?? passkey.name ?? '';
    return { passkey, name, ...whatIfRemoved(deps, visit.account.value) };
  },
  actions: {
    rename: {
      fresh: true,
      run: (form, visit, ctx) => rename(deps, visit, String(ctx.params.id), form),
      fieldOf: () => 'passkey-name',
    },
    remove: {
      fresh: true,
      run: (_, visit, ctx) => remove(deps, visit, { method: 'passkey', id: String(ctx.params.id) }),
      fieldOf: () => 'remove',
    },
  },
});

async function rename(
  { accounts }: SecurityDependencies,
  visit: Visit,
  id: string,
  form: Form,
): Promise<Outcome<string>> {
  const name = (form.get('passkey-name') ?? '').normalize('NFC').trim().slice(0, LONGEST_NAME);
  if (name === '') return refused('passkey-name-missing');
  await change(accounts, visit.account.id, (now) => {
    const { passkeys = [] } = now.factors ?? {};
    return withFactors(now, { passkeys: passkeys.map((one) => (one.id === id ? { ...one, name } : one)) });
  });
  return proven(done(HOME, 'renamed'));
}
