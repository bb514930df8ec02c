import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { planEndingOf } from '../../src/core/membership/endings.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { importRows, rosterRow, rosterUnder } from '../support/roster.ts';

const DAY_MS = 86_400_000;
const CARD = {
  ...{ first_name: 'Sample', last_name: 'Member', birth_date: '1951-03-14', postal_code: '97201' },
  email: 'sample.member@example.com',
};

describeOnEveryStore('a membership that ends', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: [webClient()] });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  /** As `scripts/members import` does it. */
  const importRow = async (more: Readonly<Record<string, string>>) => {
    const { stores } = provider;
    const onChange = planEndingOf({ accounts: stores.accounts, schedule: stores.outbox, clock });
    const roster = { ...rosterUnder(stores, ...SECRETS.rosterKeys), onChange };
    const { taken } = await importRows(roster, [rosterRow('MHP-100-2001', { ...CARD, ...more })]);
    expect(taken.changed).toBe(1);
  };
  const inDays = (days: number) => new Date(clock.now() + days * DAY_MS).toISOString().slice(0, 10);
  /** Signed in at an app that may go on without the member. */
  const signedIn = async () => {
    const member = new Visitor();
    const started = await app.start({ scope: 'openid offline_access', prompt: 'consent' });
    const consent = await signIn(member, provider.issuer, started, MEMBER);
    const back = await member.submit(consent, { decision: 'allow' }, provider.issuer);
    const { refresh_token: token } = await app.redeem(back.url, started);
    return { member, token: String(token) };
  };
  const refresh = async (token: string) => {
    const { client_id: id, client_secret: secret } = webClient();
    const answer = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
    });
    const body = (await answer.json()) as { refresh_token?: string; error?: string };
    return { status: answer.status, ...body };
  };
  const isOut = async (member: Visitor) =>
    (await member.go(`${provider.issuer}/account`, provider.issuer)).body.includes('id="password"');

  test.each([
    ['frozen', { status: 'frozen' }],
    ['ended long ago', { ends_on: '2020-12-31' }],
  ])('is %s by an import: what is open ends within minutes, at the apps too', async (_, row) => {
    const { member, token } = await signedIn();
    await importRow(row);
    clock.advance(2 * 60_000);
    await provider.work();
    expect(await isOut(member)).toBe(true);
    expect(await refresh(token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('ends later: what was opened before ends after the days of grace, and not sooner', async () => {
    await importRow({ ends_on: inDays(5) });
    let { token } = await signedIn();
    for (let day = 0; day < 64; day += 1) {
      clock.advance(DAY_MS);
      await provider.work();
      const answer = await refresh(token);
      expect([day, answer.status]).toEqual([day, 200]);
      token = String(answer.refresh_token ?? token);
    }
    clock.advance(5 * DAY_MS);
    await provider.work();
    expect((await refresh(token)).status).toBe(400);
  });

  test('that comes back before its time is over ends nothing', async () => {
    await importRow({ status: 'frozen' });
    await importRow({ status: 'active' });
    const { member, token } = await signedIn();
    clock.advance(2 * 60_000);
    await provider.work();
    expect([await isOut(member), (await refresh(token)).status]).toEqual([false, 200]);
  });
});
