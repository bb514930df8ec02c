import { createHash } from 'node:crypto';
import type { Provider } from 'oidc-provider';
import type { Account } from '../core/account/account.ts';
import type { Collection } from '../core/storage/collection.ts';
import { memberClaims } from './claims.ts';

/** Lets a sign-in for any app that members come back to end at our own page, where the console shows what came of it. */
export function allowTestCallback(provider: Provider, callback: string): void {
  // The types do not know a class's prototype as what it is.
  const prototype = provider.Client.prototype as { redirectUriAllowed(uri: string): boolean };
  const { redirectUriAllowed } = prototype;
  prototype.redirectUriAllowed = function redirectUriAllowedToUsToo(uri: string) {
    return redirectUriAllowed.call(this, uri) || uri === callback;
  };
}

/** What an app would get for a code. */
export interface TestResult {
  readonly idToken: object;
  readonly userinfo: object;
  readonly scope: string;
}

export interface TestedCode {
  readonly code: string;
  readonly clientId: string;
  readonly callback: string;
  readonly verifier: string;
}

/**
 * Redeems a code as the token endpoint does (RFC 6749 4.1.3, RFC 7636 4.6), but for the app's own proof, which only the app
 * has. Answers with what is wrong, or with the claims that the app would get; no token is made.
 */
export async function redeemForTest(
  provider: Provider,
  accounts: Collection<Account>,
  { code, clientId, callback, verifier }: TestedCode,
): Promise<TestResult | { readonly fault: 'unknown' | 'used' | 'client' | 'redirect' | 'pkce' }> {
  const found = await provider.AuthorizationCode.find(code);
  const client = await provider.Client.find(clientId);
  if (found === undefined || client === undefined || !found.isValid) return { fault: 'unknown' };
  if (found.clientId !== clientId) return { fault: 'client' };
  if (found.redirectUri !== callback) return { fault: 'redirect' };
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (found.codeChallenge !== challenge) return { fault: 'pkce' };
  try {
    await found.consume();
  } catch {
    return { fault: 'used' };
  }
  const account = await accounts.find(String(found.accountId));
  if (account === undefined) return { fault: 'unknown' };
  const scope = String(found.scope ?? '');
  const { acr, amr, authTime: auth_time } = found;
  const claimsFor = (wanted: string) =>
    new provider.Claims({ ...memberClaims(account), acr, amr, auth_time }, { client }).scope(wanted).result();
  return { idToken: await claimsFor('openid'), userinfo: await claimsFor(scope), scope };
}
