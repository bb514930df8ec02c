import { acrReached } from './assurance.ts';
import type { Facts, Requirement } from './journey.ts';

/** What was shown at the beginning of a session. */
export interface SessionProofs {
  readonly accountId: string;
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly amr: readonly string[];
}

/** What a relying party wants of the member, as far as our pages need to know. */
export interface AuthorizationRequest {
  readonly id: string;
  readonly clientId: string;
  readonly requirement: Requirement;
  /** The level that is needed at least; see `neededLevel`. */
  readonly level: number;
  /** There is a session, and only its level is too low. */
  readonly stepUp: boolean;
  /** What the session has shown already. */
  readonly session?: SessionProofs | undefined;
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
    /** The highest class that was reached. What an app is told may be less; see `acrTold`. */
    readonly acr: string;
    readonly amr: string[];
    /** Whether the cookie outlives the browser. */
    readonly remember: boolean;
    /** Others use this computer too. Undefined where a session goes on. */
    readonly shared?: boolean;
    /** What the browser calls itself. */
    readonly agent?: string;
    /** The account's `deviceEpoch` when this was shown: once the password has changed, it opens nothing. */
    readonly epoch: number;
  };
  readonly select_account?: Record<string, never>;
  readonly consent?: Record<string, never>;
  readonly contacts?: Record<string, never>;
  readonly error?: 'access_denied' | 'login_required';
  readonly error_description?: string;
};

/**
 * Says what the proven facts amount to. `amr` values are those of RFC 8176; `auth_time` is the time of the oldest of the
 * proofs that the class rests on.
 */
export function resultOf(facts: Facts, session: SessionProofs | undefined): RequestResult {
  if (facts.consent?.decision === 'denied') {
    return { error: 'access_denied', error_description: 'the member did not allow this' };
  }
  return {
    ...login(facts, session),
    ...(facts.account === undefined ? {} : { select_account: {} }),
    ...(facts.consent === undefined ? {} : { consent: {} }),
    ...(facts.review === undefined ? {} : { contacts: {} }),
  };
}

function login(
  { password, passkey, second, setup }: Facts,
  session: SessionProofs | undefined,
): { readonly login?: NonNullable<RequestResult['login']> } {
  const proofs = [second, setup, passkey].filter((proof) => proof !== undefined);
  const [more] = proofs;
  const { epoch } = password ?? more ?? { epoch: 0 };
  const { accountId, at } = password ?? passkey ?? { accountId: session?.accountId ?? '', at: session?.authTime ?? 0 };
  if (password === undefined && more === undefined) return {};
  const before = password !== undefined ? ['pwd'] : passkey !== undefined ? [] : (session?.amr ?? []);
  const amr = [...before, ...proofs.flatMap((proof) => proof.amr)];
  return {
    login: {
      accountId,
      epoch,
      ts: at,
      acr: acrReached(proofs),
      amr: [...new Set([...amr, ...(more === undefined ? [] : ['mfa'])])],
      remember: false,
      ...(password === undefined ? {} : { shared: password.shared }),
    },
  };
}
