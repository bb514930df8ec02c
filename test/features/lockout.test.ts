import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { Unavailable } from '../../src/core/storage/unavailable.ts';
import { recorded } from '../support/audit.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom } from '../support/errands.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { failing } from '../support/stores.ts';
import type { Answer } from '../support/visitor.ts';

/** Visitors come from networks of their own, as if through a proxy that is trusted. */
const PROXY = { TRUSTED_PROXIES: '127.0.0.1, ::1' };

describeOnEveryStore('too many wrong passwords', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let networks = 0;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient()], env: PROXY });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  const newAddress = () => {
    networks += 1;
    return `203.0.${networks >> 8}.${networks & 255}`;
  };
  const stranger = (language = 'en') => new Visitor({ 'x-forwarded-for': newAddress(), 'accept-language': language });
  const tryOnce = async (visitor: Visitor, username: string, password = 'wrong') => {
    const page = await visitor.go((await app.start({ prompt: 'login' })).url, provider.issuer);
    return visitor.submit(page, { username, password }, provider.issuer);
  };
  const tryOften = async (visitor: Visitor, username: string, times: number) => {
    for (let i = 0; i < times; i += 1) await tryOnce(visitor, username);
  };
  const statuses = (answers: readonly Answer[]) =>
    Object.entries(Object.groupBy(answers, ({ status }) => String(status))).map(([status, all]) => [
      status,
      all?.length,
    ]);

  test.each(['sample.member', 'made-up.name'])(
    'of %s lock it from here for a quarter of an hour, the right one too',
    async (username) => {
      const visitor = stranger();
      await tryOften(visitor, username, 4);
      expect((await tryOnce(visitor, username)).status).toBe(401);
      for (const password of ['wrong', MEMBER.password]) {
        const locked = await tryOnce(visitor, username, password);
        expect([locked.status, Number(locked.headers.get('retry-after')) > 890]).toEqual([429, true]);
        expect(locked.body).toContain('Sign-in is paused for now');
        expect(locked.body).toMatch(/You can try again in 15 minutes \(\d{1,2}:\d\d\s[AP]M Pacific Time\)\./);
        expect(locked.body).toContain('1-800-555-0142');
      }
      if (username === MEMBER.username)
        expect((await tryOnce(stranger(), username, MEMBER.password)).url).toContain('code=');
    },
  );

  test('get the same page for a name that exists and one that does not', async () => {
    // At the same time, so that both pages name the same minute.
    const pages = await Promise.all(
      [OTHER_MEMBER.username, 'ejemplo.miembro'].map(async (username) => {
        const visitor = stranger('es');
        await tryOften(visitor, username, 5);
        const { status, headers, body } = await tryOnce(visitor, username);
        return [
          status,
          headers.getSetCookie(),
          body.replaceAll(/nonce="[^"]+"|(interaction\/|from=)[\w-]+|[0-9A-Z]{4}(-[0-9A-Z]{4}){2}/g, ''),
        ];
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
    expect(pages[0]?.[2]).toContain('El inicio de sesión está en pausa');
  });

  test('of a thousand sent at once evaluate five, whoever comes first', async () => {
    const visitor = stranger();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => visitor.post(page, { username: MEMBER.username, password: 'wrong' })),
    );
    // A busy machine refuses to hash some of them (503), which evaluates nothing and gives the attempt back.
    expect(answers.filter(({ status }) => ![401, 429, 503].includes(status))).toEqual([]);
    const evaluated = answers.filter(({ status }) => status === 401).length;
    const more = [];
    while (evaluated + more.length < 6) {
      more.push((await visitor.post(page, { username: MEMBER.username, password: 'wrong' })).status);
    }
    expect(more).toEqual([...Array(5 - evaluated).fill(401), 429]);
  }, 60_000);

  test('two right ones at once are one success', async () => {
    const visitor = stranger();
    const started = await app.start();
    const page = await visitor.go(started.url, provider.issuer);
    await Promise.all([visitor.post(page, MEMBER), visitor.post(page, MEMBER)]);
    const back = await visitor.go(page.url, provider.issuer);
    expect((await app.redeem(back.url, started)).claims()?.amr).toEqual(['pwd']);
    expect((await visitor.go(page.url, provider.issuer)).url).toBe('https://app.example/');
  });

  test('are forgotten at a success', async () => {
    const visitor = stranger();
    for (let round = 0; round < 3; round += 1) {
      await tryOften(visitor, MEMBER.username, 4);
      expect((await tryOnce(visitor, MEMBER.username, MEMBER.password)).url).toContain('code=');
    }
  });

  test('from 500 networks do not keep the owner out of a device that signed in before', async () => {
    const owner = stranger();
    await tryOnce(owner, OTHER_MEMBER.username, OTHER_MEMBER.password);
    const outcomes: number[] = [];
    for (let wave = 0; wave < 10; wave += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => tryOnce(stranger(), OTHER_MEMBER.username)));
      outcomes.push(...answers.map(({ status }) => status));
      // At home, and on the way with a new address.
      for (const where of [owner, owner.at(newAddress())]) {
        expect((await tryOnce(where, OTHER_MEMBER.username, OTHER_MEMBER.password)).url).toContain('code=');
      }
    }
    expect(outcomes.filter((status) => status === 401).length).toBeLessThanOrEqual(90);
    expect(outcomes.filter((status) => status === 429).length).toBeGreaterThan(300);
  }, 120_000);

  test('of many names from one network are slowed before any of them is looked at', async () => {
    const visitor = stranger();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    const answers: Answer[] = [];
    // A busy machine refuses to hash (503), which evaluates nothing and gives the attempt back: it is asked again.
    const send = async (username: string): Promise<Answer> => {
      const answer = await visitor.post(page, { username, password: 'x' });
      return answer.status === 503 ? send(username) : answer;
    };
    for (let wave = 0; wave < 20; wave += 1) {
      const names = Array.from({ length: 10 }, (_, i) => `made-up-${wave}-${i}`);
      answers.push(...(await Promise.all(names.map(send))));
    }
    expect(statuses(answers)).toEqual([
      ['401', 100],
      ['429', 100],
    ]);
    expect((await tryOnce(stranger(), 'made-up-19-9')).status).toBe(401);
  }, 60_000);

  test('a forged device cookie is worth nothing', async () => {
    const visitor = new Visitor({
      'x-forwarded-for': newAddress(),
      cookie: `device=${'A'.repeat(22)}.${'B'.repeat(22)}`,
    });
    await tryOften(visitor, 'sample.member', 5);
    expect((await tryOnce(visitor, 'sample.member')).status).toBe(429);
  });

  test('an address that no trusted proxy vouches for is not believed', async () => {
    const untrusting = await startProvider(pair, { clients: [webClient()] });
    const there = await RelyingParty.discover(untrusting.issuer);
    const answers: Answer[] = [];
    for (let i = 0; i < 7; i += 1) {
      const visitor = new Visitor({ 'x-forwarded-for': newAddress() });
      const page = await visitor.go((await there.start()).url, untrusting.issuer);
      answers.push(await visitor.submit(page, { username: 'x', password: 'x' }, untrusting.issuer));
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    await untrusting.close();
  });

  test('a flood beyond the hash queue is told to come back, and costs nobody an attempt', async () => {
    const visitors = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const visitor = stranger();
        return { visitor, page: await visitor.go((await app.start()).url, provider.issuer) };
      }),
    );
    const answers = await Promise.all(
      visitors.map(({ visitor, page }, i) => visitor.post(page, { username: `flood-${i}`, password: 'x' })),
    );
    const counts = Object.fromEntries(statuses(answers));
    expect(Number(counts['401']) + Number(counts['503'])).toBe(60);
    expect(Number(counts['503'])).toBeGreaterThan(0);
    const refused = answers.findIndex(({ status }) => status === 503);
    expect(answers[refused]?.headers.get('retry-after')).toBe('10');
    const { visitor } = visitors[refused] ?? {};
    if (visitor === undefined) throw new Error('nobody was refused');
    for (let i = 0; i < 5; i += 1) expect((await tryOnce(visitor, `flood-${refused}`)).status).toBe(401);
    expect((await tryOnce(visitor, `flood-${refused}`)).status).toBe(429);
  });

  test('without a password at all fill no record, however many there are', async () => {
    const empty = async () =>
      (await recorded(provider.stores)).filter(({ outcome }) => outcome === 'password-missing').length;
    const visitor = stranger();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    const before = await empty();
    for (let i = 0; i < 310; i += 1)
      expect((await visitor.post(page, { username: 'x', password: '' })).body).toContain('Enter your password');
    expect((await empty()) - before).toBe(300);
  });

  test.each(['accounts', 'attempts'] as const)('cost nobody an attempt while %s cannot be read', async (part) => {
    const real = await pair.open(systemClock);
    let isAway = false;
    const away = new Unavailable('store', 'it is away');
    const stores = {
      ...real,
      accounts: failing(real.accounts, (method) =>
        isAway && part === 'accounts' && method === 'findByClaim' ? away : undefined,
      ),
      // The pools that count for one name wherever it is typed: of those, the first that is asked after others were taken.
      attempts: failing(real.attempts, (method, key) =>
        isAway && part === 'attempts' && method === 'take' && key.split(':').length === 2 ? away : undefined,
      ),
    };
    const troubled = await startProvider(pair, { clients: [webClient()], env: PROXY, stores });
    const there = await RelyingParty.discover(troubled.issuer);
    const visitor = stranger();
    const page = await visitor.go((await there.start()).url, troubled.issuer);
    const answers: Answer[] = [];
    isAway = true;
    // As many as one network may have wrong.
    for (let i = 0; i < 101; i += 1) answers.push(await visitor.post(page, MEMBER));
    expect(statuses(answers)).toEqual([['503', 101]]);
    isAway = false;
    expect((await visitor.submit(page, MEMBER, troubled.issuer)).url).toContain('code=');
    await troubled.close();
    await real.close();
  });

  test('are not said to be forgotten by a code before they are', async () => {
    const real = await pair.open(systemClock);
    let isAway = false;
    const attempts = failing(real.attempts, (method) =>
      isAway && method === 'clear' ? new Unavailable('store', 'it is away') : undefined,
    );
    const troubled = await startProvider(pair, { clients: [webClient()], env: PROXY, stores: { ...real, attempts } });
    const there = await RelyingParty.discover(troubled.issuer);
    const visitor = stranger();
    const page = await visitor.go((await there.start()).url, troubled.issuer);
    for (let i = 0; i < 5; i += 1) await visitor.post(page, { ...MEMBER, password: 'wrong' });
    expect((await visitor.post(page, MEMBER)).status).toBe(429);
    const unlocked = async () => {
      const name = await visitor.go(`${troubled.issuer}/unlock`, troubled.issuer);
      const code = await visitor.submit(name, { username: MEMBER.username }, troubled.issuer);
      return visitor.submit(code, { code: await codeFrom(troubled, 'sample.member@example.com') }, troubled.issuer);
    };
    isAway = true;
    expect((await unlocked()).body).toContain('Sign-in is not working right now');
    expect((await visitor.post(page, MEMBER)).status).toBe(429);
    isAway = false;
    expect((await unlocked()).body).toContain('Sign-in is unlocked');
    expect((await visitor.submit(page, MEMBER, troubled.issuer)).url).toContain('code=');
    await troubled.close();
    await real.close();
  });
});
