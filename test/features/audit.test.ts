import { afterEach, beforeEach, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import type { AuditEvent } from '../../src/core/audit/event.ts';
import { auditOf } from '../../src/parts.ts';
import { recorded } from '../support/audit.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { within } from '../support/within.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const DAY = 24 * 60 * 60_000;

describeOnEveryStore('what members do', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, {
      ...{ clock, clients: [webClient({ backchannel_logout_uri: 'http://localhost:1/gone' })] },
      env: { TRUSTED_PROXIES: '127.0.0.1, ::1', OUTBOUND_ALLOW: 'http://localhost:1' },
    });
  });
  afterEach(() => provider.close());

  const visitorFrom = (address: string) => new Visitor({ 'x-forwarded-for': address, 'user-agent': BROWSER });
  const audit = () => auditOf(SECRETS, provider.stores, clock);
  const ofAction = async (action: string): Promise<AuditEvent[]> =>
    (await recorded(provider.stores)).filter((event) => event.action === action);

  test('is on record with its failures, from the first wrong password to the end of the session', async () => {
    const visitor = visitorFrom('203.0.113.77');
    const app = await RelyingParty.discover(provider.issuer);
    const started = await app.start();
    const form = await signIn(visitor, provider.issuer, started, { ...MEMBER, username: 'nobody.at.all' });
    const again = await visitor.submit(form, { ...MEMBER, password: 'wrong' }, provider.issuer);
    const empty = await visitor.submit(again, { ...MEMBER, password: '' }, provider.issuer);
    const back = await visitor.submit(empty, MEMBER, provider.issuer);
    expect(back.url).toContain('code=');
    await app.redeem(back.url, started);

    const passwords = await ofAction('step.password');
    const [unknown, wrong, , right] = passwords;
    expect(passwords.map(({ outcome }) => outcome)).toEqual([
      ...['credentials-rejected', 'credentials-rejected', 'password-missing', 'done'],
    ]);
    const accountId = String(right?.subject?.id);
    expect(unknown).toMatchObject({
      ...{ actor: { kind: 'member' }, client: 'care-messages', network: '203.0.113.0/24', device: 'Firefox, Linux' },
      requestId: expect.stringMatching(/^[0-9A-Z-]{14}$/),
    });
    expect([unknown?.subject, unknown?.actor?.id]).toEqual([undefined, undefined]);
    // Whose password it was not, and that nobody has shown to be them.
    expect([wrong?.subject, wrong?.actor]).toEqual([{ kind: 'account', id: accountId }, { kind: 'member' }]);
    expect(right?.actor).toEqual({ kind: 'member', id: accountId });
    expect(await ofAction('signed-in')).toMatchObject([
      { actor: { id: accountId }, subject: { id: accountId }, client: 'care-messages', network: '203.0.113.0/24' },
    ]);

    clock.advance(13 * 60 * 60_000);
    await provider.work();
    await provider.work();
    expect(await ofAction('session-expired')).toMatchObject([
      { actor: { kind: 'system' }, subject: { id: accountId } },
    ]);
    expect((await ofAction('logout-not-delivered'))[0]).toMatchObject({ outcome: 'failed', client: 'care-messages' });
    expect(await audit().verify()).toMatchObject({ faults: 0, chains: 1 });
    const { events } = await audit().history.find({ subject: accountId }, { limit: 100 });
    expect(events.map(({ action }) => action)).toEqual(
      (await recorded(provider.stores))
        .filter(({ subject }) => subject?.id === accountId)
        .map(({ action }) => action)
        .toReversed(),
    );
    const everything = JSON.stringify(await recorded(provider.stores));
    for (const typed of ['nobody.at.all', MEMBER.username, MEMBER.password, '203.0.113.77'])
      expect(everything).not.toContain(typed);
  });

  test('in apps is on record: who got tokens for whom, how and for what, and that a code came twice; never a token', async () => {
    const app = await RelyingParty.discover(provider.issuer, webClient());
    const started = await app.start({ scope: 'openid email' });
    const back = await signIn(visitorFrom('203.0.113.77'), provider.issuer, started, MEMBER);
    const { access_token, refresh_token, id_token } = await app.redeem(back.url, started);
    const refreshed = await openid.refreshTokenGrant(app.config, String(refresh_token));
    await expect(app.redeem(back.url, started)).rejects.toThrow();
    // Nobody waits for it.
    await within(2, async () => (await ofAction('tokens-revoked')).length === 1);

    const [right] = await ofAction('signed-in');
    const about = { actor: { kind: 'client', id: 'care-messages' }, subject: right?.subject, client: 'care-messages' };
    expect(await ofAction('tokens-issued')).toMatchObject([
      { ...about, detail: { grant: 'authorization_code', scope: 'openid email' } },
      { ...about, detail: { grant: 'refresh_token', scope: 'openid email' } },
    ]);
    expect(await ofAction('tokens-revoked')).toMatchObject([
      { actor: about.actor, client: about.client, detail: { grant: 'authorization_code' } },
    ]);
    const everything = JSON.stringify(await recorded(provider.stores));
    for (const token of [access_token, refresh_token, id_token, refreshed.access_token, started.verifier])
      expect(everything).not.toContain(token);
  });

  test('on the pages of their account is on record with who did it, and goes after its years together with their activity', async () => {
    const [elsewhere, visitor] = [visitorFrom('203.0.113.78'), visitorFrom('2001:db8:1:2::3')];
    const signInAt = async (who: Visitor) =>
      who.submit(await who.go(`${provider.issuer}/account/sessions`, provider.issuer), MEMBER, provider.issuer);
    await signInAt(elsewhere);
    const sessions = await signInAt(visitor);
    const session = String(/id="end-([\w-]{8,})"/.exec(sessions.body)?.[1]);
    await visitor.submit(sessions, { session }, provider.issuer);
    const [event] = await ofAction('member-page');
    expect(event).toMatchObject({
      ...{ outcome: 'done', detail: { page: 'account/sessions', action: 'end' }, network: '2001:db8:1::/48' },
      ...{ actor: { kind: 'member', id: event?.subject?.id }, requestId: expect.any(String) },
    });
    expect(await ofAction('session-ended')).toHaveLength(1);
    expect(await provider.stores.trail.all('', 10)).toHaveLength(3);
    await provider.work();
    clock.advance(2_193 * DAY);
    await provider.work();
    expect(await provider.stores.trail.all('', 10)).toEqual([]);
    expect(await ofAction('member-page')).toEqual([]);
    expect(await audit().verify()).toMatchObject({ faults: 0 });
  });
});
