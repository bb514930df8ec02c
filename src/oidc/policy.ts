import {
  type ClaimsParameter,
  type Client,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  type Provider,
} from 'oidc-provider';
import { ACR, acrTold, levelOf, type MfaPolicy, neededLevel } from '../core/journey/assurance.ts';
import { ourMetadata } from './clientRules.ts';
import type { OurSession } from './sessions.ts';

/** oidc-provider's prompts, and the one that lets the member choose an account (OpenID Connect Core 3.1.2.1). */
export function promptPolicy(mfaPolicy: MfaPolicy, epochOf: (accountId: string) => Promise<number | undefined>) {
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
    new Check('password_changed', 'the password has changed since', 'login_required', async ({ oidc }) => {
      const session = oidc.session as OurSession | undefined;
      const { epoch } = (oidc.result?.login ?? {}) as { readonly epoch?: number };
      if (session?.accountId === undefined) return Check.NO_NEED_TO_PROMPT;
      if (epoch !== undefined) session.epoch = epoch;
      return session.epoch !== undefined && session.epoch !== (await epochOf(session.accountId));
    }),
  );
  login?.checks.add(
    new Check(ACR_TOO_LOW, 'the session has too low an acr', 'login_required', ({ oidc }) =>
      oidc.session?.accountId === undefined || oidc.client === undefined
        ? Check.NO_NEED_TO_PROMPT
        : levelOf(oidc.session.acr) < levelNeeded(mfaPolicy, oidc.client, oidc.params, oidc.claims),
    ),
  );
  return policy;
}

/** The reason of a prompt for what a session lacks. */
export const ACR_TOO_LOW = 'acr_too_low';

/** The level that an authorization request needs at least. */
export function levelNeeded(
  policy: MfaPolicy,
  client: Client,
  params: { readonly acr_values?: unknown } | undefined,
  claims: ClaimsParameter,
): number {
  return neededLevel(policy, { byClient: ourMetadata(client).require_mfa === true, ...classesOf(params, claims) });
}

/** The classes that a request asks for. */
const classesOf = (params: { readonly acr_values?: unknown } | undefined, claims: ClaimsParameter) => ({
  acrValues: String(params?.acr_values ?? '').split(' '),
  essential: essentialOf(claims),
});

/**
 * Has each app told the class that it asked for, where oidc-provider would tell the highest that the session reached. Codes
 * take it from here, and ID tokens and refresh tokens from the code.
 */
export function tellAcrAsAsked(provider: Provider): void {
  Object.defineProperty(provider.OIDCContext.prototype, 'acr', {
    get(this: KoaContextWithOIDC['oidc']) {
      return acrTold(this.session?.acr, classesOf(this.params, this.claims));
    },
  });
}

/** Throws where an essential `acr` is none of ours (OpenID Connect Core 5.5.1.1, Unmet Authentication Requirements 1.0). */
function demandReachableAcr({ oidc }: KoaContextWithOIDC): boolean {
  const values = essentialOf(oidc.claims);
  if (values.length === 0 || values.some((value) => Object.values<string>(ACR).includes(value))) return false;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values can be reached');
}

/** The values of an essential `acr` claim. */
function essentialOf({ id_token }: ClaimsParameter): readonly string[] {
  const wanted = id_token?.acr;
  if (!wanted?.essential) return [];
  return wanted.values ?? (wanted.value === undefined ? [] : [wanted.value]);
}
