import type { Account } from '../../core/account/account.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { CONSENT_DAYS, type Consent, giveConsent } from '../../core/consent/consent.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { step } from '../../http/step.ts';

/** The scopes that have words of their own on the page; others are shown by name. */
const WORDED = new Set(['openid', 'profile', 'email', 'phone', 'address', 'membership', 'offline_access']);

/** Asks whether an app that is not the plan's own may see what it asks for. */
export const consentStep = (deps: {
  consents: Collection<Consent>;
  accounts: Collection<Account>;
  clock: Clock;
  /** What a scope of an API means, by language. */
  apiWords: (apiScope: string) => Readonly<Record<string, string>>;
}) =>
  step<'allow' | 'deny'>({
    name: 'consent',
    view: 'consent/consent',

    show: async ({ request }) => ({
      username: (await deps.accounts.find(request.accountId ?? ''))?.value.username,
      scopes: lastingAccessLast(request.scopes).map((name) => ({ name, worded: WORDED.has(name) })),
      claims: request.claims,
      apis: request.apiScopes.map(deps.apiWords),
      days: CONSENT_DAYS,
    }),

    parse(form) {
      const decision = form.get('decision');
      return decision === 'allow' || decision === 'deny' ? proven(decision) : refused('decision-missing');
    },

    async submit(decision) {
      return proven({ consent: { decision: decision === 'allow' ? 'allowed' : 'denied', at: seconds(deps.clock) } });
    },

    async conclude({ consent }, { request }) {
      if (consent?.decision !== 'allowed') return;
      if (request.accountId === undefined) throw new Error('consent was asked of nobody');
      await giveConsent(deps.consents, request.accountId, request.clientId, request, consent.at);
    },

    fieldOf: () => 'allow',
  });

/** "Keep getting this" makes sense only after what "this" is. */
const lastingAccessLast = (scopes: readonly string[]): string[] =>
  scopes.toSorted((a, b) => Number(a === 'offline_access') - Number(b === 'offline_access'));
