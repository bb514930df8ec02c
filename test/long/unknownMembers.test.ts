import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { plainArgon2 } from '../../src/adapters/argon2.ts';
import { areaUnderCurve } from '../support/areaUnderCurve.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { identify } from '../support/errands.ts';
import { type RunningProvider, startProvider } from '../support/provider.ts';
import { personOf, rosterRow } from '../support/roster.ts';
import { type Answer, Visitor } from '../support/visitor.ts';

const PAIRS = 2_000;
const WARM_UP = 100;
const AT_ONCE = 20;

type Kind = 'known' | 'other';

/** Of one length, whether there is such a member or not. */
const numberOf = (kind: Kind, i: number) => `${kind === 'known' ? 'MHP-700' : 'MHP-701'}-${10_000 + i}`;
const nameOf = (kind: Kind, i: number) => `${kind}.${10_000 + i}`;
const details = (kind: Kind, i: number) => {
  const { firstName, lastName, birthDate, postalCode } = personOf(numberOf('known', i));
  const [year = '', month = '', day = ''] = birthDate.split('-');
  return {
    person: {
      ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': postalCode },
      ...{ 'birth-year': year, 'birth-month': month, 'birth-day': day },
    },
    number: numberOf(kind, i),
  };
};

/** How far somebody goes before the answer that is measured, and what they send for it. */
type Flow = (visitor: Visitor, provider: RunningProvider, kind: Kind, i: number) => Promise<() => Promise<Answer>>;

const toMember =
  (course: string): Flow =>
  async (visitor, { issuer }, kind, i) => {
    const { person, number } = details(kind, i);
    const page = await visitor.submit(await visitor.go(`${issuer}/${course}`, issuer), person, issuer);
    return () => visitor.post(page, { 'member-number': number });
  };
const toName: Flow = async (visitor, { issuer }, kind, i) => {
  const page = await visitor.go(`${issuer}/forgot-password`, issuer);
  return () => visitor.post(page, { username: nameOf(kind, i) });
};

const FLOWS: Readonly<Record<string, Flow>> = {
  'registration with a membership that is taken': toMember('register'),
  'a forgotten username': toMember('forgot-username'),
  'a forgotten password': toName,
  'another code for a forgotten username': async (visitor, provider, kind, i) => {
    const page = await identify(visitor, provider, details(kind, i), 'forgot-username');
    return () => visitor.post(page, { send: 'again' });
  },
  'another code for a forgotten password': async (visitor, provider, kind, i) => {
    const page = await visitor.submit(
      await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer),
      { username: nameOf(kind, i) },
      provider.issuer,
    );
    return () => visitor.post(page, { send: 'again' });
  },
};

describeOnEveryStore('members who are known and people who are not', (pair) => {
  let provider: RunningProvider;
  let working: NodeJS.Timeout;
  const clock = new TestClock();
  beforeAll(async () => {
    const passwordHash = await plainArgon2.hash('a password that nobody types here');
    const everybody = Array.from({ length: PAIRS + WARM_UP }, (_, i) => i);
    provider = await startProvider(pair, {
      clock,
      roster: everybody.map((i) => rosterRow(numberOf('known', i))),
      members: everybody.map((i) => ({
        ...{ username: nameOf('known', i), passwordHash, email: `${nameOf('known', i)}@example.com` },
        ...{ phone: '+12025550143', memberNumber: numberOf('known', i), firstName: 'Sample', lastName: 'Member' },
        ...{ birthDate: '1964-07-21', postalCode: '97202' },
      })),
      env: { TRUSTED_PROXIES: '127.0.0.1, ::1', REFUSAL_FLOOR_MS: '' },
    });
    // Messages are sent meanwhile, as they are in a provider that runs.
    working = setInterval(() => void provider.work(), 500);
  });
  afterAll(async () => {
    clearInterval(working);
    await provider.close();
  });

  test.each(Object.entries(FLOWS))(
    `are not told apart over ${PAIRS} interleaved pairs, by bytes or by time: %s`,
    async (name, flow) => {
      // Past the caps that what was measured before has reached.
      clock.advance(2 * 86_400_000);
      const times = {
        answer: { known: [] as number[], other: [] as number[] },
        next: { known: [] as number[], other: [] as number[] },
      };
      const answers = new Set<string>();
      const timed = async (list: number[], ask: () => Promise<Answer>): Promise<Answer> => {
        const began = performance.now();
        const answer = await ask();
        list.push(performance.now() - began);
        return answer;
      };
      const measure = async (kind: Kind, i: number): Promise<void> => {
        const network = Math.floor(Math.random() * 2 ** 17);
        const address = `198.${18 + (network & 1)}.${(network >> 9) & 255}.${(network >> 1) & 255}`;
        const visitor = new Visitor({ 'x-forwarded-for': address });
        // Out of step with the others, whatever came before.
        await new Promise((resolve) => setTimeout(resolve, 50 * Math.random()));
        const send = await flow(visitor, provider, kind, i);
        const warm = i < WARM_UP;
        const answer = await timed(warm ? [] : times.answer[kind], send);
        const location = answer.headers.get('location');
        const follow = (to: string) => visitor.go(new URL(to, answer.url).href, provider.issuer);
        const next = location === null ? answer : await timed(warm ? [] : times.next[kind], () => follow(location));
        answers.add([answer.status, answer.headers.getSetCookie(), steady(next.body)].join(' '));
      };
      for (let i = 0; i < PAIRS + WARM_UP; i += AT_ONCE) {
        await Promise.all(
          Array.from({ length: AT_ONCE }, async (_, j) => {
            // Which of the two comes first is left to chance.
            for (const kind of Math.random() < 0.5 ? (['known', 'other'] as const) : (['other', 'known'] as const))
              await measure(kind, i + j);
          }),
        );
      }
      const median = (list: number[]) => list.toSorted((x, y) => x - y)[list.length >> 1]?.toFixed(2);
      const aucs = Object.entries(times).flatMap(([what, { known, other }]) => {
        if (known.length === 0) return [];
        const auc = areaUnderCurve(known, other);
        const medians = `medians ${median(known)} ms known, ${median(other)} ms other`;
        console.info(`${pair.name}, ${name}, ${what}: AUC ${auc.toFixed(4)} over ${known.length} pairs; ${medians}`);
        return [auc];
      });
      expect([...answers]).toHaveLength(1);
      for (const auc of aucs) expect(Math.abs(auc - 0.5)).toBeLessThan(0.03);
    },
  );
});

const steady = (body: string): string =>
  body.replaceAll(
    /nonce="[^"]+"|name="form_token" value="[^"]+"|journey\/[\w-]+|[0-9A-Z]{4}(-[0-9A-Z]{4}){2}|\d{1,2}:\d\d|[AP]M/g,
    '',
  );
