import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { movableDate } from '../support/time.ts';

const CLIENT = webClient();
const LIMITED = webClient({ client_id: 'limited', scope: 'openid records:read' });
const RECORDS = 'https://api.meadowlark.example/records';

describeOnEveryStore('a refresh token', (pair) => {
  let provider: RunningProvider;
  const apps = new Map<string, RelyingParty>();
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [CLIENT, LIMITED] });
    for (const client of [CLIENT, LIMITED])
      apps.set(client.client_id, await RelyingParty.discover(provider.issuer, client));
  });
  afterAll(() => provider.close());
  beforeEach(() => {
    date = movableDate();
  });
  afterEach(() => date.restore());

  const appOf = ({ client_id }: typeof CLIENT): RelyingParty => apps.get(client_id) as RelyingParty;
  /** A member signs in; the app has its first refresh token. */
  const first = async (parameters: Record<string, string> = {}, client = CLIENT): Promise<string> => {
    const app = appOf(client);
    const started = await app.start(parameters);
    const back = await signIn(new Visitor(), provider.issuer, started, MEMBER);
    return String((await app.redeem(back.url, started)).refresh_token);
  };

  const refresh = async (refresh_token: string, more: Record<string, string> = {}, client = CLIENT) => {
    const { client_id, client_secret } = client;
    const answer = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${client_id}:${encodeURIComponent(client_secret).replaceAll('%20', '+')}`)}`,
      },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token, ...more }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };

  test('that is sent twenty times at once gives each the same successor, and the member stays signed in', async () => {
    const token = await first();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const successors = new Set(answers.map(({ body }) => body.refresh_token));
    expect(successors.size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(20);
    expect((await refresh(String([...successors][0]))).status).toBe(200);
  });

  test('that is sent again within ten seconds gives the same successor, also after that one was used', async () => {
    const token = await first();
    const { body } = await refresh(token);
    expect((await refresh(String(body.refresh_token))).status).toBe(200);
    date.advance(8);
    const late = await refresh(token);
    expect([late.status, late.body.refresh_token]).toEqual([200, body.refresh_token]);
  });

  test('that is sent again a minute later revokes the whole family', async () => {
    const token = await first();
    const successor = String((await refresh(token)).body.refresh_token);
    date.advance(60);
    expect(await refresh(token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refresh(successor)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('cannot be worked out from the one before', async () => {
    const token = await first();
    const [one, other] = [await refresh(token), await refresh(await first())];
    expect(one.body.refresh_token).not.toBe(other.body.refresh_token);
    expect(one.body.refresh_token).toMatch(/^[\w-]{43}$/);
    expect(one.body.refresh_token).not.toContain(token);
  });

  test('takes the whole scope of the app, where offline_access was dropped from it', async () => {
    const token = await first({ scope: 'openid profile offline_access' });
    const answer = await refresh(token, { scope: 'openid profile offline_access' });
    expect(answer).toMatchObject({ status: 200, body: { scope: 'openid profile' } });
  });

  test('takes the whole scope of the app, where what it can never have was dropped from it', async () => {
    const scope = 'openid profile records:read unheard-of';
    const token = await first({ scope });
    expect(await refresh(token, { scope })).toMatchObject({ status: 200, body: { scope: 'openid profile' } });
    const limited = 'openid refills:write records:read clients:read';
    const tokenOfLimited = await first({ scope: limited, resource: RECORDS }, LIMITED);
    expect(await refresh(tokenOfLimited, { scope: limited, resource: RECORDS }, LIMITED)).toMatchObject({
      status: 200,
      body: { scope: 'records:read' },
    });
    expect(await refresh(token, { scope: 'unheard-of' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });

  test('takes no scope of an API that the app could have asked for, and did not', async () => {
    const token = await first({ scope: 'openid records:read', resource: RECORDS });
    const more = { scope: 'openid records:read refills:write' };
    for (const resource of [{}, { resource: RECORDS }]) {
      expect(await refresh(token, { ...more, ...resource })).toMatchObject({
        status: 400,
        body: { error: 'invalid_scope' },
      });
    }
  });

  test('takes less scope, and never more', async () => {
    const token = await first({ scope: 'openid profile' });
    expect(await refresh(token, { scope: 'openid email' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
    const less = await refresh(token, { scope: 'openid' });
    expect(less).toMatchObject({ status: 200, body: { scope: 'openid' } });
  });

  test('ends with the session', async () => {
    const [visitor, app] = [new Visitor(), appOf(CLIENT)];
    const started = await app.start();
    const back = await signIn(visitor, provider.issuer, started, MEMBER);
    const { refresh_token } = await app.redeem(back.url, started);
    const page = await visitor.go(`${provider.issuer}/session/end`, provider.issuer);
    await visitor.submit(page, { logout: 'yes' }, provider.issuer);
    expect(await refresh(String(refresh_token))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
