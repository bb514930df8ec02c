import type { Account } from '../../core/account/account.ts';
import type { Trail } from '../../core/audit/trail.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { CONSENT_DAYS, type Consent, giveConsent, shownScopes } from '../../core/consent/consent.ts';
import { proven, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import { step } from '../../http/step.ts';

/** Asks whether an app that is not the plan's own may see what it asks for. */
export const consentStep = (deps: {
  consents: Collection<Consent>;
  accounts: Collection<Account>;
  clock: Clock;
  trail: Pick<Trail, 'record'>;
  /** What a scope of an API means, by language. */
  apiWords: (apiScope: string) => Readonly<Record<string, string>>;
}) =>
  step<'allow' | 'deny'>({
    name: 'consent',
    view: 'consent/consent',

    show: async ({ request }) => ({
      username: (await deps.accounts.find(request.accountId ?? ''))?.value.username,
      scopes: shownScopes(request.scopes),
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

    async conclude({ consent }, { request, agent }) {
      if (consent === undefined) return;
      if (request.accountId === undefined) throw new Error('consent was asked of nobody');
      const what = consent.decision === 'allowed' ? 'app-allowed' : 'app-denied';
      await deps.trail.record(request.accountId, { what, app: request.clientId, agent });
      if (consent.decision === 'allowed')
        await giveConsent(deps.consents, request.accountId, request.clientId, request, consent.at);
    },

    fieldOf: () => 'allow',
  });
