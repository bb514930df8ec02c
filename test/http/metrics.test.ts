import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { prometheusMetrics } from '../../src/observe/metrics.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { STORE_PAIRS, type StorePair } from '../support/stores.ts';

const embedded = STORE_PAIRS[0] as StorePair;
const secret = () => randomBytes(32).toString('base64');
const read = async ({ issuer }: RunningProvider): Promise<string> => (await request(issuer).get('/metrics')).text;

/** The value of one series, such as `idp_hash_running`. */
const figure = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length),
  );

describe('the metrics', () => {
  let provider: RunningProvider;
  beforeAll(async () => {
    provider = await startProvider(embedded, { clients: [webClient()] });
  });
  afterAll(() => provider.close());

  test('count what members do, what it cost, and how each endpoint did', async () => {
    const app = await RelyingParty.discover(provider.issuer);
    const started = await app.start();
    const visitor = new Visitor();
    const page = await visitor.go(started.url, provider.issuer);
    await visitor.post(page, { ...MEMBER, password: 'not the right one' });
    const end = await signIn(visitor, provider.issuer, started, MEMBER);
    await app.redeem(end.url, started);

    const text = await read(provider);
    const steps = (outcome: string) => figure(text, `idp_journey_steps_total{step="password",outcome="${outcome}"}`);
    expect([steps('credentials-rejected'), steps('proven')]).toEqual([1, 1]);
    expect(figure(text, 'idp_hash_duration_seconds_count')).toBeGreaterThanOrEqual(3);
    expect([figure(text, 'idp_hash_running'), figure(text, 'idp_hash_waiting')]).toEqual([0, 0]);
    for (const [store, operation] of [
      ['accounts', 'findByClaim'],
      ['expiring', 'get'],
      ['attempts', 'take'],
    ]) {
      const series = `idp_store_duration_seconds_count{store="${store}",operation="${operation}"}`;
      expect([series, figure(text, series) > 0]).toEqual([series, true]);
    }
    const endpoint = (name: string, status: string) =>
      figure(text, `idp_protocol_duration_seconds_count{endpoint="${name}",status="${status}"}`);
    expect([endpoint('token', '2xx'), endpoint('resume', '3xx')]).toEqual([1, 1]);
    expect(figure(text, 'idp_http_request_duration_seconds_count{method="POST",status="4xx"}')).toBe(1);
  });

  test('name nothing that came from outside', async () => {
    await request(provider.issuer).get('/made-up-path?made-up=query');
    await request(provider.issuer).get('/auth?client_id=made-up-client');
    await request(provider.issuer).post('/interaction/made-up-id/made-up-step').send('username=made-up-name');
    await request(provider.issuer).get('/jwks').set('X-Forwarded-For', '192.0.2.99');
    await new Promise((resolve) => {
      const socket = connect(provider.config.port, 'localhost', () =>
        socket.end('PROPFIND /made-up HTTP/1.1\r\nHost: made-up\r\nConnection: close\r\n\r\n'),
      );
      socket.on('close', resolve).resume();
    });
    const text = await read(provider);
    expect(text).not.toMatch(/made-up|PROPFIND|192\.0\.2\.99|care-messages|sample\.member/);
    expect(text).toContain('method="other"');
  });

  test('are no more after many requests than after one of each kind', async () => {
    const series = async () => (await read(provider)).split('\n').filter((line) => !line.startsWith('#')).length;
    const before = await series();
    await Promise.all(Array.from({ length: 40 }, (_, index) => request(provider.issuer).get(`/page-${index}`)));
    expect(await series()).toBe(before);
  });
});

test('what alerts watch is there before it has happened', async () => {
  const text = await prometheusMetrics().registry.metrics();
  for (const kind of ['stuffing', 'spraying', 'viewing'])
    expect([kind, figure(text, `idp_risk_signals_total{kind="${kind}"}`)]).toEqual([kind, 0]);
  for (const channel of ['email', 'sms', 'voice', 'letter'])
    for (const outcome of ['sent', 'again', 'gave-up', 'too-late'])
      expect(figure(text, `idp_messages_total{channel="${channel}",outcome="${outcome}"}`)).toBe(0);
  for (const outcome of ['proven', 'credentials-rejected'])
    expect(figure(text, `idp_journey_steps_total{step="password",outcome="${outcome}"}`)).toBe(0);
  expect(figure(text, 'idp_hash_refused_total')).toBe(0);
});

describe('with a token', () => {
  let provider: RunningProvider;
  const [current, former] = [secret(), secret()];
  beforeAll(async () => {
    provider = await startProvider(embedded, { env: { METRICS_TOKEN: `${current},${former}` } });
  });
  afterAll(() => provider.close());

  test.each([
    ['none', undefined, 401],
    ['a wrong one', `Bearer ${secret()}`, 401],
    ['half of the right one', `Bearer ${current.slice(0, 20)}`, 401],
    ['the right one in another scheme', `Basic ${current}`, 401],
    ['the right one', `Bearer ${current}`, 200],
    ['the former one', `Bearer ${former}`, 200],
  ])('%s is answered rightly', async (_, authorization, expected) => {
    const ask = request(provider.issuer).get('/metrics');
    const { status, headers, text } = await (authorization === undefined
      ? ask
      : ask.set('Authorization', authorization));
    expect([status, headers['cache-control']]).toEqual([expected, 'no-store']);
    if (expected === 401) expect(headers['www-authenticate']).toBe('Bearer');
    expect(text.includes('idp_http_request_duration_seconds')).toBe(expected === 200);
  });
});

test('in production without a token they are not there', async () => {
  const provider = await startProvider(embedded, {
    clients: [webClient()],
    env: {
      ...{ NODE_ENV: 'production', ISSUER: 'https://login.example.org' },
      ...{ MONGODB_URI: 'mongodb://db', REDIS_URL: 'redis://cache' },
      ...{ COOKIE_KEYS: secret(), KEY_ENCRYPTION_KEY: secret(), PASSWORD_PEPPER: secret(), ROSTER_KEY: secret() },
    },
  });
  const { status, text } = await request(`http://localhost:${provider.config.port}`).get('/metrics');
  expect([status, text.includes('idp_')]).toEqual([404, false]);
  await provider.close();
});
