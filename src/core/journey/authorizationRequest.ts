import type { Facts, Requirement } from './journey.ts';

/** What a relying party wants of the member, as far as our pages need to know. */
export interface AuthorizationRequest {
  readonly id: string;
  readonly clientId: string;
  readonly requirement: Requirement;
  /** Nothing but a session is missing: should one have appeared since (another tab), there is nothing to ask. */
  readonly onlyNeedsASession: boolean;
  /** All that the app wants to see, allowed before or not: the member decides on the whole. */
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** What it wants of the plan's APIs; see `apiScope`. */
  readonly apiScopes: readonly string[];
  /** The member whose session it is, when there is one. */
  readonly accountId?: string;
  /** When that session ends without further activity, in seconds since 1970. */
  readonly sessionEndsAt?: number;
  readonly loginHint?: string;
  readonly uiLocales?: string;
}

/** The answer to an authorization request, in oidc-provider's terms. */
export type RequestResult = {
  readonly login?: {
    readonly accountId: string;
    /** auth_time, seconds since 1970. */
    readonly ts: number;
    readonly acr: string;
    readonly amr: string[];
    /** Whether the cookie outlives the browser. */
    readonly remember: boolean;
    /** Others use this computer too. */
    readonly shared: boolean;
  };
  readonly select_account?: Record<string, never>;
  readonly consent?: Record<string, never>;
  readonly error?: 'access_denied' | 'login_required';
  readonly error_description?: string;
};

/** Authentication context classes: the assurance level of NIST SP 800-63B-4 that was reached. */
export const ACR = { aal1: 'http://idmanagement.gov/ns/assurance/aal/1' } as const;

/** Says what the proven facts amount to. `amr` values are those of RFC 8176. */
export function resultOf(facts: Facts): RequestResult {
  if (facts.consent?.decision === 'denied') {
    return { error: 'access_denied', error_description: 'the member did not allow this' };
  }
  return {
    ...(facts.password === undefined
      ? {}
      : {
          login: {
            accountId: facts.password.accountId,
            ts: facts.password.at,
            acr: ACR.aal1,
            amr: ['pwd'],
            remember: false,
            shared: facts.password.shared,
          },
        }),
    ...(facts.account === undefined ? {} : { select_account: {} }),
    ...(facts.consent === undefined ? {} : { consent: {} }),
  };
}
