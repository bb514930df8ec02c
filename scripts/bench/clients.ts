/** The apps that every contender has. */
export const APP = {
  client_id: 'bench-app',
  client_secret: 'a secret that is long and random enough for a bench',
  client_name: 'Bench app',
  redirect_uris: ['https://app.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
};

/** Acts for itself. */
export const SERVICE = {
  client_id: 'bench-service',
  client_secret: 'another secret that is long and random enough',
  client_name: 'Bench service',
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
};

export const MEMBER_PASSWORD = 'a calm walk by the lake';

/** The sign-in name of the nth member. */
export const memberName = (n: number): string => `bench.${n}`;
