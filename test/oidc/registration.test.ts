import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { changesOf } from '../../src/core/client/changes.ts';
import { apiScript, scriptClient } from '../support/apiScript.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { call, type Reply } from './conformance/answers.ts';
import { initialAccessToken, manage, register, suiteRegistration } from './conformance/registration.ts';
import { discover } from './conformance/suite.ts';

describeOnEveryStore('a client that registers itself', (pair) => {
  let provider: RunningProvider;
  let script: Awaited<ReturnType<typeof apiScript>>;
  let ask: (metadata?: object) => Promise<Reply>;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [scriptClient('deployer')] });
    script = await apiScript(provider, 'deployer');
    const [server, access] = [await discover(provider.issuer), await initialAccessToken(provider, ['member'])];
    ask = (metadata) => register({ server }, access, suiteRegistration(metadata));
  });
  afterAll(() => provider.close());

  const registered = async (metadata?: object) => {
    const reply = await ask(metadata);
    expect(reply.status).toBe(201);
    return { reply, id: String((reply.body as { client_id: string }).client_id) };
  };
  /** Sends back what it reads of itself, but for this (RFC 7592 2.2). */
  const update = async (reply: Reply, change: (body: Record<string, unknown>) => object) => {
    const { body } = await manage(reply, 'GET');
    const {
      registration_access_token,
      registration_client_uri,
      client_id_issued_at,
      client_secret_expires_at,
      ...rest
    } = body as Record<string, unknown>;
    const updated = await call(String(registration_client_uri), {
      method: 'PUT',
      headers: { authorization: `Bearer ${registration_access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(change(rest)),
    });
    return updated;
  };
  const refused = (words: string) => ({
    ...{ status: 400, body: { error: 'invalid_client_metadata', error_description: expect.stringContaining(words) } },
  });

  test.each([
    ['an address with a wildcard', { redirect_uris: ['https://app.example/*'] }, 'has a wildcard'],
    [
      'a scheme that others may take',
      { application_type: 'native', redirect_uris: ['myapp:/callback'] },
      'which other apps may take',
    ],
  ])('is held to the rules of an administrator: not %s', async (_, metadata, words) => {
    expect(await ask(metadata)).toMatchObject(refused(words));
  });

  test('cannot give itself the scopes of an API, ours least of all', async () => {
    const service = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
    expect((await ask({ ...service, scope: 'clients:write' })).status).toBe(400);
    expect(await ask({ ...service, api_scopes: ['clients:write'] })).toMatchObject(refused('by the administrators'));
    const { reply } = await registered(service);
    expect((await update(reply, (body) => ({ ...body, scope: 'clients:write' }))).status).toBe(400);
    expect(await update(reply, (body) => ({ ...body, api_scopes: ['clients:write'] }))).toMatchObject(
      refused('by the administrators'),
    );
  });

  test('may send its own secret along with an update, and no other (RFC 7592 2.2)', async () => {
    const { reply, id } = await registered();
    const { client_secret } = reply.body as { client_secret: string };
    const secrets = async () => (await provider.stores.clients.find(id))?.value.secrets;
    const before = await secrets();
    const updated = await update(reply, (body) => ({ ...body, client_secret, client_name: 'With its secret' }));
    expect(updated).toMatchObject({ status: 200, body: { client_name: 'With its secret' } });
    expect(JSON.stringify(updated.body)).not.toMatch(/sha256|client_secret"/);
    expect(await secrets()).toEqual(before);
    for (const other of ['another', `${client_secret} `, '', 1, null, [client_secret]]) {
      const refusal = await update(updated, (body) => ({ ...body, client_secret: other, client_name: 'Other' }));
      expect(refusal).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
    expect((await manage(updated, 'GET')).body).toMatchObject({ client_name: 'With its secret' });
  });

  test('stands in the history: how it came, what it changed, and that it left', async () => {
    const { reply, id } = await registered();
    const updated = await update(reply, (body) => ({ ...body, client_name: 'Renamed' }));
    expect(updated).toMatchObject({ status: 200, body: { client_name: 'Renamed' } });
    expect((await manage(updated, 'DELETE')).status).toBe(204);
    const changes = await changesOf(provider.stores.clientChanges, id, 10);
    expect(changes).toMatchObject([
      { action: 'disabled', by: 'registration access token' },
      {
        ...{ action: 'changed', by: 'registration access token' },
        fields: [{ name: 'client_name', from: '"Conformance Suite, registered"', to: '"Renamed"' }],
      },
      { action: 'registered', by: 'initial access token' },
    ]);
  });

  test('cannot shake off what an administrator has laid on it', async () => {
    const { reply, id } = await registered();
    const scope = 'openid records:read';
    await script.patch(
      `/clients/${id}`,
      { metadata: { require_mfa: true, scope, client_uri: 'https://suite.example/' } },
      { 'if-match': '*' },
    );
    const without = await update(reply, ({ require_mfa: _, ...body }) => body);
    expect(without).toMatchObject(refused('require_mfa is given by the administrators'));
    const kept = await update(reply, ({ scope: _, api_scopes: __, ...body }) => ({ ...body, client_name: 'Kept' }));
    expect(kept.status).toBe(200);
    expect((await script.ask('GET', `/clients/${id}`)).body.metadata).toMatchObject({
      ...{ client_name: 'Kept', require_mfa: true, scope },
    });
  });

  test('has no say in how it looks, and keeps what an administrator has said', async () => {
    const { reply, id } = await registered({ brand_color: '#5b2a86' });
    const look = async () => (await provider.stores.clients.find(id))?.value.metadata.brand_color;
    expect(await look()).toBeUndefined();
    const metadata = { client_name: 'Look', client_uri: 'https://suite.example/', brand_color: '#0b6b62' };
    expect((await script.patch(`/clients/${id}`, { metadata }, { 'if-match': '*' })).status).toBe(200);
    expect((await update(reply, (body) => ({ ...body, client_name: 'Other' }))).status).toBe(200);
    expect(await look()).toBe('#0b6b62');
  });
});
