import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { MEMBER } from '../../../support/provider.ts';
import { Visitor } from '../../../support/visitor.ts';
import { call } from '../answers.ts';
import type { RelyingParty } from '../suite.ts';
import { type Bench, CALLBACK, refusal } from './bench.ts';
import { makeClientKey } from './clients.ts';

const SECRET_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** What the provider says about itself, and what it makes of what a client says about itself. */
export function registrationModules(at: () => Bench): void {
  test('oidcc-discovery-endpoint-verification', async () => {
    const { clients, provider } = at();
    const { issuer } = provider;
    const { status, headers, body } = await call(`${issuer}/.well-known/openid-configuration`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toMatchObject({
      issuer,
      // The suite wants `id_token` and `id_token token` as well. There is no implicit flow here (RFC 9700 2.1.2).
      response_types_supported: ['code'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
      subject_types_supported: ['public', 'pairwise'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      userinfo_signing_alg_values_supported: ['ES256', 'RS256'],
      request_object_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt', 'client_secret_basic']),
      scopes_supported: expect.arrayContaining(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']),
      claims_supported: expect.arrayContaining(['sub', 'name', 'email']),
      ui_locales_supported: ['en', 'es'],
      code_challenge_methods_supported: ['S256'],
    });
    expect(body).not.toMatchObject({ grant_types_supported: expect.arrayContaining(['implicit']) });

    // Endpoints are as much https as the issuer, which is plain http on this machine only.
    const addresses = Object.entries(clients.server).filter(([name]) => /_(endpoint|uri)$/.test(name));
    expect(addresses.map(([name]) => name)).toEqual(
      expect.arrayContaining(['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'registration_endpoint']),
    );
    for (const [, address] of addresses) expect(String(address)).toMatch(new RegExp(`^${issuer}/`));

    const published = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.enum(['EC', 'RSA']) })) });
    const { keys } = published.parse((await call(clients.server.jwks_uri)).body);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    expect(keys.flatMap((key) => SECRET_PARTS.filter((part) => part in key))).toEqual([]);
  });

  test('oidcc-server', async () => {
    const { registered, signIn } = await at().clients.make();
    expect(registered).toMatchObject({
      ...{ client_id_issued_at: expect.any(Number), contacts: ['certification@suite.example'] },
      ...{ response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'] },
      ...{ application_type: 'web', subject_type: 'public', id_token_signed_response_alg: 'RS256' },
    });
    expect(registered).not.toHaveProperty('client_secret');
    await signIn();
  });

  /** The page on which the member is asked whether this app may see what it wants. */
  const consentPage = async (app: RelyingParty): Promise<string> => {
    const visitor = new Visitor();
    const page = await visitor.submit(await visitor.go(app.request().url, app.issuer), MEMBER, app.issuer);
    expect(page.body).toContain('id="allow"');
    await app.signIn(visitor);
    return page.body;
  };

  // "The OpenID Provider SHOULD display this image" (Dynamic Client Registration 1.0, 2). It has to come from us: our pages
  // make no request to anybody else.
  test('oidcc-registration-logo-uri', async () => {
    const logo_uri = `${at().secure.origin}/logo.png`;
    const page = await consentPage(await at().clients.make({ logo_uri }));
    // The suite wants a picture of the page, for a person to judge. No page of ours loads anything from elsewhere:
    // logos are uploaded by administrators and served by us. Until then the page shows the name alone.
    expect(page).toContain('It asks to:');
    expect(page).not.toContain(logo_uri);
  });

  test('oidcc-registration-policy-uri', async () => {
    const policy_uri = 'https://suite.example/policy?of=the&app';
    const page = await consentPage(await at().clients.make({ policy_uri }));
    expect(page).toContain('id="app-policy" href="https://suite.example/policy?of=the&amp;app"');
  });

  test('oidcc-registration-tos-uri', async () => {
    const page = await consentPage(await at().clients.make({ tos_uri: 'https://suite.example/terms' }));
    expect(page).toContain('id="app-terms" href="https://suite.example/terms"');
  });

  test('oidcc-registration-jwks-uri', async () => {
    const { clients, suite } = at();
    const key = await makeClientKey('published');
    suite.answer(() => ({ body: { keys: [key.jwk] } }));
    const app = await clients.make({ jwks: undefined, jwks_uri: `${suite.origin}/keys-of-this-module` }, { key });
    await app.signIn();
    expect(suite.heard.map(({ path }) => path)).toContain('/keys-of-this-module');
  });

  const pairwise = () => ({ subject_type: 'pairwise', sector_identifier_uri: `${at().secure.origin}/sector.json` });

  test('oidcc-registration-sector-uri', async () => {
    const { clients, secure } = at();
    const redirect_uris = [CALLBACK, 'https://another.example/callback'];
    secure.answer(() => ({ body: redirect_uris }));
    const one = await (await clients.make({ ...pairwise(), redirect_uris })).signIn();
    const another = await (await clients.make({ ...pairwise(), redirect_uris })).signIn();
    const open = await (await clients.make()).signIn();
    expect(one.claims.sub).toBe(another.claims.sub);
    expect(one.claims.sub).not.toBe(open.claims.sub);
  });

  test('oidcc-registration-sector-bad', async () => {
    const { clients, secure } = at();
    secure.answer(() => ({ body: ['https://another.example/callback'] }));
    expect(await clients.ask(pairwise())).toMatchObject(refusal('invalid_client_metadata', 'must be included in the'));
  });
}
