import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import * as jose from 'jose';
import { type Certified, certificateJwk, makeCertificate } from '../../support/certificates.ts';

/** How a client of the FAPI 2.0 Security Profile shows who it is, and what its tokens are bound to. */
export interface Variant {
  readonly auth: 'private_key_jwt' | 'self_signed_tls_client_auth' | 'tls_client_auth';
  readonly binding: 'DPoP' | 'mTLS';
}

/** A key pair that signs client assertions or DPoP proofs. */
export interface SigningKey {
  readonly alg: string;
  readonly privateKey: jose.CryptoKey;
  /** The public part. */
  readonly jwk: jose.JWK;
}

export async function makeKey(alg: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: await jose.exportJWK(publicKey) };
}

/** What names a key (RFC 7638). */
export const thumbprint = ({ jwk }: SigningKey): Promise<string> => jose.calculateJwkThumbprint(jwk);

/** A registered FAPI client, with the keys that only it has. */
export interface FapiClient {
  readonly id: string;
  readonly variant: Variant;
  /** Signs the client assertions; its algorithm is the registered one. */
  readonly key: SigningKey;
  /** Signs the DPoP proofs. */
  readonly dpopKey: SigningKey;
  readonly certified: Certified;
  /** What is registered (CLIENTS_FILE). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The two registered redirect URIs; the suite registers the second for its second client. */
export const redirectUris = (id: string) =>
  [`https://${id}.example/callback`, `https://${id}.example/callback?dummy1=lorem&dummy2=ipsum`] as const;

/** `issuer`: the authority of the certificate, for tls_client_auth. */
export async function makeClient(
  id: string,
  variant: Variant,
  alg: 'ES256' | 'PS256',
  issuer?: Certified,
): Promise<FapiClient> {
  const certified = makeCertificate({
    commonName: id,
    organization: 'Meadowlark, Inc.',
    ...(issuer === undefined ? {} : { issuer }),
  });
  const key = await makeKey(alg);
  const proofs = {
    private_key_jwt: {
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [{ ...key.jwk, kid: `${id}-key`, use: 'sig', alg }] },
    },
    self_signed_tls_client_auth: { jwks: { keys: [certificateJwk(certified, `${id}-certificate`)] } },
    // The subject as RFC 4514 writes it: the most specific part first.
    tls_client_auth: { tls_client_auth_subject_dn: `CN=${id},O=Meadowlark\\, Inc.` },
  };
  const metadata = {
    client_id: id,
    client_name: `The app ${id}`,
    first_party: true,
    fapi_profile: '2.0',
    redirect_uris: redirectUris(id),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    id_token_signed_response_alg: 'ES256',
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: variant.binding === 'DPoP',
    tls_client_certificate_bound_access_tokens: variant.binding === 'mTLS',
    token_endpoint_auth_method: variant.auth,
    ...proofs[variant.auth],
  };
  return { id, variant, key, dpopKey: await makeKey(alg), certified, metadata };
}

/** What a module changes in one request; everything else is as the profile wants it. */
export interface Change {
  /** Replaces claims of the client assertion; undefined leaves one out. */
  readonly assertion?: Readonly<Record<string, unknown>>;
  /** Signs the assertion instead of the registered key. */
  readonly assertionKey?: SigningKey;
  /** Changes the finished assertion. */
  readonly finishAssertion?: (assertion: string) => string;
  /** Replaces parameters; undefined leaves one out. */
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  /** `none` sends no DPoP proof; at the PAR endpoint one is sent only where it is given. */
  readonly proof?: ProofChange | 'none';
  /** `none` shows no certificate, another client's is shown as it is. */
  readonly certificate?: Certified | 'none';
  readonly headers?: Lines;
}

export interface ProofChange {
  /** Replaces header parameters or claims; undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: SigningKey;
  /** How the name of the header is written. */
  readonly headerName?: string;
  /** Changes the finished proof, or makes several of it. */
  readonly finish?: (proof: string) => string | readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

type Lines = readonly (readonly [name: string, value: string])[];

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const now = (): number => Math.floor(Date.now() / 1000);

/** One FAPI client at one provider: it only sends, and judges nothing. */
export class FapiParty {
  readonly issuer: string;
  readonly client: FapiClient;
  /** The one of its redirect URIs that it asks for. */
  readonly redirectUri: string;

  constructor(issuer: string, client: FapiClient, redirectUri: string = redirectUris(client.id)[0]) {
    this.issuer = issuer;
    this.client = client;
    this.redirectUri = redirectUri;
  }

  /** Pushes an authorization request (RFC 9126). */
  async push(parameters: Readonly<Record<string, string | undefined>>, change: Change = {}): Promise<Reply> {
    const proof = change.proof ?? 'none';
    return this.#post('/request', { client_id: this.client.id, ...parameters }, { ...change, proof });
  }

  /** The token endpoint. */
  async token(parameters: Readonly<Record<string, string | undefined>>, change: Change = {}): Promise<Reply> {
    const proof = change.proof ?? (this.client.variant.binding === 'DPoP' ? {} : 'none');
    return this.#post('/token', parameters, { ...change, proof });
  }

  /** The resource: our UserInfo endpoint. */
  async resource(accessToken: string, change: Change & { scheme?: string; query?: string } = {}): Promise<Reply> {
    const isDpop = this.client.variant.binding === 'DPoP';
    const proof = change.proof ?? (isDpop ? {} : 'none');
    const url = `${this.issuer}/me`;
    const ath = createHash('sha256').update(accessToken).digest('base64url');
    return send('GET', url + (change.query ?? ''), [
      ...(change.query === undefined
        ? [['authorization', `${change.scheme ?? (isDpop ? 'DPoP' : 'Bearer')} ${accessToken}`] as const]
        : []),
      ...(await this.#proofs('GET', url, proof, { ath })),
      ...this.#certificate(change),
      ...(change.headers ?? []),
    ]);
  }

  async #post(path: string, parameters: Readonly<Record<string, string | undefined>>, change: Change): Promise<Reply> {
    const url = `${this.issuer}${path}`;
    const wanted = { ...parameters, ...(await this.#authentication(change)), ...change.parameters };
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value !== undefined) form.set(name, value);
    const headers = [
      ...(change.proof === undefined ? [] : await this.#proofs('POST', url, change.proof)),
      ...this.#certificate(change),
      ...(change.headers ?? []),
    ];
    return send('POST', url, [['content-type', 'application/x-www-form-urlencoded'], ...headers], form.toString());
  }

  async #authentication({ assertion, assertionKey, finishAssertion }: Change): Promise<Record<string, string>> {
    const { id, variant, key } = this.client;
    if (variant.auth !== 'private_key_jwt') return { client_id: id };
    const signer = assertionKey ?? key;
    const claims = { iss: id, sub: id, aud: this.issuer, jti: randomUUID(), iat: now(), exp: now() + 60, ...assertion };
    const signed = await new jose.SignJWT(claims)
      .setProtectedHeader({ alg: signer.alg, kid: `${id}-key` })
      .sign(signer.privateKey);
    return { client_assertion_type: ASSERTION_TYPE, client_assertion: finishAssertion?.(signed) ?? signed };
  }

  async #proofs(
    htm: string,
    htu: string,
    change: ProofChange | 'none',
    more: Readonly<Record<string, string>> = {},
  ): Promise<Lines> {
    if (change === 'none') return [];
    const { alg, privateKey, jwk } = change.key ?? this.client.dpopKey;
    const proof = await new jose.SignJWT({ jti: randomUUID(), htm, htu, iat: now(), ...more, ...change.claims })
      .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...change.header })
      .sign(privateKey);
    return [change.finish?.(proof) ?? proof].flat().map((one) => [change.headerName ?? 'DPoP', one] as const);
  }

  /** The certificate as the proxy that ends TLS hands it on (RFC 9440 2.2). */
  #certificate({ certificate }: Change): Lines {
    const { variant, certified } = this.client;
    const shown =
      certificate ?? (variant.auth !== 'private_key_jwt' || variant.binding === 'mTLS' ? certified : 'none');
    return shown === 'none' ? [] : [['Client-Cert', clientCert(shown)]];
  }
}

export const clientCert = ({ certificate }: Certified): string => `:${certificate.raw.toString('base64')}:`;

/** What a code challenge is made of (RFC 7636). */
export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** One request with exactly these header lines; `fetch` would join lines of one name and rewrite names. */
export function send(method: string, url: string, headers: Lines, body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const lines = [...headers, ...(body === undefined ? [] : [['content-length', String(Buffer.byteLength(body))]])];
    const host = ['host', new URL(url).host];
    request(url, { method, headers: [...host, ...lines.flat()], agent: false }, async (answer) => {
      const text = (await answer.setEncoding('utf8').toArray()).join('');
      const isJson = /^application\/json/.test(answer.headers['content-type'] ?? '');
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: isJson ? JSON.parse(text) : { text } });
    })
      .once('error', reject)
      .end(body);
  });
}
