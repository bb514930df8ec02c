import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, type Started, signIn, VIOLET, Visitor, webClient } from '../support/relyingParty.ts';
import type { Answer } from '../support/visitor.ts';

const AT_ONCE = 8;

/** RFC 9700 2.1.1: a code stands for one answer of the member. */
describeOnEveryStore('one authorization request', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let other: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient(), VIOLET] });
    app = await RelyingParty.discover(provider.issuer);
    other = await RelyingParty.discover(provider.issuer, VIOLET);
  });
  afterAll(() => provider.close());

  const codeOf = ({ url }: Answer): string | null => new URL(url).searchParams.get('code');
  const codesOf = (answers: readonly Answer[]) => new Set(answers.map(codeOf).filter((code) => code !== null));
  /** As many windows of one browser do the same at once. */
  const atOnce = (visitor: Visitor, what: (window: Visitor) => Promise<Answer>): Promise<Answer[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, () => what(visitor.copy())));
  const openPage = async () => {
    const visitor = new Visitor();
    const started = await app.start();
    return { visitor, started, page: await visitor.go(started.url, provider.issuer) };
  };
  /** Signs in until the browser is to be sent back to oidc-provider. */
  const answered = async () => {
    const { visitor, page, started } = await openPage();
    const { headers } = await visitor.post(page, MEMBER);
    expect(headers.get('location')).toMatch(/\/auth\/[\w-]+$/);
    return { visitor, started, resume: new URL(String(headers.get('location')), page.url).href, home: page.url };
  };

  test('whose form is sent several times at once gets one code, and nobody a broken page', async () => {
    const { visitor, page, started } = await openPage();
    const answers = await atOnce(visitor, (window) => window.submit(page, MEMBER, provider.issuer));
    expect(codesOf(answers).size).toBe(1);
    for (const answer of answers) expect(codeOf(answer) === null ? answer.status : 303).toBeLessThan(500);
    const came = answers.find((answer) => codeOf(answer) !== null);
    expect((await app.redeem(String(came?.url), started)).access_token).toBeTruthy();
  });

  test('whose answer is handed on several times at once gets one code', async () => {
    const { visitor, resume, started } = await answered();
    const answers = await atOnce(visitor, (window) => window.go(resume, provider.issuer));
    expect(codesOf(answers).size).toBe(1);
    const lost = answers.filter((answer) => codeOf(answer) === null);
    expect(lost.map(({ status }) => status)).toEqual(Array(AT_ONCE - 1).fill(410));
    const came = answers.find((answer) => codeOf(answer) !== null);
    expect((await app.redeem(String(came?.url), started)).access_token).toBeTruthy();
  });

  test('that was answered gives the same answer to a second click before the browser went on, and one code', async () => {
    const { visitor, home, resume } = await answered();
    const again = await atOnce(visitor, (window) => window.fetch(home));
    for (const { status, headers } of again)
      expect([status, new URL(String(headers.get('location')), home).href]).toEqual([303, resume]);
    const answers = await atOnce(visitor, (window) => window.go(home, provider.issuer));
    expect(codesOf(answers).size).toBe(1);
    for (const answer of answers) expect(codeOf(answer) === null ? answer.status : 303).toBeLessThan(500);
  });

  test('that has got its code is not brought back by who still holds a copy of it', async () => {
    const { visitor, home, resume } = await answered();
    const [first, ...late] = await Promise.all([
      visitor.copy().go(resume, provider.issuer),
      ...Array.from({ length: AT_ONCE }, () => visitor.copy().fetch(home)),
    ]);
    // Wherever those were sent who were late: it opens nothing.
    const ends = await Promise.all(late.map((answer) => follow(visitor.copy(), answer)));
    expect(codesOf([first, ...ends]).size).toBe(1);
  });

  test('of several that an app begins at once in a session which has not met it yet each gets tokens that count', async () => {
    const visitor = new Visitor();
    const first = await app.start();
    await signIn(visitor, provider.issuer, first, MEMBER);
    const begun = await Promise.all(Array.from({ length: AT_ONCE }, () => other.start()));
    const answers = await Promise.all(begun.map((started) => visitor.copy().go(started.url, provider.issuer)));
    const tokens = await Promise.all(answers.map(({ url }, i) => other.redeem(url, begun[i] as Started)));
    for (const { access_token } of tokens) {
      const { sub } = tokens[0]?.claims() ?? {};
      expect((await openid.fetchUserInfo(other.config, access_token, String(sub))).sub).toBe(sub);
    }
    expect(new Set(tokens.map((set) => set.claims()?.sid)).size).toBe(1);
  });

  const follow = (visitor: Visitor, answer: Answer): Promise<Answer> => {
    const location = answer.headers.get('location');
    return location === null
      ? Promise.resolve(answer)
      : visitor.go(new URL(location, answer.url).href, provider.issuer);
  };
});
