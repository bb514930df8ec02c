import { type ClaimsParameter, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../core/account/account.ts';
import type { Stored } from '../core/storage/collection.ts';

/**
 * Which claims each scope opens (OpenID Connect Core 5.4); `membership` is the plan's own. How and when the member signed
 * in stands in every ID token.
 */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'auth_time', 'acr', 'amr'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'birthdate', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  membership: ['member_number'],
} as const;

/** A member's claims. oidc-provider lets through only those that scopes and consent allow. */
export function memberClaims({ id, value: account }: Stored<Account>) {
  return {
    sub: id,
    name: `${account.firstName} ${account.lastName}`,
    given_name: account.firstName,
    family_name: account.lastName,
    preferred_username: account.username,
    birthdate: account.birthDate,
    locale: account.locale,
    updated_at: account.updatedAt,
    email: account.email,
    email_verified: account.emailConfirmed,
    phone_number: account.phone,
    phone_number_verified: account.phoneConfirmed,
    address: account.postalCode === undefined ? undefined : { postal_code: account.postalCode },
    member_number: account.memberNumber,
  };
}

/** What the `claims` parameter of an authorization request asks for (OpenID Connect Core 5.5), once it was found well-formed. */
export const claimsAskedFor = (params: { readonly claims?: unknown } | undefined): ClaimsParameter =>
  typeof params?.claims === 'string' ? JSON.parse(params.claims) : {};

/**
 * Refuses a `claims` parameter in which a claim is asked for in another form than those of OpenID Connect Core 5.5.1. Stands
 * for oidc-provider's own check, which does not look at `values`.
 */
export function judgeClaimsParameter(
  _ctx: KoaContextWithOIDC,
  { userinfo = {}, id_token = {} }: ClaimsParameter,
): void {
  if (![userinfo, id_token].flatMap((claims) => Object.values<unknown>(claims)).every(isWellFormed))
    throw new errors.InvalidRequest('a member of claims must be null or an object, and values in it an array');
}

function isWellFormed(wanted: unknown): boolean {
  if (wanted === null) return true;
  if (typeof wanted !== 'object' || Array.isArray(wanted)) return false;
  return !('values' in wanted) || Array.isArray(wanted.values);
}
