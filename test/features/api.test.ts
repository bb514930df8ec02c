import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { openApiText } from '../../scripts/openapi.ts';
import { apiScript, type Reply, scriptClient } from '../support/apiScript.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, ROOT, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { within } from '../support/within.ts';

const WEB = {
  client_name: 'Care Messages',
  redirect_uris: ['https://app.example/callback'],
  client_uri: 'https://app.example/',
  first_party: true,
};

test('docs/openapi.json is what `npm run openapi` writes', () =>
  expect(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')).toBe(openApiText()));

describeOnEveryStore("an administrator's script", (pair) => {
  let provider: RunningProvider;
  let script: Awaited<ReturnType<typeof apiScript>>;
  beforeAll(async () => {
    const services = [
      scriptClient('deployer'),
      scriptClient('reader', { scope: 'clients:read' }),
      scriptClient('other', { scope: 'openid records:read' }),
      scriptClient('fallen'),
      scriptClient('bound', { dpop_bound_access_tokens: true }),
    ];
    provider = await startProvider(pair, { clients: [...services, webClient({ client_id: 'app' })] });
    script = await apiScript(provider, 'deployer');
  });
  afterAll(() => provider.close());

  const registered = async (more: object = {}): Promise<Reply> => {
    const made = await script.ask('POST', '/clients', { kind: 'web', metadata: WEB, ...more });
    expect(made.status).toBe(201);
    return made;
  };
  const appOf = (client_id: string, client_secret: string) =>
    RelyingParty.discover(provider.issuer, webClient({ client_id, client_secret }));
  const signsIn = async (id: string, secret: string) => {
    const app = await appOf(id, secret);
    const started = await app.start();
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER);
    return app.redeem(back.url, started).catch((error: { error?: string }) => error.error);
  };
  const problem = (status: number, name: string) => ({
    status,
    type: 'application/problem+json',
    body: expect.objectContaining({ status, type: `/api/v1/openapi.json#${name}`, request_id: expect.any(String) }),
  });

  test('registers an app by its kind, and members sign in through it', async () => {
    const { headers, body } = await registered({ client_id: 'by-kind' });
    expect(headers.get('location')).toBe(`${provider.issuer}/api/v1/clients/by-kind`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      ...{ client_id: 'by-kind', disabled: false, secrets: [{ created_at: expect.any(String) }] },
      metadata: { ...WEB, token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'ES256' },
    });
    expect(await signsIn('by-kind', String(body.client_secret))).toHaveProperty('id_token');
    const { body: shown } = await script.ask('GET', '/clients/by-kind');
    expect(JSON.stringify(shown)).not.toContain(body.client_secret);
    const plain = await registered({ kind: undefined, metadata: { ...WEB, token_endpoint_auth_method: 'none' } });
    expect(plain.body.client_id).toMatch(/^care-messages-[0-9a-f]{8}$/);
    expect(plain.body).not.toHaveProperty('client_secret');
  });

  test('rotates a secret: both work, and then only the new one', async () => {
    const { body } = await registered({ client_id: 'rotated' });
    const rotated = await script.ask('POST', '/clients/rotated/rotate-secret', { overlap_seconds: 3_600 });
    const [old, fresh] = [String(body.client_secret), String(rotated.body.client_secret)];
    expect(await signsIn('rotated', old)).toHaveProperty('id_token');
    expect(await signsIn('rotated', fresh)).toHaveProperty('id_token');
    expect((await script.ask('POST', '/clients/rotated/end-old-secrets')).status).toBe(200);
    expect(await signsIn('rotated', old)).toBe('invalid_client');
    expect(await signsIn('rotated', fresh)).toHaveProperty('id_token');
  });

  test('disables an app: its opaque tokens stop within 5 s, and come back with it', async () => {
    const { body } = await registered({ client_id: 'switched' });
    const tokens = (await signsIn('switched', String(body.client_secret))) as { access_token: string };
    const isTaken = async () => {
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      return (await fetch(`${provider.issuer}/me`, { headers })).status === 200;
    };
    expect(await isTaken()).toBe(true);
    expect((await script.ask('POST', '/clients/switched/disable')).body).toMatchObject({ disabled: true });
    await within(5, async () => !(await isTaken()));
    await script.ask('POST', '/clients/switched/enable');
    await within(5, isTaken);
  });

  test('changes an app, tells who and why, and never overwrites what another has changed', async () => {
    const { headers } = await registered({ client_id: 'changed' });
    const first = { 'if-match': String(headers.get('etag')) };
    const reason = { ...first, 'x-reason': 'Umzug nach Zürich' };
    const patch = {
      metadata: { client_name: 'Care Letters', client_uri: 'https://letters.example/', first_party: null },
    };
    const patched = await script.patch('/clients/changed', patch, reason);
    expect(patched.body).toMatchObject({ metadata: { client_name: 'Care Letters' } });
    expect(patched.body.metadata).not.toHaveProperty('first_party');
    expect(patched.headers.get('etag')).not.toBe(headers.get('etag'));
    expect(await script.patch('/clients/changed', patch, first)).toMatchObject(problem(412, 'client-moved-on'));
    const put = { metadata: { ...WEB, client_name: 'Care Calls' } };
    const etag = { 'if-match': `"other", ${patched.headers.get('etag')}` };
    expect(await script.ask('PUT', '/clients/changed', put, first)).toMatchObject(problem(412, 'client-moved-on'));
    expect((await script.ask('PUT', '/clients/changed', put, etag)).body).toMatchObject({
      metadata: { client_name: 'Care Calls', id_token_signed_response_alg: 'ES256' },
    });
    expect((await script.patch('/clients/changed', patch, { 'if-match': '*' })).status).toBe(200);
    expect(await script.ask('DELETE', '/clients/changed', undefined, etag)).toMatchObject(
      problem(412, 'client-moved-on'),
    );

    const { body } = await script.ask('GET', '/clients/changed/history');
    const changes = body.changes as { action: string; fields: object[] }[];
    expect(changes.map(({ action }) => action)).toEqual(['changed', 'changed', 'changed', 'registered']);
    expect(changes[2]).toMatchObject({ by: 'client deployer', reason: 'Umzug nach Zürich' });
    expect(changes[2]?.fields).toEqual([
      { name: 'client_name', from: 'Care Messages', to: 'Care Letters' },
      { name: 'client_uri', from: 'https://app.example/', to: 'https://letters.example/' },
      { name: 'first_party', from: true },
    ]);
    const page = await script.ask('GET', '/clients/changed/history?limit=3');
    const rest = await script.follow(String(page.body.next));
    expect(rest.body).toMatchObject({ changes: [{ action: 'registered' }], next: null });
  });

  test('deletes an app, whose history stays; the same id is another app afterwards', async () => {
    const { headers } = await registered({ client_id: 'deleted' });
    const etag = { 'if-match': String(headers.get('etag')) };
    expect((await script.ask('DELETE', '/clients/deleted', undefined, etag)).status).toBe(204);
    expect(await script.ask('GET', '/clients/deleted')).toMatchObject(problem(404, 'client-unknown'));
    const { body } = await script.ask('GET', '/clients/deleted/history');
    expect(body).toMatchObject({ changes: [{ action: 'deleted' }, { action: 'registered' }], next: null });
    // The ETag of a client has the second of its birth in it.
    await delay(1_000);
    await registered({ client_id: 'deleted' });
    expect(await script.ask('DELETE', '/clients/deleted', undefined, etag)).toMatchObject(
      problem(412, 'client-moved-on'),
    );
  });

  test('of twenty requests with one Idempotency-Key one registers, and all hear of it', async () => {
    const key = { 'idempotency-key': '"7f0b0d6e"' };
    const register = (metadata: object) => script.ask('POST', '/clients', { kind: 'web', metadata }, key);
    const made = await Promise.all(Array.from({ length: 20 }, () => register(WEB)));
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(made.map(({ body }) => `${body.client_id} ${body.client_secret}`)).size).toBe(1);
    const later = await register(WEB);
    expect([later.body, later.headers.get('etag')]).toEqual([made[0]?.body, made[0]?.headers.get('etag')]);
    expect(await register({ ...WEB, client_name: 'Another' })).toMatchObject(problem(422, 'key-reused'));
    // Nothing was done by a request that was refused.
    const other = { 'idempotency-key': 'refused-first' };
    const wrong = { kind: 'web', metadata: { ...WEB, redirect_uris: ['http://app.example/'] } };
    expect(await script.ask('POST', '/clients', wrong, other)).toMatchObject(problem(422, 'client-refused'));
    expect((await script.ask('POST', '/clients', { kind: 'web', metadata: WEB }, other)).status).toBe(201);
  });

  test('reads all clients page by page, none twice and none left out while others are added', async () => {
    const before = ((await script.ask('GET', '/clients?limit=200')).body.clients as { client_id: string }[]).length;
    const seen: string[] = [];
    let next: string | null = `${provider.issuer}/api/v1/clients?limit=3`;
    for (let added = 0; next !== null; added += 1) {
      const { body, headers }: Reply = await script.follow(next);
      seen.push(...(body.clients as { client_id: string }[]).map(({ client_id }) => client_id));
      next = body.next as string | null;
      expect(headers.get('link')).toBe(next === null ? null : `<${next}>; rel="next"`);
      if (added < 3) await registered({ client_id: `added-${added}` });
    }
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen.length).toBeGreaterThanOrEqual(before);
    expect(seen).toEqual(expect.arrayContaining(['app', 'deployer', 'reader']));
  });

  test('exports all, and imports them where they were changed: first dry, and nothing where one is refused', async () => {
    await registered({ client_id: 'moved' });
    const { body: all } = await script.ask('GET', '/export');
    const exported = all.clients as { client_id: string; metadata: object }[];
    const unchanged = await script.ask('POST', '/import?dry_run=true', all);
    const told = unchanged.body.clients as { outcome: string; faults: string[] }[];
    expect(told.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([]);

    const moved = exported.filter(({ client_id }) => client_id === 'moved').map((one) => ({ ...one, disabled: true }));
    const fresh = { client_id: 'imported', metadata: WEB };
    const clients = [...moved, fresh];
    const outcomes = [
      { client_id: 'moved', outcome: 'changed', fields: [{ name: 'disabled', from: false, to: true }] },
      { client_id: 'imported', outcome: 'registered' },
    ];
    const dry = await script.ask('POST', '/import?dry_run=true', { clients });
    expect(dry.body).toMatchObject({ written: false, clients: outcomes });
    expect((await script.ask('GET', '/clients/imported')).status).toBe(404);
    const bad = { client_id: 'bad', metadata: { ...WEB, redirect_uris: ['https://*.example/'] } };
    expect(await script.ask('POST', '/import', { clients: [...clients, bad] })).toMatchObject({
      ...problem(422, 'import-refused'),
      body: { errors: [{ pointer: '/clients/2/metadata', detail: expect.stringContaining('wildcard') }] },
    });
    expect((await script.ask('GET', '/clients/imported')).status).toBe(404);
    const done = await script.ask('POST', '/import', { clients });
    expect(done.body).toMatchObject({ written: true, clients: outcomes });
    const secret = (done.body.clients as { client_secret?: string }[])[1]?.client_secret;
    expect(await signsIn('imported', String(secret))).toHaveProperty('id_token');
    expect((await script.ask('GET', '/clients/moved')).body).toMatchObject({ disabled: true });
  });

  describe('is refused, with all that is wrong,', () => {
    test.each([
      ['a redirect URI that is unsafe', { redirect_uris: ['http://app.example/'] }, 'is on plain http'],
      ['no front page', { client_uri: undefined }, 'front page is missing'],
      ['what the protocol does not know', { grant_types: ['password'] }, 'grant_types'],
      ['an address that is none', { policy_uri: 'nowhere' }, 'policy_uri'],
    ])('for %s', async (_, wrong, words) => {
      const answer = await script.ask('POST', '/clients', { kind: 'web', metadata: { ...WEB, ...wrong } });
      expect(answer).toMatchObject(problem(422, 'client-refused'));
      expect(JSON.stringify(answer.body.errors)).toContain(words);
    });

    test('for fields that are unknown or of another type, each by its place', async () => {
      const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'secret' };
      const body = {
        ...{ kind: 'spa', colour: 'red' },
        metadata: { ...WEB, redirect_uris: 'https://app.example/', client_secret: 'mine', jwks: { keys: [key] } },
      };
      const answer = await script.ask('POST', '/clients', body);
      expect(answer).toMatchObject(problem(400, 'request-wrong'));
      const pointers = (answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer).toSorted();
      expect(pointers).toEqual([
        ...['/colour', '/kind', '/metadata/client_secret', '/metadata/jwks/keys/0/d', '/metadata/redirect_uris'],
      ]);
    });

    test.each([
      ['GET', '/clients?limit=0', 400],
      ['GET', '/clients?limit=10&limit=20', 400],
      ['GET', '/clients?access_token=x', 400],
      ['POST', '/clients/app/disable?now=true', 400],
      ['GET', '/clients/nobody', 404],
      ['GET', '/clients/nobody/history', 404],
      ['POST', '/clients/nobody/disable', 404],
      ['GET', '/clients/%E0%A4%A/history', 404],
      ['GET', '/nothing', 404],
      ['GET', '', 404],
      ['DELETE', '/clients', 405],
      ['OPTIONS', '/clients', 405],
      ['DELETE', '/clients/app', 428],
    ])('%s %s: %s', async (method, path, status) => {
      const answer = await script.ask(method, path);
      expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
      if (status === 405) expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });

    test.each([
      ['PUT without If-Match', 'PUT', '/clients/app', { 'content-type': 'application/json' }, '{"metadata":{}}', 428],
      ['a weak ETag', 'PUT', '/clients/app', { 'if-match': 'W/"1"' }, '{"metadata":{}}', 412],
      ['no type', 'POST', '/clients', { 'content-type': '' }, '{}', 415],
      ['a form', 'POST', '/clients', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415],
      ['another charset', 'POST', '/clients', { 'content-type': 'application/json; charset=latin1' }, '{}', 415],
      ['a patch as plain JSON', 'PATCH', '/clients/app', { 'if-match': '*' }, '{}', 415],
      ['no JSON', 'POST', '/clients', {}, '{', 400],
      ['a list', 'POST', '/clients', {}, '[]', 400],
      ['a body where none is taken', 'POST', '/clients/app/disable', {}, '{}', 400],
      [
        'too long a body',
        'POST',
        '/clients',
        {},
        JSON.stringify({ metadata: { client_name: 'x'.repeat(70_000) } }),
        413,
      ],
      ['an odd key', 'POST', '/clients', { 'idempotency-key': 'two words' }, '{}', 400],
      ['too long a reason', 'POST', '/clients', { 'x-reason': 'x'.repeat(501) }, '{}', 400],
    ])('for %s', async (_, method, path, headers, body, status) => {
      const answer = await script.send(method, path, { 'content-type': 'application/json', ...headers }, body);
      expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
    });

    test('for its own registration, which it could lock itself out of; only its secret it rotates itself', async () => {
      const any = { 'if-match': '*' };
      const self = { client_id: 'deployer', metadata: { ...WEB, client_name: 'Another' } };
      for (const answer of [
        await script.ask('POST', '/clients/deployer/disable'),
        await script.ask('DELETE', '/clients/deployer', undefined, any),
        await script.patch('/clients/deployer', { metadata: { scope: 'openid' } }, any),
        await script.ask('PUT', '/clients/deployer', { metadata: WEB }, any),
        await script.ask('POST', '/import', { clients: [self] }),
      ])
        expect(answer).toMatchObject(problem(409, 'own-registration'));
      expect((await script.ask('POST', '/clients/deployer/rotate-secret', {})).status).toBe(200);
    });

    test('for an id that is taken, one of our own, and a secret where there is none', async () => {
      for (const client_id of ['app', 'account-pages']) {
        const again = await script.ask('POST', '/clients', { client_id, kind: 'web', metadata: WEB });
        expect(again).toMatchObject(problem(409, 'client-exists'));
      }
      await registered({ client_id: 'public', kind: 'single-page' });
      const rotate = await script.ask('POST', '/clients/public/rotate-secret', {});
      expect(rotate).toMatchObject(problem(409, 'client-has-no-secret'));
    });
  });

  describe('needs a token', () => {
    const challenge = ({ headers }: Reply) => headers.get('www-authenticate');

    test('at all, of ours, and for this API', async () => {
      const none = await script.send('GET', '/clients', { authorization: '' });
      expect(none).toMatchObject(problem(401, 'token-missing'));
      expect(challenge(none)).toBe('Bearer realm="clients", scope="clients:read"');
      const other = await apiScript(provider, 'other', {
        ...{ resource: 'https://api.meadowlark.example/records', scope: 'records:read' },
      });
      for (const answer of [
        await script.send('GET', '/clients', { authorization: 'Bearer nonsense' }),
        await script.send('GET', '/clients', { authorization: 'Basic YTpi' }),
        await other.ask('GET', '/clients'),
      ]) {
        expect(answer).toMatchObject(problem(401, 'token-invalid'));
        expect(challenge(answer)).toBe('Bearer realm="clients", error="invalid_token", scope="clients:read"');
      }
    });

    test('with the scope, as long as the registration lists it', async () => {
      const reader = await apiScript(provider, 'reader');
      expect((await reader.ask('GET', '/clients')).status).toBe(200);
      const refused = await reader.ask('POST', '/clients', { kind: 'web', metadata: WEB });
      expect(refused).toMatchObject(problem(403, 'scope-missing'));
      expect(challenge(refused)).toBe('Bearer realm="clients", error="insufficient_scope", scope="clients:write"');
      await script.patch('/clients/reader', { metadata: { scope: 'records:read' } }, { 'if-match': '*' });
      expect(await reader.ask('GET', '/clients')).toMatchObject(problem(403, 'scope-missing'));
    });

    test('of a client that is neither disabled nor deleted, at once', async () => {
      const fallen = await apiScript(provider, 'fallen');
      expect((await fallen.ask('GET', '/clients')).status).toBe(200);
      await script.ask('POST', '/clients/fallen/disable');
      expect(await fallen.ask('GET', '/clients')).toMatchObject(problem(401, 'token-invalid'));
      await script.ask('POST', '/clients/fallen/enable');
      expect((await fallen.ask('GET', '/clients')).status).toBe(200);
      await script.ask('DELETE', '/clients/fallen', undefined, { 'if-match': '*' });
      expect(await fallen.ask('GET', '/clients')).toMatchObject(problem(401, 'token-invalid'));
    });

    test('that stands for no member: an app gets none for this API, and an ID token is none', async () => {
      const app = await RelyingParty.discover(provider.issuer, webClient({ client_id: 'app' }));
      const resource = `${provider.issuer}/api/v1`;
      const started = await app.start({ scope: 'openid clients:write', resource });
      expect((await new Visitor().go(started.url, provider.issuer)).url).toContain('error=invalid_target');
      const plain = await app.start();
      const back = await signIn(new Visitor(), provider.issuer, plain, MEMBER);
      const { id_token, access_token } = await app.redeem(back.url, plain);
      for (const token of [id_token, access_token]) {
        const answer = await script.send('GET', '/clients', { authorization: `Bearer ${token}` });
        expect(answer).toMatchObject(problem(401, 'token-invalid'));
      }
      const again = await app.start();
      const code = await signIn(new Visitor(), provider.issuer, again, MEMBER);
      await expect(app.redeem(code.url, again, { resource })).rejects.toMatchObject({ error: 'invalid_target' });
    });

    test('that is bound to nothing', async () => {
      const { config } = await RelyingParty.discover(provider.issuer, scriptClient('bound'));
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
      const asked = { resource: `${provider.issuer}/api/v1`, scope: 'clients:read' };
      const { access_token } = await openid.clientCredentialsGrant(config, asked, { DPoP });
      for (const scheme of ['Bearer', 'DPoP']) {
        const answer = await script.send('GET', '/clients', { authorization: `${scheme} ${access_token}` });
        expect(answer).toMatchObject(problem(401, 'token-bound'));
      }
    });
  });
});
