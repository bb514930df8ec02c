import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, seconds } from '../core/clock.ts';
import { apiScope, type Consent, findConsent, readApiScope } from '../core/consent/consent.ts';
import type { Collection } from '../core/storage/collection.ts';
import { ourMetadata } from './clientRules.ts';

/**
 * The grant that this authorization request may use. It is built from the lasting consent, so that what a member once
 * allowed is not asked again in the next session; the plan's own apps are granted what they ask for.
 */
export function loadGrantFrom(consents: Collection<Consent>, clock: Clock) {
  return async (ctx: KoaContextWithOIDC) => {
    const { client, account, session, provider } = ctx.oidc;
    if (client === undefined || account === undefined || session === undefined) return undefined;

    const allowed = isFirstParty(client)
      ? {
          scopes: [...ctx.oidc.requestParamOIDCScopes],
          claims: [...ctx.oidc.requestParamClaims],
          apiScopes: requestedApiScopes(ctx),
        }
      : await findConsent(consents, account.accountId, client.clientId, seconds(clock));
    if (allowed === undefined) return undefined;

    const grantId = session.grantIdFor(client.clientId);
    const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId);
    const reusable = existing?.accountId === account.accountId ? existing : undefined;
    const grant =
      reusable ??
      new provider.Grant({
        ...{ accountId: account.accountId, clientId: client.clientId },
        ...(grantId === undefined ? { jti: firstGrantOf(ctx) } : {}),
      });

    const before = JSON.stringify([grant.openid, grant.resources]);
    // Consent says it all; the plan's own apps keep what earlier requests were granted.
    if (!isFirstParty(client)) {
      delete grant.openid;
      delete grant.resources;
    }
    grant.addOIDCScope([...allowed.scopes]);
    grant.addOIDCClaims([...allowed.claims]);
    for (const { resource, scope } of (allowed.apiScopes ?? []).map(readApiScope))
      grant.addResourceScope(resource, scope);
    if (reusable === undefined || JSON.stringify([grant.openid, grant.resources]) !== before) await grant.save();
    return grant;
  };
}

/**
 * The id of the first grant that an app gets in a session, and the `sid` by which it knows that session: the same for requests that
 * come in the same moment, as from the tabs of a browser that was started again. With one each, only the last one's tokens would
 * be the session's. A session that has had a grant of this app gets another id: what was revoked stays so.
 */
function firstGrantOf({ oidc }: KoaContextWithOIDC): string {
  const { session, client, requestParamClaims, requestParamScopes } = oidc;
  const clientId = String(client?.clientId);
  const made = (...of: readonly unknown[]) =>
    createHash('sha256')
      .update(JSON.stringify([session?.jti, clientId, ...of]))
      .digest('base64url');
  if (session?.sidFor(clientId) === undefined) session?.sidFor(clientId, made('sid'));
  return made('grant', [...requestParamScopes], [...requestParamClaims]);
}

/** Whether this is the plan's own app. */
export const isFirstParty = (client: object): boolean => ourMetadata(client).first_party === true;

/** What this request asks of the plan's APIs. */
const requestedApiScopes = ({ oidc }: KoaContextWithOIDC): string[] =>
  Object.entries(oidc.resourceServers ?? {}).flatMap(([resource, { scopes }]) =>
    [...oidc.requestParamScopes].filter((scope) => scopes.has(scope)).map((scope) => apiScope({ resource, scope })),
  );
