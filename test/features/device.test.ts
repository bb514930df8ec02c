import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, TELEVISION, Visitor } from '../support/relyingParty.ts';
import { movableDate } from '../support/time.ts';

describeOnEveryStore('a member with a television', (pair) => {
  let provider: RunningProvider;
  let television: RelyingParty;
  let date: ReturnType<typeof movableDate>;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [TELEVISION] });
    television = await RelyingParty.discover(provider.issuer, TELEVISION);
  });
  afterAll(() => provider.close());
  beforeEach(() => {
    date = movableDate();
  });
  afterEach(() => date.restore());

  const begin = () => openid.initiateDeviceAuthorization(television.config, { scope: 'openid profile' });
  const poll = async (device_code: string) => {
    const body = new URLSearchParams({
      ...{ client_id: 'television', device_code, grant_type: 'urn:ietf:params:oauth:grant-type:device_code' },
    });
    return (await (await fetch(`${provider.issuer}/token`, { method: 'POST', body })).json()) as Record<string, string>;
  };
  const typeCode = async (visitor: Visitor, user_code: string) => {
    const page = await visitor.go(`${provider.issuer}/device`, provider.issuer);
    return visitor.submit(page, { user_code }, provider.issuer);
  };

  test('types its code on a phone, signs in, agrees, and the television has tokens', async () => {
    const visitor = new Visitor();
    const { device_code, user_code, verification_uri } = await begin();
    expect(user_code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    expect(verification_uri).toBe(`${provider.issuer}/device`);
    expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });

    const confirm = await typeCode(visitor, user_code.toLowerCase().replace('-', ' '));
    expect(confirm.body).toContain('Connect Care TV?');
    expect(confirm.body).toContain(user_code);
    const signIn = await visitor.submit(confirm, { confirm: 'yes' }, provider.issuer);
    const consent = await visitor.submit(signIn, MEMBER, provider.issuer);
    expect(consent.body).toContain('Share your information?');
    const done = await visitor.submit(consent, { decision: 'allow' }, provider.issuer);
    expect(done.body).toContain('Your device is connected');

    const tokens = await poll(device_code);
    expect(tokens).toMatchObject({ scope: 'openid profile', token_type: 'Bearer' });
    const { name } = await openid.fetchUserInfo(
      television.config,
      String(tokens.access_token),
      openid.skipSubjectCheck,
    );
    expect(name).toBe('Sample Member');
    expect(await poll(device_code)).toMatchObject({ error: 'invalid_grant' });
  });

  test('opens the link with the code in it, which fills in the form and sends nothing by itself', async () => {
    const visitor = new Visitor();
    const { user_code, verification_uri_complete, device_code } = await begin();
    const page = await visitor.go(String(verification_uri_complete), provider.issuer);
    expect(page.body).toContain(`value="${user_code}"`);
    expect(page.body).not.toContain('<script>');
    expect((await visitor.submit(page, { user_code }, provider.issuer)).body).toContain('Connect Care TV?');
    expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
  });

  test('stops, and the television hears of it', async () => {
    const visitor = new Visitor();
    const { device_code, user_code } = await begin();
    const stopped = await visitor.submit(await typeCode(visitor, user_code), { abort: 'yes' }, provider.issuer);
    expect(stopped.body).toContain('Nothing was connected');
    expect(await poll(device_code)).toMatchObject({ error: 'access_denied' });
  });

  test.each([
    ['none', async () => '', 422, 'Enter the code'],
    ['a wrong one', async () => 'BCDF-GHJK', 404, 'do not know this code'],
    [
      'one that is too old',
      async () => {
        const { user_code } = await begin();
        date.advance(601);
        return user_code;
      },
      404,
      'do not know this code',
    ],
    [
      'one that was used',
      async () => {
        const { user_code } = await begin();
        const other = new Visitor();
        await other.submit(await typeCode(other, user_code), { abort: 'yes' }, provider.issuer);
        return user_code;
      },
      410,
      'was used before',
    ],
  ])('types %s and is told so', async (_, codeOf, status, words) => {
    const answer = await typeCode(new Visitor(), await codeOf());
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
  });

  test('cannot be made to connect by a page of somebody else', async () => {
    const { user_code, device_code } = await begin();
    const body = new URLSearchParams({ user_code, confirm: 'yes', xsrf: 'guessed' });
    const forged = await new Visitor().fetch(`${provider.issuer}/device`, { method: 'POST', body });
    expect([forged.status, forged.headers.get('location')]).toEqual([303, '/device']);
    expect(await poll(device_code)).toMatchObject({ error: 'authorization_pending' });
  });

  test('has to wait when the network has guessed a hundred codes', async () => {
    const visitor = new Visitor();
    const page = await visitor.go(`${provider.issuer}/device`, provider.issuer);
    let answer = page;
    for (let i = 0; i < 101; i += 1) answer = await visitor.submit(answer, { user_code: 'BCDF-GHJK' }, provider.issuer);
    expect(answer.status).toBe(429);
    expect(answer.body).toContain('paused');
    const { user_code } = await begin();
    expect((await typeCode(new Visitor(), user_code)).status).toBe(429);
    for (const path of ['/device/', '/DEVICE']) {
      const body = new URLSearchParams({ user_code });
      const other = await visitor.fetch(provider.issuer + path, { method: 'POST', body });
      expect([path, other.status]).toEqual([path, 429]);
    }
  });
});
