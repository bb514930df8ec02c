import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../../support/certificates.ts';
import { type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { clientCert, type FapiClient, FapiParty, makeClient } from './fapiClient.ts';
import { authorize, BEHIND_PROXY, push, redeem, refusal, refusalOfPush, succeed } from './fapiFlow.ts';

describe('a client certificate in a header', () => {
  let client: FapiClient;
  let bound: FapiClient;
  const providers: RunningProvider[] = [];
  const start = async (env: Record<string, string>) => {
    const clients = [client.metadata, bound.metadata];
    const provider = await startProvider(STORE_PAIRS[0], { clients, env });
    providers.push(provider);
    return provider.issuer;
  };
  beforeAll(async () => {
    client = await makeClient('certified', { auth: 'self_signed_tls_client_auth', binding: 'mTLS' }, 'ES256');
    bound = await makeClient('bound', { auth: 'private_key_jwt', binding: 'mTLS' }, 'ES256');
  });
  afterAll(() => Promise.all(providers.map((provider) => provider.close())));

  test.each([
    ['nobody is one', { CLIENT_CERT_HEADER: 'Client-Cert' }],
    ['another address is one', { TRUSTED_PROXIES: '192.0.2.1', CLIENT_CERT_HEADER: 'Client-Cert' }],
  ])('is ignored where it does not come from a proxy: %s', async (_, env) => {
    const issuer = await start(env);
    expect(await refusalOfPush(new FapiParty(issuer, client), {})).toEqual([401, 'invalid_client']);
    const party = new FapiParty(issuer, bound);
    const { pushed, code } = await authorize(party);
    expect(refusal(await redeem(party, pushed, code))).toEqual([400, 'invalid_grant']);
  });

  test('is ignored where it comes from a proxy and is no certificate, or more than one', async () => {
    const party = new FapiParty(await start(BEHIND_PROXY), client);
    const [mine, other] = [clientCert(client.certified), clientCert(bound.certified)];
    const pem = encodeURIComponent(client.certified.certificate.toString());
    for (const value of ['', ':AAAA:', 'made up', mine.slice(1), `${mine}, ${other}`, other, `${pem}x`.slice(8)]) {
      const change = { certificate: 'none', headers: [['Client-Cert', value]] } as const;
      expect([value, await refusalOfPush(party, {}, change)]).toEqual([value, [401, 'invalid_client']]);
    }
    // A proxy that adds its line to the one that the client sent.
    expect(await refusalOfPush(party, {}, { headers: [['Client-Cert', other]] })).toEqual([401, 'invalid_client']);
    await push(party, {}, { certificate: 'none', headers: [['client-cert', pem]] });
    await push(party);
  });

  test('is read from the header that the operator names, and from no other', async () => {
    const party = new FapiParty(await start({ ...BEHIND_PROXY, CLIENT_CERT_HEADER: 'X-SSL-Cert' }), client);
    expect(await refusalOfPush(party, {})).toEqual([401, 'invalid_client']);
    await push(party, {}, { certificate: 'none', headers: [['x-ssl-cert', clientCert(client.certified)]] });
  });
});

describe('tls_client_auth with mTLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const authority = makeCertificate({ commonName: 'Test Authority', authority: true });
  let provider: RunningProvider;
  let one: FapiParty;
  let two: FapiParty;
  beforeAll(async () => {
    const file = join(folder, 'authorities.pem');
    writeFileSync(
      file,
      `${makeCertificate({ commonName: 'Another', authority: true }).certificate}${authority.certificate}`,
    );
    const make = (id: string) => makeClient(id, { auth: 'tls_client_auth', binding: 'mTLS' }, 'ES256', authority);
    const [first, second] = await Promise.all([make('one'), make('two')]);
    provider = await startProvider(STORE_PAIRS[0], {
      clients: [first.metadata, second.metadata],
      env: { ...BEHIND_PROXY, MTLS_CA_FILE: file },
    });
    one = new FapiParty(provider.issuer, first);
    two = new FapiParty(provider.issuer, second);
  });
  afterAll(async () => {
    await provider.close();
    rmSync(folder, { recursive: true });
  });

  test('fapi2-security-profile-final-happy-flow', async () => {
    const document = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
    expect(await document.json()).toMatchObject({
      token_endpoint_auth_methods_supported: expect.arrayContaining(['tls_client_auth']),
    });
    await succeed(one);
    const { accessToken } = await succeed(two);
    expect(refusal(await one.resource(accessToken))).toEqual([401, 'invalid_token']);
  });

  test('a certificate opens its own client only, from a known authority, and while it is valid', async () => {
    const name = { commonName: 'one', organization: 'Meadowlark, Inc.' };
    const stranger = makeCertificate({ commonName: 'Test Authority', authority: true });
    const [past, future] = [new Date('2021-01-01'), new Date('2048-01-01')];
    for (const certificate of [
      two.client.certified,
      makeCertificate(name),
      makeCertificate({ ...name, issuer: stranger }),
      makeCertificate({ ...name, issuer: one.client.certified }),
      makeCertificate({ ...name, organization: 'Meadowlark', issuer: authority }),
      makeCertificate({ commonName: 'one', issuer: authority }),
      makeCertificate({ ...name, issuer: authority, validTo: past }),
      makeCertificate({ ...name, issuer: authority, validFrom: future }),
    ]) {
      expect(await refusalOfPush(one, {}, { certificate })).toEqual([401, 'invalid_client']);
    }
    // Renewed by the same authority.
    await push(one, {}, { certificate: makeCertificate({ ...name, issuer: authority }) });
  });
});
