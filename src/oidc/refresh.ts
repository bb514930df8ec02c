import { createHmac } from 'node:crypto';
import { Provider } from 'oidc-provider';
import { OPENID_SCOPES } from './clients.ts';
import { type ProtectedResource, scopesWithin } from './resources.ts';

/**
 * Refresh tokens as members and apps need them.
 *
 * The successor of a refresh token is worked out from it: when an app sends one token twice in the same moment (two tabs,
 * a repeated request), both answers carry the same successor, and neither kills the family. `key` keeps others from
 * working it out too.
 */
export function extendRefreshTokens(provider: Provider, key: string, resources: readonly ProtectedResource[]): void {
  const { RefreshToken } = provider;
  // The types leave out what a model makes its own id with.
  const prototype: { generateTokenId(): string } = RefreshToken.prototype as never;
  const randomId = prototype.generateTokenId;
  prototype.generateTokenId = function generateTokenId() {
    const before = Provider.ctx?.oidc.entities.RotatedRefreshToken;
    return before === undefined
      ? randomId.call(this)
      : createHmac('sha256', key).update(`successor:${before.jti}`).digest('base64url');
  };

  // Some relying parties repeat the whole scope that they are configured with. What was dropped from it before is dropped
  // again, and the rest is answered.
  const model: { find(...args: unknown[]): Promise<Found | undefined> } = RefreshToken as never;
  const find = model.find;
  model.find = async function findToken(...args) {
    const token = await find.apply(this, args);
    const { ctx } = Provider;
    const { params, client } = ctx?.oidc ?? {};
    if (ctx === undefined || client === undefined || token === undefined) return token;
    if (params?.grant_type === 'refresh_token' && typeof params.scope === 'string') {
      const ofApis = scopesWithin(resources, token.resourceIndicators, ctx, client);
      const kept = params.scope.split(' ').filter((scope) => token.scopes.has(scope) || !isDropped(scope, ofApis));
      // Who asks for nothing else is refused: no scope at all would stand for everything that was granted (RFC 6749 6).
      if (kept.length > 0) params.scope = kept.join(' ');
    }
    return token;
  };
}

/** A refresh token, as far as it says what it is good for. */
interface Found {
  readonly scopes: ReadonlySet<string>;
  readonly resourceIndicators: ReadonlySet<string>;
}

/**
 * Whether an authorization request loses this scope where it was not granted: offline_access, where the member was not asked,
 * and what is neither OpenID's nor one of the APIs that the request named.
 */
const isDropped = (scope: string, ofApis: readonly string[]): boolean =>
  scope === 'offline_access' || !(OPENID_SCOPES.has(scope) || ofApis.includes(scope));
