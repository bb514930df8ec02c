import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { initialAccessToken, manage, register, suiteRegistration } from './registration.ts';
import { type RelyingParty, relyingParty, suiteClient } from './suite.ts';

describe('oidcc-3rdparty-init-login-certification-test-plan', () => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let access: string;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0], { clients: [] });
    app = await relyingParty(provider.issuer, suiteClient());
    access = await initialAccessToken(provider, ['without-pkce']);
  });
  afterAll(() => provider.close());

  const INITIATE = 'https://suite.example/login';

  test('oidcc-3rd_party-init-login', async () => {
    const registered = await register(app, access, suiteRegistration({ initiate_login_uri: INITIATE }));
    expect(registered).toMatchObject({ status: 201, body: { initiate_login_uri: INITIATE } });
    const read = await manage(registered, 'GET');
    expect(read).toMatchObject({ status: 200, body: { initiate_login_uri: INITIATE } });
    expect(read.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await manage(registered, 'DELETE')).status).toBe(204);
    expect((await manage(registered, 'GET')).status).toBe(401);
  });

  test('oidcc-3rd_party-init-login-nohttps', async () => {
    // A developer's own machine may have plain http in CLIENTS_FILE, but not over the protocol.
    for (const plain of ['http://suite.example/login', 'http://localhost:4000/login']) {
      const refused = await register(app, access, suiteRegistration({ initiate_login_uri: plain }));
      expect(refused).toMatchObject({
        status: 400,
        body: { error: 'invalid_client_metadata', error_description: expect.stringContaining('initiate_login_uri') },
      });
      expect(refused.body).not.toHaveProperty('client_id');
    }
  });
});
