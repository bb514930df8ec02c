import { expect, test } from '@jest/globals';
import { plainArgon2 } from '../../src/adapters/argon2.ts';
import { networkPool, poolsOf, takeAll } from '../../src/core/lockout/pools.ts';
import { areaUnderCurve } from '../support/areaUnderCurve.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import type { Answer } from '../support/visitor.ts';

const PAIRS = 2_000;
const WARM_UP = 100;
/** A name has twenty attempts without a wait. */
const NAMES = 150;
const AT_ONCE = 10;

describeOnEveryStore('names that exist and names that do not', (pair) => {
  test(`cannot be told apart over ${PAIRS} interleaved pairs, by bytes or by time`, async () => {
    const passwordHash = await plainArgon2.hash('a password that nobody types here');
    const provider = await startProvider(pair, {
      clients: [webClient()],
      members: Array.from({ length: NAMES }, (_, i) => ({
        ...{
          username: name('known', i),
          passwordHash,
          email: `${name('known', i)}@example.com`,
          phone: '1',
          memberNumber: `T${i}`,
        },
        ...{ firstName: 'Sample', lastName: 'Member', birthDate: '1951-03-14', postalCode: '97201' },
      })),
      env: { TRUSTED_PROXIES: '127.0.0.1, ::1', REFUSAL_FLOOR_MS: '' },
    });
    const app = await RelyingParty.discover(provider.issuer);
    const measure = async (kind: 'known' | 'other', i: number): Promise<[number, Answer]> => {
      const visitor = new Visitor({ 'x-forwarded-for': `198.${18 + (i & 1)}.${(i >> 9) & 255}.${(i >> 1) & 255}` });
      const page = await visitor.go((await app.start()).url, provider.issuer);
      const began = performance.now();
      const answer = await visitor.post(page, { username: name(kind, i % NAMES), password: 'wrong' });
      return [performance.now() - began, answer];
    };
    const times = { known: [] as number[], other: [] as number[] };
    const bodies = new Set<string>();
    for (let i = 0; i < PAIRS + WARM_UP; i += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, j) => {
          // Which of the two comes first is left to chance.
          for (const kind of Math.random() < 0.5 ? (['known', 'other'] as const) : (['other', 'known'] as const)) {
            const [time, answer] = await measure(kind, i + j);
            if (i >= WARM_UP) times[kind].push(time);
            bodies.add(`${answer.status} ${answer.headers.get('content-length')} ${steady(answer.body)}`);
          }
        }),
      );
    }
    await provider.close();
    const auc = areaUnderCurve(times.known, times.other);
    const median = (list: number[]) => list.toSorted((x, y) => x - y)[list.length >> 1]?.toFixed(2);
    console.info(
      `${pair.name}: AUC ${auc.toFixed(4)} over ${times.known.length} pairs; medians ${median(times.known)} ms known, ${median(times.other)} ms other`,
    );
    expect(bodies.size).toBe(1);
    expect(Math.abs(auc - 0.5)).toBeLessThan(0.03);
  });

  test('a million made-up names from one network write fewer than a thousand keys in an hour', async () => {
    const clock = new TestClock();
    const stores = await pair.open(clock);
    const written = new Set<string>();
    const counting = {
      ...{
        giveBack: stores.attempts.giveBack.bind(stores.attempts),
        clear: stores.attempts.clear.bind(stores.attempts),
      },
      take: async (...args: Parameters<typeof stores.attempts.take>) => {
        const answer = await stores.attempts.take(...args);
        if (answer.ok) written.add(args[0]);
        return answer;
      },
    };
    for (let i = 0; i < 1_000_000; i += 1_000) {
      await Promise.all(
        Array.from({ length: 1_000 }, async (_, j) => {
          if (!(await takeAll(counting, [networkPool('net', false)])).ok) return;
          const guess = { name: `name${i + j}`, subject: `name${i + j}`, bucket: 'net', knownDevice: false };
          await takeAll(counting, poolsOf(guess));
        }),
      );
      clock.advance(3_600);
    }
    await stores.close();
    console.info(`${pair.name}: ${written.size} keys`);
    expect(written.size).toBeLessThan(1_000);
  });
});

/** Names of one length. */
const name = (kind: 'known' | 'other', i: number): string => `${kind}.${String(i).padStart(4, '0')}`;

const steady = (body: string): string =>
  body.replaceAll(
    /nonce="[^"]+"|data-get="[^"]+"|name="form_token" value="[^"]+"|interaction\/[\w-]+|from=[\w-]+|value="(known|other)\.\d{4}"/g,
    '',
  );
