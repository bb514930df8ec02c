import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { riskSignals, SIGNALS } from '../../src/core/lockout/signals.ts';
import { auditOf } from '../../src/parts.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, SECRETS, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { within } from '../support/within.ts';

describeOnEveryStore('a rate that is out of the ordinary', (pair) => {
  const clock = new TestClock();
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeEach(async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.1, ::1', SHARED_NETWORKS: '198.51.100.0/24' };
    provider = await startProvider(pair, { clock, clients: [webClient()], env });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(() => provider.close());

  const from = (address: string) => new Visitor({ 'x-forwarded-for': address });
  const fail = async (visitor: Visitor, username: string, password = 'wrong') => {
    const page = await visitor.go((await app.start({ prompt: 'login' })).url, provider.issuer);
    return visitor.submit(page, { username, password }, provider.issuer);
  };
  const record = () => auditOf(SECRETS, provider.stores, clock, () => ({})).history;
  const raised = async () => {
    const { events } = await record().find({}, { limit: 1_000 });
    return events.filter(({ action }) => action.startsWith('signal-'));
  };
  /** What is counted beside the answers has been counted by then. */
  const raisedSoon = async (count: number) => {
    await within(2, async () => (await raised()).length >= count);
    return raised();
  };

  test('is many names from one network: it is on record once an hour, with the network', async () => {
    const thief = from('203.0.113.7');
    for (let name = 0; name < SIGNALS.stuffing.free + 5; name += 1) await fail(thief, `made.up.${name}`);
    const [event, ...others] = await raisedSoon(1);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      ...{ action: 'signal-stuffing', actor: { kind: 'system' }, network: '203.0.113.0/24' },
      detail: { inAnHour: SIGNALS.stuffing.free },
    });
    const metrics = await (await fetch(`${provider.issuer}/metrics`)).text();
    expect(metrics).toContain('idp_risk_signals_total{kind="stuffing"} 1');
    expect(provider.log.filter((line) => line.includes('"event":"signal"'))).toHaveLength(1);
    // The next hour counts anew.
    clock.advance(3_600_000);
    for (let name = 0; name < SIGNALS.stuffing.free; name += 1) await fail(thief, `other.name.${name}`);
    expect(await raisedSoon(2)).toHaveLength(2);
  }, 60_000);

  test('is not one member who mistypes, nor a clinic with many of them', async () => {
    const member = from('203.0.113.8');
    for (let round = 0; round < SIGNALS.stuffing.free + 5; round += 1) {
      await fail(member, MEMBER.username);
      if (round % 4 === 3) await fail(member, MEMBER.username, MEMBER.password);
    }
    const clinic = from('198.51.100.9');
    for (let name = 0; name < SIGNALS.stuffing.free + 5; name += 1) await fail(clinic, `member.${name}`);
    expect(await raised()).toEqual([]);
  }, 60_000);
});

describeOnEveryStore('the signals', (pair) => {
  test('of several processes are raised once', async () => {
    const clock = new TestClock();
    const stores = await pair.open(clock);
    try {
      const audit = auditOf(SECRETS, stores, clock, () => ({}));
      const kinds: string[] = [];
      const processes = [0, 1].map(() =>
        riskSignals({
          ...{ attempts: stores.attempts, digest: (text) => text, audit },
          onRaised: (kind) => void kinds.push(kind),
        }),
      );
      const each = async (times: number, what: (one: (typeof processes)[number], i: number) => Promise<void>) =>
        void (await Promise.all(
          Array.from({ length: times }, (_, i) => what(processes[i % 2] as (typeof processes)[number], i)),
        ));
      await each(SIGNALS.spraying.free + 50, (one, i) => one.failed({ key: `network ${i}`, shared: false }));
      expect(kinds).toEqual(['spraying']);
      await each(SIGNALS.viewing.free - 1, (one) => one.viewed('an agent'));
      await each(SIGNALS.viewing.free - 1, (one) => one.viewed('another'));
      expect(kinds).toEqual(['spraying']);
      await each(5, (one) => one.viewed('an agent'));
      expect(kinds).toEqual(['spraying', 'viewing']);
      const { events } = await audit.history.find({ action: 'signal-viewing' }, { limit: 10 });
      expect(events).toMatchObject([{ subject: { kind: 'account', id: 'an agent' } }]);
    } finally {
      await stores.close();
    }
  });
});
