import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openAppServer, openSecureAppServer } from '../../support/appServer.ts';
import { type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { movableDate } from '../../support/time.ts';
import { Visitor } from '../../support/visitor.ts';
import { call } from './answers.ts';
import type { Bench } from './dynamic/bench.ts';
import { dynamicClients } from './dynamic/clients.ts';
import { keyModules } from './dynamic/keys.ts';
import { registrationModules } from './dynamic/registration.ts';
import { requestModules } from './dynamic/requests.ts';
import { initialAccessToken, register, registeredClient, suiteRegistration } from './registration.ts';
import { discover, relyingParty } from './suite.ts';

/** Its variant with response type `code` and clients that show who they are by private_key_jwt in RS256. */
describe('oidcc-dynamic-certification-test-plan', () => {
  let bench: Bench;
  beforeAll(async () => {
    const [suite, secure] = [await openAppServer(), await openSecureAppServer()];
    const date = movableDate();
    const env = { OUTBOUND_ALLOW: `${suite.origin},${secure.origin}` };
    const provider = await startProvider(STORE_PAIRS[0], { env });
    bench = { provider, clients: await dynamicClients(provider), suite, secure, date };
  });
  afterEach(() => bench.clients.removeAll());
  afterAll(async () => {
    bench.date.restore();
    await Promise.all([bench.provider.close(), bench.suite.close(), bench.secure.close()]);
  });

  const at = () => bench;
  keyModules(at);
  requestModules(at);
  registrationModules(at);
});

describe('dynamic registration', () => {
  let provider: RunningProvider;
  afterEach(() => provider.close());

  const start = async (mode?: 'off' | 'token' | 'open') => {
    provider = await startProvider(STORE_PAIRS[0], { env: mode === undefined ? {} : { DYNAMIC_REGISTRATION: mode } });
  };
  const registerWithout = () =>
    call(`${provider.issuer}/reg`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(suiteRegistration()),
    });
  const expectPkceDemanded = async (reply: Awaited<ReturnType<typeof call>>) => {
    const party = await relyingParty(provider.issuer, registeredClient(reply), { alg: 'RS256' });
    expect(await party.obtainError(new Visitor(), party.request())).toBe('invalid_request');
  };

  test('wants an initial access token unless it is told otherwise', async () => {
    await start();
    const server = await discover(provider.issuer);
    expect(server.registration_endpoint).toBe(`${provider.issuer}/reg`);
    expect(await registerWithout()).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    const guessed = await register({ server }, 'guessed', suiteRegistration());
    expect(guessed).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    const access = await initialAccessToken(provider, ['member']);
    await expectPkceDemanded(await register({ server }, access, suiteRegistration()));
  });

  test('takes everybody where it is open, and demands PKCE of them', async () => {
    await start('open');
    const reply = await registerWithout();
    expect(reply.status).toBe(201);
    await expectPkceDemanded(reply);
  });

  test('is not there where it is off', async () => {
    await start('off');
    expect((await discover(provider.issuer)).registration_endpoint).toBeUndefined();
    expect((await registerWithout()).status).toBe(404);
  });
});
