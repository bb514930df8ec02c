import { type Client, errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { type Account, isReviewDue } from '../core/account/account.ts';
import { OWN_CLIENT } from '../core/client/ownClient.ts';
import { type Clock, seconds } from '../core/clock.ts';
import { ACR, acrTold, levelOf, type MfaPolicy, neededLevel } from '../core/journey/assurance.ts';
import { claimsAskedFor } from './claims.ts';
import { ourMetadata } from './clientRules.ts';
import type { OurSession } from './sessions.ts';

interface PolicyDependencies {
  readonly mfaPolicy: MfaPolicy;
  readonly clock: Clock;
}

/** The account of the session, which oidc-provider has just read for this request; see `findAccount` in the configuration. */
const accountIn = ({ account }: KoaContextWithOIDC['oidc']): Account | undefined =>
  (account as { readonly member?: Account } | undefined)?.member;

/** Seconds after a sign-in in which it is the sign-in of this request, and not the session of one before. */
const JUST_NOW = 300;

/** oidc-provider's prompts, and the one that lets the member choose an account (OpenID Connect Core 3.1.2.1). */
export function promptPolicy({ mfaPolicy, clock }: PolicyDependencies) {
  const { base, Check, Prompt } = interactionPolicy;
  const policy = base();
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const login = policy.get('login');
  // oidc-provider would ask for the password for ever: no sign-in reaches a class that we do not have.
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(new Check('acr_out_of_reach', 'the requested acr cannot be reached', demandReachableAcr));
  // A sign-in that was under way while the password changed, or a session that outlived the change.
  login?.checks.add(
    new Check('password_changed', 'the password has changed since', 'login_required', ({ oidc }) => {
      const session = oidc.session as OurSession | undefined;
      const { epoch } = (oidc.result?.login ?? {}) as { readonly epoch?: number };
      if (session?.accountId === undefined) return Check.NO_NEED_TO_PROMPT;
      if (epoch !== undefined) session.epoch = epoch;
      return session.epoch !== undefined && session.epoch !== accountIn(oidc)?.deviceEpoch;
    }),
  );
  login?.checks.add(
    new Check(ACR_TOO_LOW, 'the session has too low an acr', 'login_required', ({ oidc }) =>
      oidc.session?.accountId === undefined || oidc.client === undefined
        ? Check.NO_NEED_TO_PROMPT
        : levelOf(oidc.session.acr) < levelNeeded(mfaPolicy, oidc.client, oidc.params),
    ),
  );
  // Whether the contacts are still right is asked once the member is in, and never where nobody may be asked.
  const review = new Check(
    'contacts_review',
    'the contacts are to be looked at',
    'interaction_required',
    ({ oidc }) => {
      const { accountId, loginTs = 0 } = oidc.session ?? {};
      const now = seconds(clock);
      if (accountId === undefined || oidc.prompts.has('none') || now - loginTs > JUST_NOW)
        return Check.NO_NEED_TO_PROMPT;
      const account = accountIn(oidc);
      return account !== undefined && oidc.client?.clientId !== OWN_CLIENT && isReviewDue(account, now);
    },
  );
  policy.add(new Prompt({ name: 'contacts', requestable: false }, review), 2);
  return policy;
}

/** The reason of a prompt for what a session lacks. */
export const ACR_TOO_LOW = 'acr_too_low';

/** The parameters of an authorization request that say which class it wants. */
type Params = { readonly acr_values?: unknown; readonly claims?: unknown } | undefined;

/** The level that an authorization request needs at least. */
export function levelNeeded(policy: MfaPolicy, client: Client, params: Params): number {
  return neededLevel(policy, { byClient: ourMetadata(client).require_mfa === true, ...classesOf(params) });
}

/** The classes that a request asks for. */
const classesOf = (params: Params) => ({
  acrValues: String(params?.acr_values ?? '').split(' '),
  essential: essentialOf(params),
});

/**
 * Has each app told the class that it asked for, where oidc-provider would tell the highest that the session reached. Codes
 * take it from here, and ID tokens and refresh tokens from the code.
 */
export function tellAcrAsAsked(provider: Provider): void {
  Object.defineProperty(provider.OIDCContext.prototype, 'acr', {
    get(this: KoaContextWithOIDC['oidc']) {
      return acrTold(this.session?.acr, classesOf(this.params));
    },
  });
}

/** Throws where an essential `acr` is none of ours (OpenID Connect Core 5.5.1.1, Unmet Authentication Requirements 1.0). */
function demandReachableAcr({ oidc }: KoaContextWithOIDC): boolean {
  const values = essentialOf(oidc.params);
  if (values.length === 0 || values.some((value) => Object.values<string>(ACR).includes(value))) return false;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values can be reached');
}

/**
 * The values of an essential `acr` claim, from the parameter itself: in what oidc-provider makes of it, `acr_values` and the
 * registered `default_acr_values` have taken the place of this claim.
 */
function essentialOf(params: Params): readonly string[] {
  const wanted = claimsAskedFor(params).id_token?.acr;
  if (!wanted?.essential) return [];
  return wanted.values ?? (wanted.value === undefined ? [] : [wanted.value]);
}
