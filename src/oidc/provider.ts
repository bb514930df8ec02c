import type { EventEmitter } from 'node:events';
import { errors, Provider } from 'oidc-provider';
import { brandFaults } from '../core/client/brand.ts';
import type { ClientRecord } from '../core/client/client.ts';
import { deferLogoutTokens } from './backchannelLogout.ts';
import { extendClients, providerMetadata } from './clients.ts';
import { type OidcDependencies, oidcConfiguration } from './configuration.ts';
import { recordIssuedTokens } from './issuedTokens.ts';
import { tellAcrAsAsked } from './policy.ts';
import { extendRefreshTokens } from './refresh.ts';
import { extendSessions } from './sessions.ts';
import { allowTestCallback } from './testSignIn.ts';

/** Hears of what the protocol endpoints could not do. */
export interface ProtocolLog {
  refused(event: string, error: Error): void;
  failed(error: Error): void;
  notRecorded(error: unknown): void;
}

/** Builds the provider. It is a Koa app whose middleware runs inside ours. */
export function makeProvider(deps: OidcDependencies, log: ProtocolLog): Provider {
  const provider = new Provider(deps.issuer, oidcConfiguration(deps));
  extendClients(provider, deps.clock, deps.directory);
  extendSessions(provider, deps.onSignOut);
  tellAcrAsAsked(provider);
  if (deps.testCallback !== undefined) allowTestCallback(provider, deps.testCallback);
  extendRefreshTokens(provider, deps.cookieKeys[0] ?? '', deps.resources);
  deferLogoutTokens(provider, deps.logout);
  recordIssuedTokens(provider, deps.audit, log.notRecorded);
  provider.on('server_error', (_ctx, error) => log.failed(error));
  for (const event of ['authorization.error', 'grant.error', 'userinfo.error', 'end_session.error']) {
    // The types list each event by itself; what these four say is the same.
    (provider as EventEmitter).on(event, (_ctx: unknown, error: Error) => log.refused(event, error));
  }
  return provider;
}

const BINDING = 'tls_client_certificate_bound_access_tokens';

/** What oidc-provider finds wrong with a client's metadata, or undefined. */
export function clientFault(provider: Provider, record: ClientRecord): string | undefined {
  const [brandFault] = brandFaults(record.metadata);
  if (brandFault !== undefined) return brandFault;
  try {
    // The constructor validates; the types hide it because only oidc-provider itself makes clients.
    const Client = provider.Client as unknown as new (metadata: object) => { metadata(): object };
    const taken = new Client(providerMetadata(record)).metadata();
    // oidc-provider drops what it does not do: tokens would not be bound, and nobody would know.
    return record.metadata[BINDING] === true && !(BINDING in taken)
      ? `${BINDING}: no proxy hands on certificates (CLIENT_CERT_HEADER is not set)`
      : undefined;
  } catch (error) {
    const { error_description: description, message } = error as { error_description?: string; message: string };
    return description ?? message;
  }
}

/** Whether oidc-provider lost the thread of an authorization request: a cookie is gone, or the request is. */
export const isLostRequest = (error: unknown): boolean => error instanceof errors.SessionNotFound;
