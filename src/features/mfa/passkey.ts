import type { Account } from '../../core/account/account.ts';
import type { ClosedTo } from '../../core/account/admission.ts';
import { hasToAgreeAgain } from '../../core/account/agreements.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { withFactors } from '../../core/factors/factors.ts';
import { ownerOf, type PasskeyResponse, readPasskeyResponse, type WebAuthn } from '../../core/factors/passkey.ts';
import type { Plan } from '../../core/plan.ts';
import { type Outcome, proven, refused } from '../../core/refusal.ts';
import { type Collection, change, type Stored } from '../../core/storage/collection.ts';
import type { Form } from '../../http/form.ts';
import { pageOfClosed, type RequestContext, step } from '../../http/step.ts';
import { enrollable } from './factor.ts';

export interface PasskeyDependencies {
  readonly accounts: Collection<Account>;
  readonly webAuthn: WebAuthn;
  readonly clock: Clock;
  /** The host that passkeys are for (WebAuthn Level 3: RP ID). */
  readonly rpId: string;
  /** A challenge that nobody foretells, for one purpose in one journey: 32 bytes, Base64url. */
  readonly challenge: (purpose: string) => string;
}

/** The authenticator has a key, and has asked for a finger, a face or a PIN (RFC 8176). */
const AMR = ['pop', 'user'] as const;

/** Both steps at once, so that the attempts of a password do not count. */
const parse = (form: Form): Outcome<PasskeyResponse> => {
  const response = readPasskeyResponse(form.get('passkey') ?? '');
  return response === undefined ? refused('passkey-failed') : proven(response);
};

/** Whether this is the answer of one of the account's passkeys; what that has become is kept. */
async function isAnswered(
  { accounts, webAuthn, clock }: PasskeyDependencies,
  account: Stored<Account> | undefined,
  response: PasskeyResponse,
  challenge: string,
): Promise<boolean> {
  const passkey = account?.value.factors?.passkeys?.find(({ id }) => id === response.id);
  const used = passkey && (await webAuthn.get(response, challenge, passkey));
  if (account === undefined || used === undefined) return false;
  let kept = false;
  await change(accounts, account.id, (now) => {
    const { passkeys = [] } = now.factors ?? {};
    // Of two answers with one count the second is a copy.
    kept = passkeys.some(({ id, counter }) => id === used.id && (used.counter === 0 || counter < used.counter));
    const replaced = passkeys.map((one) => (one.id === used.id ? { ...used, usedAt: seconds(clock) } : one));
    return kept ? withFactors(now, { passkeys: replaced, lastUsed: 'passkey' }) : undefined;
  });
  return kept;
}

const challengeOf = ({ challenge }: PasskeyDependencies, what: 'get' | 'create', journeyId: string): string =>
  challenge(`passkey:${what}:${journeyId}`);

/** A passkey as the second step, and how one is set up. It cannot be phished: it answers to our origin alone. */
export const passkeyFactor = (deps: PasskeyDependencies) => {
  const { webAuthn, clock } = deps;
  return enrollable<PasskeyResponse>({
    method: 'passkey',
    amr: AMR,
    view: 'mfa/passkey',
    show: async ({ account, journey }) => ({
      options: await webAuthn.requestOptions(
        account.value.factors?.passkeys ?? [],
        challengeOf(deps, 'get', journey.id),
      ),
    }),
    masked: () => '',
    parse,
    compares: () => false,

    async prove(response, { account, journey }) {
      const shown = await isAnswered(deps, account, response, challengeOf(deps, 'get', journey.id));
      return shown ? proven({ shown }) : refused('passkey-failed');
    },

    setupView: 'mfa/passkey-setup',
    async showSetup({ account: { id, value }, journey }) {
      const { username, firstName, lastName, factors } = value;
      const owner = { id, username, displayName: `${firstName} ${lastName}`, passkeys: factors?.passkeys ?? [] };
      return { options: await webAuthn.creationOptions(owner, challengeOf(deps, 'create', journey.id)) };
    },

    async setUp(response, { journey, agent }) {
      const made = await webAuthn.create(response, challengeOf(deps, 'create', journey.id));
      if (made === undefined) return refused('passkey-failed');
      const added = { ...made, addedAt: seconds(clock), ...(agent === '' ? {} : { name: agent }) };
      return proven({ adds: (now) => ({ passkeys: [...(now?.passkeys ?? []), added] }) });
    },

    fieldOf: () => 'use-passkey',
  });
};

/** A passkey instead of the password: with user verification it is both steps at once (NIST SP 800-63B-4 3.1.7). */
export const passkeyStep = (
  deps: PasskeyDependencies & { readonly agreements: Plan['agreements']; readonly closedTo: ClosedTo },
) =>
  step<PasskeyResponse, RequestContext>({
    name: 'passkey',
    view: 'login/passkey',
    show: async (context, typed) => ({
      options: await passkeyOptions(deps, context.journey.id),
      // For the manager that still offers it (WebAuthn Level 3, 5.1.10.1).
      unknown: { rpId: deps.rpId, credentialId: readPasskeyResponse(typed?.get('passkey') ?? '')?.id },
    }),
    parse,
    // There is nothing to guess; a network that sends nonsense is slowed down.
    identify: async (input) => ({ counted: [], lockedAs: 'locked', input }),
    async submit(response, { journey }) {
      const account = await deps.accounts.find(ownerOf(response) ?? 'nobody');
      if (account?.value.factors?.passkeys?.some(({ id }) => id === response.id) !== true)
        return refused('passkey-unknown');
      const right = await isAnswered(deps, account, response, challengeOf(deps, 'get', journey.id));
      if (!right) return refused('passkey-failed');
      if (account.value.resetDemanded) return refused('reset-demanded');
      const closed = await deps.closedTo(account);
      if (closed !== undefined) return refused(closed);
      const mustAgree = hasToAgreeAgain(account.value.agreed, deps.agreements);
      const { deviceEpoch: epoch } = account.value;
      return proven({
        passkey: { at: seconds(deps.clock), accountId: account.id, epoch, amr: AMR, mustAgree },
      });
    },
    fieldOf: () => 'use-passkey',
    pageOf: pageOfClosed,
  });

const ANSWERS = ['make', 'skip', 'never'] as const;

/** A passkey, offered to who has just signed in on a device that can make one. The app waits for no more than one click. */
export const offerStep = ({ accounts, clock }: PasskeyDependencies) =>
  step<(typeof ANSWERS)[number], RequestContext>({
    name: 'offer',
    view: 'mfa/offer',
    show: async () => ({}),
    parse(form) {
      const answer = ANSWERS.find((one) => one === form.get('answer'));
      return answer === undefined ? refused('decision-missing') : proven(answer);
    },
    async submit(answer, { account }) {
      const at = seconds(clock);
      const asked = { askedAt: at, ...(answer === 'never' ? { never: true } : {}) };
      if (account !== undefined) await change(accounts, account.id, (now) => ({ ...now, passkeyOffer: asked }));
      const offer = { at, answer };
      return proven(answer === 'make' ? { offer, enrolment: { at, name: 'passkey' } } : { offer });
    },
    fieldOf: () => 'make-passkey',
  });

/** What the sign-in page needs to offer passkeys. */
export const passkeyOptions = (deps: PasskeyDependencies, journeyId: string): Promise<object> =>
  deps.webAuthn.requestOptions([], challengeOf(deps, 'get', journeyId));
