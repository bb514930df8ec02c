import type { ClientDirectory, ClientRecord } from './client.ts';

/** The client id under which our own account pages send members to sign in. */
export const OWN_CLIENT = 'account-pages';

/** Where the browser comes back to after such a sign-in. */
export const OWN_CALLBACK = '/account/signed-in';

/**
 * Our account pages sign members in as every app does, by an authorization request: one sign-in, with step-up, and no
 * second session. They ask for no token; the code is never redeemed, and nobody knows the verifier that it wants.
 */
function ownClient(issuer: string): ClientRecord {
  return {
    metadata: {
      client_id: OWN_CLIENT,
      client_name: 'Your account',
      'client_name#es': 'Su cuenta',
      first_party: true,
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'ES256',
      grant_types: ['authorization_code'],
      redirect_uris: [issuer + OWN_CALLBACK],
      client_uri: `${issuer}/account`,
    },
    ...{ secrets: [], disabled: false, createdAt: 0, updatedAt: 0 },
  };
}

/** The directory with our own client, whom nobody registers, changes or disables. */
export function withOwnClient(directory: ClientDirectory, issuer: string): ClientDirectory {
  const own = { id: OWN_CLIENT, version: 1, value: ownClient(issuer) };
  return { ...directory, find: async (id) => (id === OWN_CLIENT ? own : directory.find(id)) };
}
