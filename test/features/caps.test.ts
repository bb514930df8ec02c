import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, identify, inboxOf } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { Visitor } from '../support/relyingParty.ts';
import { personOf, rosterRow } from '../support/roster.ts';
import type { Answer } from '../support/visitor.ts';

const HOUR = 3_600_000;
const NUMBERS = Array.from({ length: 12 }, (_, i) => `MHP-100-28${10 + i}`);
const detailsOf = (number: string, more: Readonly<Record<string, string>> = {}) => {
  const { firstName, lastName, postalCode, birthDate } = personOf(number);
  const [year = '', month = '', day = ''] = birthDate.split('-');
  return {
    ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': postalCode },
    ...{ 'birth-month': month, 'birth-day': day, 'birth-year': year, ...more },
  };
};

describeOnEveryStore('whoever abuses registration and recovery', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  beforeEach(async () => {
    clock = new TestClock();
    const roster = NUMBERS.map((number) => rosterRow(number, { phone: '+12025550144', phone_kind: 'mobile' }));
    provider = await startProvider(pair, { clock, roster, env: { TRUSTED_PROXIES: '127.0.0.1, ::1' } });
  });
  afterEach(() => provider.close());

  const from = (address: string) => new Visitor({ 'x-forwarded-for': address });
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  const forgot = async (visitor: Visitor, username: string) =>
    submit(visitor, await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer), { username });
  const codesTo = async (address: string) =>
    (await inboxOf(provider)).filter(({ to, text }) => to === address && text.startsWith('Your code')).length;

  test('does not find out a date of birth: ten guesses at one number a day, from wherever; other members notice nothing', async () => {
    const [number = '', other = ''] = NUMBERS;
    const guess = async (i: number) => {
      const person = detailsOf(number, { 'birth-year': String(1900 + i) });
      return (await identify(from(`203.0.113.${i}`), provider, { person, number })).status;
    };
    const statuses = [];
    for (let i = 0; i < 12; i += 1) statuses.push(await guess(i));
    expect(statuses).toEqual([...Array(10).fill(422), 429, 429]);
    const locked = await identify(from('203.0.113.99'), provider, { person: detailsOf(number), number });
    expect([locked.status, locked.body]).toEqual([429, expect.stringContaining('Too many tries')]);
    expect(locked.body).toContain('You can try again from Friday, January 16');
    // Other members notice nothing, and a day later neither does this one.
    const fine = await identify(from('203.0.113.99'), provider, { person: detailsOf(other), number: other });
    expect(fine.body).toContain('How should we send you a code?');
    clock.advance(24 * HOUR + 1);
    const later = await identify(from('203.0.113.99'), provider, { person: detailsOf(number), number });
    expect(later.body).toContain('How should we send you a code?');
  });

  test('does not try out member numbers from one network', async () => {
    const visitor = from('203.0.113.5');
    const statuses = [];
    for (let i = 0; i < 32; i += 1)
      statuses.push((await identify(visitor, provider, { person: detailsOf('x'), number: `MHP-9-${i}` })).status);
    expect(statuses).toEqual([...Array(30).fill(422), 429, 429]);
  });

  test('does not flood a mailbox: six codes an hour, and the page stays the same', async () => {
    const pages = [];
    for (let i = 0; i < 10; i += 1) pages.push(await forgot(from(`203.0.113.${i}`), MEMBER.username));
    const steady = pages.map(
      ({ status, body }) => `${status} ${body.replaceAll(/nonce="[^"]+"|journey\/[\w-]+|value="[\w-]{43}"/g, '')}`,
    );
    expect(new Set(steady).size).toBe(1);
    expect(await codesTo('sample.member@example.com')).toBe(6);
    clock.advance(HOUR + 1);
    await forgot(from('203.0.113.20'), MEMBER.username);
    expect(await codesTo('sample.member@example.com')).toBe(7);
  });

  test('does not pump texts: twelve memberships with one phone get as many as one', async () => {
    for (const [i, number] of NUMBERS.entries()) {
      const visitor = from(`203.0.113.${i}`);
      const contact = await identify(visitor, provider, { person: detailsOf(number), number });
      await submit(visitor, contact, { way: '1' });
    }
    const texts = (await inboxOf(provider)).filter(({ channel, to }) => channel === 'sms' && to === '+12025550144');
    expect(texts).toHaveLength(6);
  });

  test('guesses five codes in a journey, also all at once, and the right one comes too late', async () => {
    const visitor = from('203.0.113.7');
    const page = await forgot(visitor, MEMBER.username);
    const code = await codeFrom(provider, 'sample.member@example.com');
    const wrong = Array.from({ length: 50 }, (_, i) => String(i).padStart(6, '0')).filter((guess) => guess !== code);
    const statuses = await Promise.all(
      wrong.map(async (guess) => (await visitor.copy().post(page, { code: guess })).status),
    );
    const count = (wanted: number) => statuses.filter((status) => status === wanted).length;
    expect([count(422), count(429)]).toEqual([5, wrong.length - 5]);
    const locked = await submit(visitor, page, { code });
    expect([locked.status, locked.body]).toEqual([
      429,
      expect.stringContaining('id="start-again" href="/forgot-password"'),
    ]);
    // A new code in the same journey does not begin the count anew; a new journey is a new start.
    await submit(visitor, page, { send: 'email' });
    expect((await submit(visitor, page, { code: await codeFrom(provider, 'sample.member@example.com') })).status).toBe(
      429,
    );
    const again = from('203.0.113.8');
    const next = await forgot(again, MEMBER.username);
    clock.advance(1);
    const right = await submit(again, next, { code: await codeFrom(provider, 'sample.member@example.com') });
    expect(right.body).toContain('Choose a new password');
  });

  test('sends odd input and gets a page of ours', async () => {
    const visitor = from('203.0.113.9');
    const page = await visitor.go(`${provider.issuer}/register`, provider.issuer);
    const odd = ['\u0000', '\u202e', 'x'.repeat(50_000), '{"$ne":""}', '<script>alert(1)</script>', '٣'];
    for (const text of odd) {
      const answer = await submit(visitor, page, { ...detailsOf('x'), 'first-name': text, 'birth-day': text });
      expect([answer.status < 500, answer.body.includes('<main id="main"')]).toEqual([true, true]);
      expect(answer.body).not.toContain('<script>alert');
    }
    for (const fields of [{ 'username[$ne]': '' }, { username: '\u0000' }, { username: 'ｓａｍｐｌｅ.member' }]) {
      const name = await visitor.go(`${provider.issuer}/unlock`, provider.issuer);
      expect((await submit(visitor, name, fields as Record<string, string>)).status).toBeLessThan(500);
    }
    for (const query of ['from=../x', 'from[]=1', `from=${'x'.repeat(500)}`, 'ui_locales=%00'])
      expect((await visitor.go(`${provider.issuer}/register?${query}`, provider.issuer)).status).toBe(200);
  });
});

describeOnEveryStore('while the membership records do not answer', (pair) => {
  let service: Server;
  let clock: TestClock;
  let answers: (status: number, body: object) => void;
  let provider: RunningProvider;
  beforeEach(async () => {
    clock = new TestClock();
    let reply = { status: 503, body: {} as object };
    answers = (status, body) => {
      reply = { status, body };
    };
    service = createServer((_, response) => response.writeHead(reply.status).end(JSON.stringify(reply.body)));
    await new Promise<void>((resolve) => service.listen(0, 'localhost', resolve));
    const url = `http://localhost:${(service.address() as AddressInfo).port}/eligibility`;
    provider = await startProvider(pair, { clock, env: { ELIGIBILITY_URL: url, ELIGIBILITY_TOKEN: 'abc.def' } });
  });
  afterEach(async () => {
    await provider.close();
    await new Promise<void>((resolve) => service.close(() => resolve()));
  });

  test('the member is told so, costs themself no try, and goes on where they were', async () => {
    const visitor = new Visitor();
    const number = NUMBERS[0] ?? '';
    let page = await identify(visitor, provider, { person: detailsOf(number), number });
    expect([page.status, page.body]).toEqual([
      503,
      expect.stringContaining('We can&#39;t check memberships right now'),
    ]);
    expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0);
    const home = String(/id="try-again"[^>]* href="([^"]+)"/.exec(page.body)?.[1]);
    for (let i = 0; i < 15; i += 1) {
      const form = await visitor.go(provider.issuer + home, provider.issuer);
      expect(form.body).toContain('id="member-number"');
      page = await visitor.submit(form, { 'member-number': number }, provider.issuer);
      expect(page.status).toBe(503);
    }
    expect((await visitor.fetch(`${provider.issuer}/status`)).body).toContain('id="membership-down"');
    answers(200, {
      match: true,
      membership: {
        ...{ ...personOf(number), memberNumber: number, formerNumbers: [], standing: 'active', locale: 'en' },
        contacts: [{ kind: 'email', to: 'of.the.service@example.com' }],
      },
    });
    clock.advance(60_000);
    const form = await visitor.go(provider.issuer + home, provider.issuer);
    page = await visitor.submit(form, { 'member-number': number }, provider.issuer);
    expect(page.body).toContain('By email to o•••@example.com');
    expect((await visitor.fetch(`${provider.issuer}/status`)).body).toContain('id="membership-up"');
  });
});
