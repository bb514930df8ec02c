import { expect, test } from '@jest/globals';
import { Visitor } from '../../../support/visitor.ts';
import { walk } from '../answers.ts';
import { initialAccessToken, manage, register, registeredClient, suiteRegistration } from '../registration.ts';
import { relyingParty } from '../suite.ts';
import type { Bench } from './plan.ts';

/** What only a client shows that registers itself. */
export function registrationModules(at: () => Bench): void {
  test('oidcc-idtoken-signature', async () => {
    const { app, provider, mode } = at();
    const access = await initialAccessToken(provider, ['without-pkce']);
    const reply = await register(app, access, suiteRegistration());
    expect(reply).toMatchObject({ status: 201, body: { id_token_signed_response_alg: 'RS256' } });
    const client = registeredClient(reply);
    const registered = await relyingParty(app.issuer, client, { mode, alg: 'RS256' });
    const { header } = await registered.signIn();
    expect(header).toEqual({ alg: 'RS256', kid: expect.any(String) });
    expect((await manage(reply, 'DELETE')).status).toBe(204);
    const removed = await walk(new Visitor(), app.issuer, registered.request().url);
    expect([removed.shown, removed.end.status]).toEqual([[], 400]);
  });

  // The suite skips it where `none` is not offered; registration must then refuse it.
  test('oidcc-idtoken-unsigned', async () => {
    const { app, provider } = at();
    expect(app.server.id_token_signing_alg_values_supported).toEqual(['ES256', 'RS256']);
    const access = await initialAccessToken(provider, ['without-pkce']);
    const metadata = suiteRegistration({ id_token_signed_response_alg: 'none' });
    expect(await register(app, access, metadata)).toMatchObject({
      status: 400,
      body: { error: 'invalid_client_metadata' },
    });
  });
}
