import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { dataUrl, png } from './picture.ts';
import { type Answer, Visitor } from './visitor.ts';

/** A confidential web client as an app's developer would register it. */
export const webClient = (overrides: object = {}) => ({
  client_id: 'care-messages',
  client_secret: 'a secret that is long and random enough for a test',
  client_name: 'Care Messages',
  first_party: true,
  redirect_uris: ['https://app.example/callback'],
  post_logout_redirect_uris: ['https://app.example/bye'],
  client_uri: 'https://app.example/',
  grant_types: ['authorization_code', 'refresh_token'],
  ...overrides,
});

/** An app with a look of its own. */
export const VIOLET = webClient({
  ...{
    client_id: 'violet-care',
    client_name: 'Violet Care',
    brand_color: '#5b2a86',
    brand_logo: dataUrl(png(200, 60)),
  },
});

/** A device without a keyboard (RFC 8628). */
export const TELEVISION = webClient({
  ...{ client_id: 'television', client_name: 'Care TV', client_secret: undefined, token_endpoint_auth_method: 'none' },
  ...{ redirect_uris: [], response_types: [], application_type: 'native', first_party: false },
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
});

type Client = ReturnType<typeof webClient>;

export interface Started {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

/** A relying party on openid-client. */
export class RelyingParty {
  readonly client: Client;
  readonly config: openid.Configuration;

  private constructor(client: Client, config: openid.Configuration) {
    this.client = client;
    this.config = config;
  }

  static async discover(issuer: string, client: Client = webClient()): Promise<RelyingParty> {
    const insecure = { execute: [openid.allowInsecureRequests] };
    const metadata = client.client_secret === undefined ? undefined : client.client_secret;
    return new RelyingParty(
      client,
      await openid.discovery(new URL(issuer), client.client_id, metadata, undefined, insecure),
    );
  }

  /** The address that sends a member to sign in. */
  async start(parameters: Record<string, string> = {}): Promise<Started> {
    const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(this.config, {
      redirect_uri: String(this.client.redirect_uris[0]),
      scope: 'openid profile email',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...parameters,
    });
    return { url: url.href, verifier, state, nonce };
  }

  /** Trades the address that the member came back to for tokens. */
  redeem(cameBackTo: string, { verifier, state, nonce }: Started, parameters: Record<string, string> = {}) {
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    return openid.authorizationCodeGrant(this.config, new URL(cameBackTo), checks, parameters);
  }
}

/** The same address, made by oauth4webapi. */
export async function startWithOauth4webapi(
  server: oauth.AuthorizationServer,
  parameters: { readonly client_id: string; readonly redirect_uri: string; readonly scope: string },
): Promise<Started> {
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
  ];
  const url = new URL(String(server.authorization_endpoint));
  url.search = new URLSearchParams({
    ...{ ...parameters, response_type: 'code', state, nonce, code_challenge_method: 'S256' },
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  }).toString();
  return { url: url.href, verifier, state, nonce };
}

/** A member signs in for this relying party. Returns where their browser ends up. */
export async function signIn(
  visitor: Visitor,
  issuer: string,
  started: Started,
  member: { username: string; password: string },
): Promise<Answer> {
  const page = await visitor.go(started.url, issuer);
  return visitor.submit(page, member, issuer);
}

export { Visitor };
