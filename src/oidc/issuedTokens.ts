import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Audit, AuditEntry } from '../core/audit/event.ts';

/**
 * Puts it on record when an app gets tokens: which app, whose, by which grant, for what; never a token. Nobody waits for it, as no
 * token request waits for MongoDB, and those of a tenth of a second are one write; what could not be put down is in the log. What was refused is only there: anybody can ask.
 */
export function recordIssuedTokens(provider: Provider, audit: Audit, onLost: (error: unknown) => void): void {
  provider.on('grant.success', (ctx) => void audit.recordSoon(issued(ctx)).catch(onLost));
  // Somebody has sent a code or a refresh token that was used before: all that came of it is void (RFC 9700 4.14.2).
  provider.on('grant.revoked', (ctx) => {
    if (ctx.oidc.route !== 'token') return;
    void audit.record({ ...whose(ctx), action: 'tokens-revoked', detail: { grant: grantOf(ctx) } }).catch(onLost);
  });
}

const grantOf = ({ oidc }: KoaContextWithOIDC): string => String(oidc.params?.grant_type);

const whose = ({
  oidc: { client, account },
}: KoaContextWithOIDC): Pick<AuditEntry, 'actor' | 'client' | 'subject'> => ({
  ...{ actor: { kind: 'client', id: client?.clientId }, client: client?.clientId },
  ...(account === undefined ? {} : { subject: { kind: 'account', id: account.accountId } }),
});

function issued(ctx: KoaContextWithOIDC): AuditEntry {
  const { AccessToken, ClientCredentials } = ctx.oidc.entities;
  const scope = (AccessToken ?? ClientCredentials)?.scope ?? '';
  return { ...whose(ctx), action: 'tokens-issued', detail: { grant: grantOf(ctx), scope } };
}
