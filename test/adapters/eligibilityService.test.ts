import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eligibilityService } from '../../src/adapters/eligibilityService.ts';
import { loadConfig } from '../../src/config/load.ts';
import { membershipDirectory } from '../../src/parts.ts';
import { openEmbeddedStores } from '../../src/stores/open.ts';
import { TestClock } from '../support/clock.ts';
import { ROOT, SECRETS } from '../support/provider.ts';

const PERSON = { firstName: 'Example', lastName: 'Person', birthDate: '1964-07-21', postalCode: '97202' };
const MEMBERSHIP = {
  ...{ ...PERSON, memberNumber: 'MHP-100-2003', formerNumbers: ['MHP-100-1003'], standing: 'active' },
  ...{ endsOn: '2027-12-31', locale: 'es' },
  contacts: [
    { kind: 'mobile', to: '+12025550103' },
    { kind: 'email', to: 'example.person@example.com' },
  ],
};
/** Milliseconds; a machine that is busy with other tests answers in less. */
const TIMEOUT = 2_000;

let server: Server | undefined;
const stop = () =>
  new Promise<void>((resolve) => {
    if (server === undefined) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
    server = undefined;
  });
afterEach(stop);

const listen = (listener: RequestListener, port = 0): Promise<number> =>
  new Promise((resolve) => {
    const door = createServer(listener).listen(port, () => resolve((door.address() as AddressInfo).port));
    server = door;
  });

async function serving(listener: RequestListener) {
  const clock = new TestClock();
  const port = await listen(listener);
  const url = `http://localhost:${port}/eligibility`;
  const service = eligibilityService({ url, token: 'abc.def', timeout: TIMEOUT }, clock);
  return { service, clock, port, match: () => service.match(PERSON, 'mhp 100 2003') };
}

const answering =
  (body: unknown, status = 200): RequestListener =>
  (_, res) =>
    void res.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));

describe('the eligibility service', () => {
  test('is asked for the person as typed, with the token, and its membership handed on', async () => {
    const seen: { request: IncomingMessage; body: string }[] = [];
    const { match, service } = await serving(async (request, res) => {
      seen.push({ request, body: await text(request) });
      answering({ match: true, membership: { ...MEMBERSHIP, more: 'unknown' } })(request, res);
    });
    expect(await match()).toEqual(MEMBERSHIP);
    const [{ request, body } = { request: undefined, body: '' }] = seen;
    expect([request?.method, request?.url, request?.headers.authorization]).toEqual([
      ...['POST', '/eligibility', 'Bearer abc.def'],
    ]);
    expect(JSON.parse(body)).toEqual({ ...PERSON, memberNumber: 'mhp 100 2003' });
    expect(service.isUp()).toBe(true);
  });

  test('may leave out what has a default, and says when nothing matches', async () => {
    const { formerNumbers: _, contacts: __, locale: ___, endsOn: ____, ...least } = MEMBERSHIP;
    const { match } = await serving(answering({ match: true, membership: least }));
    expect(await match()).toEqual({ ...least, formerNumbers: [], contacts: [], locale: 'en' });
    await stop();
    expect(await (await serving(answering({ match: false }))).match()).toBeUndefined();
  });

  test.each<[string, RequestListener, string]>([
    ['500', answering({ match: false }, 500), 'answered 500'],
    ['404', answering({ match: false }, 404), 'answered 404'],
    ['a redirect', (_, res) => void res.writeHead(307, { location: '/other' }).end(), 'answered 307'],
    ['broken JSON', answering('{"match":'), 'is no JSON'],
    ['bytes that are no text', (_, res) => void res.end(Buffer.from([0xff, 0xfe])), 'encoded data was not valid'],
    ['another shape', answering({ eligible: true }), 'another form: match'],
    ['a match without a membership', answering({ match: true }), 'another form: membership'],
    [
      'a contact that is none',
      answering({ match: true, membership: { ...MEMBERSHIP, contacts: [{ kind: 'mobile', to: '5550103' }] } }),
      'another form: membership.contacts.0.to',
    ],
    ['a huge answer', answering(`{"match":false,"more":"${'x'.repeat(70_000)}"}`), 'more than 65536 bytes'],
    ['silence', () => undefined, 'timeout'],
    ['a body that never ends', (_, res) => void res.writeHead(200).write('{"match":'), 'timeout'],
    ['a connection that breaks', (_, res) => void res.destroy(), 'fetch failed'],
  ])('that answers with %s is not available', async (_, listener, cause) => {
    const { match } = await serving(listener);
    await expect(match()).rejects.toMatchObject({
      ...{ name: 'Unavailable', dependency: 'membership' },
      cause: { message: expect.stringContaining(cause) },
    });
  });

  test('is left alone after five failures, and is back with the first answer after the pause', async () => {
    const { match, service, clock, port } = await serving(answering('down', 500));
    await stop();
    for (let i = 0; i < 5; i += 1) await expect(match()).rejects.toMatchObject({ cause: { message: 'fetch failed' } });
    expect(service.isUp()).toBe(false);
    let asked = 0;
    await listen((req, res) => {
      asked += 1;
      answering({ match: false })(req, res);
    }, port);
    await expect(match()).rejects.toMatchObject({ dependency: 'membership', cause: { name: 'CircuitOpen' } });
    expect(asked).toBe(0);
    clock.advance(30_000);
    expect(await match()).toBeUndefined();
    expect([asked, service.isUp()]).toEqual([1, true]);
  });

  test('stands for the roster where its address is set', async () => {
    const clock = new TestClock();
    const stores = openEmbeddedStores(':memory:', clock);
    const directory = (env: Readonly<Record<string, string>>) =>
      membershipDirectory(loadConfig({ NODE_ENV: 'test', ...env }, ROOT), SECRETS, stores, clock);
    expect(await directory({}).match(PERSON, 'MHP-100-2003')).toBeUndefined();
    const port = await listen(answering({ match: true, membership: MEMBERSHIP }));
    const service = directory({ ELIGIBILITY_URL: `http://localhost:${port}` });
    expect(await service.match(PERSON, 'MHP-100-2003')).toEqual(MEMBERSHIP);
    expect([directory({}).isUp(), service.isUp()]).toEqual([true, true]);
    await stores.close();
  });
});
