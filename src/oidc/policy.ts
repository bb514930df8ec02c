import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { ACR } from '../core/journey/authorizationRequest.ts';

/** oidc-provider's prompts, and the one that lets the member choose an account (OpenID Connect Core 3.1.2.1). */
export function promptPolicy() {
  const { base, Check, Prompt } = interactionPolicy;
  const policy = base();
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const login = policy.get('login');
  // oidc-provider would ask for the password for ever: no sign-in reaches a class that we do not have.
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(new Check('acr_out_of_reach', 'the requested acr cannot be reached', demandReachableAcr));
  return policy;
}

/** Throws where an essential `acr` is none of ours (OpenID Connect Core 5.5.1.1, Unmet Authentication Requirements 1.0). */
function demandReachableAcr({ oidc }: KoaContextWithOIDC): boolean {
  const wanted = oidc.claims.id_token?.acr;
  if (!wanted?.essential) return false;
  const values = wanted.values ?? (wanted.value === undefined ? [] : [wanted.value]);
  if (values.length === 0 || values.some((value) => Object.values<string>(ACR).includes(value))) return false;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values can be reached');
}
