import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { ask } from '../support/command.ts';
import { webClient } from '../support/relyingParty.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';
import { within } from '../support/within.ts';

const RECORDS = 'https://api.meadowlark.example/records';
const SERVICE = webClient({
  ...{ client_id: 'service', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
  scope: 'records:read',
});

/** Two processes on the same servers, as two nodes behind one address. */
(STORE_PAIRS[1].available ? describe : describe.skip)('two processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'two-'));
  let env: Record<string, string>;
  let processes: readonly StartedProcess[];
  beforeAll(async () => {
    const { mongoUri, redisUrl } = await freshServers();
    const clients = join(folder, 'clients.json');
    writeFileSync(clients, JSON.stringify([SERVICE]));
    env = {
      ...{ DATA_DIR: folder, CLIENTS_FILE: clients, MONGODB_URI: mongoUri, REDIS_URL: redisUrl, PORTAL_PORT: '0' },
      ...{ JWKS_MAX_AGE_SECONDS: '1', KEY_POLL_SECONDS: '1', ISSUER: 'http://localhost:3999' },
      DYNAMIC_REGISTRATION: 'open',
    };
    processes = [await startProcess(env), await startProcess(env)];
    for (const one of processes) await one.ready();
  });
  afterAll(async () => {
    for (const one of processes) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const on = (index: 0 | 1): string => String(processes[index]?.issuer);
  const tokenFrom = async (index: 0 | 1, { client_id, client_secret } = SERVICE) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: RECORDS, scope: 'records:read' });
    const authorization = `Basic ${btoa(`${client_id}:${encodeURIComponent(client_secret)}`)}`;
    const answer = await fetch(`${on(index)}/token`, { method: 'POST', body, headers: { authorization } });
    return (await answer.json()) as { access_token?: string; error?: string };
  };
  const kidFrom = async (index: 0 | 1) => jose.decodeProtectedHeader(String((await tokenFrom(index)).access_token)).kid;
  const jwksOf = async (index: 0 | 1): Promise<jose.JSONWebKeySet> =>
    (await fetch(`${on(index)}/jwks`)).json() as never;

  test('publish the same keys, and each verifies what the other has signed', async () => {
    expect(await jwksOf(0)).toEqual(await jwksOf(1));
    const { access_token } = await tokenFrom(0);
    await jose.jwtVerify(String(access_token), jose.createLocalJWKSet(await jwksOf(1)), { audience: RECORDS });
  });

  test('refuse within 5 s a client that removed itself on one of them', async () => {
    const registered = await fetch(`${on(0)}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], client_uri: 'https://app.example/' }),
    });
    const { client_id, registration_access_token } = (await registered.json()) as Record<string, string>;
    const request = new URLSearchParams({
      ...{
        client_id: String(client_id),
        response_type: 'code',
        redirect_uri: 'https://app.example/cb',
        scope: 'openid',
      },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    });
    const known = async (index: 0 | 1) =>
      (await fetch(`${on(index)}/auth?${request}`, { redirect: 'manual' })).status === 303;
    await within(1, async () => (await known(0)) && (await known(1)));
    const removed = await fetch(`${on(0)}/reg/${client_id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${registration_access_token}` },
    });
    expect(removed.status).toBe(204);
    expect(await known(0)).toBe(false);
    await within(5, async () => !(await known(1)));
  });

  test('both sign with a key that was rotated beside them, and a verifier with the old keys goes on verifying', async () => {
    const [before, old] = [await kidFrom(0), jose.createLocalJWKSet(await jwksOf(0))];
    const earlier = String((await tokenFrom(1)).access_token);
    await ask(['keys', 'rotate'], env);
    // Until every verifier can know the new key, the old one signs.
    await within(3, async () => (await jwksOf(0)).keys.length === 4 && (await jwksOf(1)).keys.length === 4);
    const known = jose.createLocalJWKSet(await jwksOf(1));
    for (const index of [0, 1] as const) {
      const { access_token } = await tokenFrom(index);
      await jose.jwtVerify(String(access_token), known);
    }
    await within(6, async () => (await kidFrom(0)) !== before && (await kidFrom(1)) !== before);
    expect(await kidFrom(0)).toBe(await kidFrom(1));
    for (const index of [0, 1] as const) {
      await jose.jwtVerify(String((await tokenFrom(index)).access_token), known);
    }
    await jose.jwtVerify(earlier, old);
    await jose.jwtVerify(earlier, jose.createLocalJWKSet(await jwksOf(0)));
  });

  test('refuse within 5 s a client that the command has disabled', async () => {
    expect((await tokenFrom(0)).error).toBeUndefined();
    expect((await tokenFrom(1)).error).toBeUndefined();
    await ask(['clients', 'disable', 'service'], env);
    await within(5, async () =>
      (await Promise.all(([0, 1] as const).map((index) => tokenFrom(index)))).every(
        ({ error }) => error === 'invalid_client',
      ),
    );
  });
});
