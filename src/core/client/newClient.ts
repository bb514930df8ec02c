import type { ClientMetadata, ClientRecord } from './client.ts';
import { digestSecret } from './secret.ts';

/** A client as an operator brings it: registration metadata and, for a confidential one, its secret. */
export type NewClient = ClientMetadata & { readonly client_secret?: string | undefined };

/** ID tokens are in ES256 unless a client asks for another algorithm. */
export const withDefaults = (metadata: ClientMetadata): ClientMetadata => ({
  id_token_signed_response_alg: 'ES256',
  ...metadata,
});

/** The record of a new client. */
export function newClient({ client_secret, ...metadata }: NewClient, now: number): ClientRecord {
  return {
    // Without the secret the rest is still metadata, which TypeScript loses behind the index signature.
    metadata: withDefaults(metadata as ClientMetadata),
    secrets: client_secret === undefined ? [] : [{ digest: digestSecret(client_secret), createdAt: now }],
    disabled: false,
    createdAt: now,
    updatedAt: now,
  };
}
