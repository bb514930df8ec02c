import { createHmac } from 'node:crypto';
import { Provider } from 'oidc-provider';

/**
 * Refresh tokens as members and apps need them.
 *
 * The successor of a refresh token is worked out from it: when an app sends one token twice in the same moment (two tabs,
 * a repeated request), both answers carry the same successor, and neither kills the family. `key` keeps others from
 * working it out too.
 */
export function extendRefreshTokens(provider: Provider, key: string): void {
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

  // Some relying parties repeat the whole scope that they are configured with. What was dropped from it before
  // (offline_access, where the member was not asked) is dropped again, and the rest is answered.
  const model: { find(...args: unknown[]): Promise<{ readonly scopes: Set<string> } | undefined> } =
    RefreshToken as never;
  const find = model.find;
  model.find = async function findToken(...args) {
    const token = await find.apply(this, args);
    const params = Provider.ctx?.oidc.params;
    if (token !== undefined && params?.grant_type === 'refresh_token' && typeof params.scope === 'string') {
      const asked = params.scope.split(' ');
      if (!token.scopes.has('offline_access'))
        params.scope = asked.filter((scope) => scope !== 'offline_access').join(' ');
    }
    return token;
  };
}
