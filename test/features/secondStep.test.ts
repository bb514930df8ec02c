import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { findBySignInName } from '../../src/core/account/account.ts';
import { ACR } from '../../src/core/journey/assurance.ts';
import { mfaSteps } from '../../src/features/mfa/steps.ts';
import type { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, identify, inboxOf, registerAs } from '../support/errands.ts';
import { MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { codesOn, setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const STRICT = webClient({ client_id: 'strict', require_mfa: true });
const HIGH = { acr_values: ACR.aal2 };
const PASSWORD = 'four kites above the bay';
const PERSON = {
  ...{ 'first-name': 'Sample', 'last-name': 'Member', 'postal-code': '97201' },
  ...{ 'birth-month': '3', 'birth-day': '14', 'birth-year': '1951' },
};
/** Whom the plan knows, without an account yet. */
const NEWCOMER = {
  person: {
    ...{ 'first-name': 'Example', 'last-name': 'Person', 'postal-code': '97202' },
    ...{ 'birth-month': '7', 'birth-day': '21', 'birth-year': '1964' },
  },
  ...{ number: 'MHP-100-2003', username: 'example.person', password: PASSWORD },
};

test('where no phone can be reached, no code by phone is offered, nor set up by a form of one’s own', async () => {
  const factors = ['totp', 'text'].map((method) => ({ method }));
  for (const [reachesPhones, offered] of [
    [true, ['totp', 'text']],
    [false, ['totp']],
  ] as const) {
    const { enrolment } = mfaSteps({ enrollable: factors, reachesPhones } as never);
    expect(await enrolment.show({} as never)).toEqual({ methods: offered });
    expect(enrolment.parse(new Map([['method', 'text']]), {} as never).ok).toBe(reachesPhones);
  }
});

describeOnEveryStore('a second step', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: RelyingParty;
  const open = async (env: Record<string, string> = {}) => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: [webClient(), STRICT], env });
    app = await RelyingParty.discover(provider.issuer);
  };
  beforeEach(() => open());
  afterEach(() => provider.close());

  const later = (seconds = 30) => clock.advance(seconds * 1_000);
  const now = () => clock.now();
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  /** As far as the page after the password. */
  const password = async (visitor: Visitor, parameters: Record<string, string> = {}, member = MEMBER) => {
    const started = await app.start(parameters);
    return { started, page: await signIn(visitor, provider.issuer, started, member) };
  };
  const claimsOf = async (back: Answer, started: Awaited<ReturnType<RelyingParty['start']>>) =>
    decodeJwt(String((await app.redeem(back.url, started)).id_token));
  const account = async () => (await findBySignInName(provider.stores.accounts, MEMBER.username))?.value;
  /** The member sets up the app where an app of the plan asks for it. */
  async function enrolled(): Promise<{ authenticator: AuthenticatorApp; codes: string[]; visitor: Visitor }> {
    const visitor = new Visitor();
    const { page } = await password(visitor, HIGH);
    const { app: authenticator, codes } = await setUpApp(visitor, page, provider.issuer, now);
    later();
    return { authenticator, codes, visitor };
  }
  /** As far as the page of the second step that is asked for. */
  const asked = async (visitor = new Visitor(), parameters: Record<string, string> = {}) => {
    const { started, page } = await password(visitor, parameters);
    expect(page.status).toBe(200);
    return { visitor, started, page };
  };

  test('is set up inside the sign-in to an app that asks for it, and is asked for from then on', async () => {
    const visitor = new Visitor();
    const { started, page } = await password(visitor, HIGH);
    expect(page.body).toContain('Add a second step');
    const { app: authenticator, codes, next, setup } = await setUpApp(visitor, page, provider.issuer, now);
    expect(setup.body).toContain('href="otpauth://totp/Meadowlark%20Health%20Plan:sample.member?secret=');
    expect(codes).toHaveLength(10);
    expect(await claimsOf(next, started)).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'otp', 'mfa'] });
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('A second step was added');
    // The store holds neither the seed nor a code.
    const held = JSON.stringify(await account());
    for (const secret of [...codes, String(/id="seed"[^>]*>([^<]+)</.exec(setup.body)?.[1]).replaceAll(' ', '')])
      expect(held).not.toContain(secret);

    later();
    const again = await asked();
    expect(again.page.body).toContain('Type the code from your app');
    const back = await submit(again.visitor, again.page, { code: authenticator.code(now()) });
    expect(await claimsOf(back, again.started)).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'otp', 'mfa'] });
  });

  test('refuses what is wrong, used, of a wrong clock or no code, and says which', async () => {
    const { authenticator } = await enrolled();
    const { visitor, page } = await asked();
    const answers: [string, number, string][] = [
      ['12', 422, 'six digits'],
      ['000000', 422, 'id="code-error"'],
    ];
    for (const [code, status, words] of answers) {
      const answer = await submit(visitor, page, { code });
      expect([code, answer.status, answer.body.includes(words)]).toEqual([code, status, true]);
    }
    authenticator.ahead = 120;
    const fast = await submit(visitor, page, { code: authenticator.code(now()) });
    expect([fast.status, fast.body]).toEqual([422, expect.stringContaining('clock')]);
    authenticator.ahead = 0;
    const code = authenticator.code(now());
    const twice = await Promise.all([
      visitor.post(page, { code }),
      asked().then(({ visitor: other, page: there }) => other.post(there, { code })),
    ]);
    expect(twice.map(({ status }) => status).toSorted()).toEqual([303, 410]);
  });

  test('takes five tries, whichever journey they come from, and then none for a while', async () => {
    const { authenticator } = await enrolled();
    const journeys = [await asked(), await asked()];
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const { visitor, page } = journeys[i % 2] as Awaited<ReturnType<typeof asked>>;
        return (await visitor.copy().post(page, { code: String(i).padStart(6, '0') })).status;
      }),
    );
    expect(statuses.filter((status) => status === 422)).toHaveLength(5);
    const { visitor, page } = await asked();
    expect((await submit(visitor, page, { code: authenticator.code(now()) })).status).toBe(429);
    later(15 * 60 + 1);
    expect((await submit(visitor, page, { code: authenticator.code(now()) })).url).toContain('code=');
  });

  test('steps a session up without the password, in a session of another id', async () => {
    const visitor = new Visitor();
    const before = await password(visitor);
    const first = await claimsOf(before.page, before.started);
    expect(first).toMatchObject({ acr: ACR.aal1, amr: ['pwd'] });
    const { authenticator } = await enrolled();
    later(60);
    // Without the member there is no more than the session has.
    const silent = await app.start({ ...HIGH, prompt: 'none' });
    expect((await visitor.go(silent.url, provider.issuer)).url).toContain('error=login_required');
    // An app that is content with less gets on without a question.
    expect((await visitor.go((await app.start()).url, provider.issuer)).url).toContain('code=');

    const sid = (await visitor.fetch(`${provider.issuer}/session/end`)).status;
    expect(sid).toBe(200);
    const started = await app.start(HIGH);
    const page = await visitor.go(started.url, provider.issuer);
    expect(page.body).toContain('Type the code from your app');
    expect(page.body).not.toContain('id="password"');
    const old = visitor.copy();
    const back = await submit(visitor, page, { code: authenticator.code(now()) });
    const claims = await claimsOf(back, started);
    expect(claims).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'otp', 'mfa'], auth_time: first.auth_time });
    // What the cookie of before opens is no session any more.
    expect((await old.go((await app.start()).url, provider.issuer)).body).toContain('id="password"');
    expect((await visitor.go((await app.start(HIGH)).url, provider.issuer)).url).toContain('code=');
  });

  test('is asked for by essential acr, by the registration of an app, and by policy', async () => {
    const { authenticator } = await enrolled();
    const essential = { claims: JSON.stringify({ id_token: { acr: { essential: true, values: [ACR.aal2] } } }) };
    const { visitor, started, page } = await asked(new Visitor(), essential);
    const back = await submit(visitor, page, { code: authenticator.code(now()) });
    expect(await claimsOf(back, started)).toMatchObject({ acr: ACR.aal2 });

    await provider.close();
    await open();
    const strict = await RelyingParty.discover(provider.issuer, STRICT);
    const there = await signIn(new Visitor(), provider.issuer, await strict.start(), MEMBER);
    expect(there.body).toContain('Add a second step');

    await provider.close();
    await open({ MFA_POLICY: 'required' });
    expect((await asked()).page.body).toContain('Add a second step');
  });

  test('is set up at the end of a registration where every sign-in takes two steps, and only in its minutes', async () => {
    await provider.close();
    await open({ MFA_POLICY: 'required' });
    const visitor = new Visitor();
    const offered = await registerAs(visitor, provider, NEWCOMER);
    expect(offered.body).toContain('Step 6 of 6');
    expect(offered.body).toContain('Add a second step');
    const { app: authenticator, codes, next } = await setUpApp(visitor, offered, provider.issuer, now);
    expect(codes).toHaveLength(10);
    expect(next.body).toContain('Your account is ready');
    later();
    const { page } = await password(new Visitor(), {}, { username: NEWCOMER.username, password: PASSWORD });
    expect(page.body).toContain('Type the code from your app');
    expect(authenticator.code(now())).toHaveLength(6);
  });

  test('is not set up by who finds the page of a registration later', async () => {
    await provider.close();
    await open({ MFA_POLICY: 'required' });
    const visitor = new Visitor();
    const offered = await registerAs(visitor, provider, NEWCOMER);
    later(900);
    expect((await submit(visitor, offered, { method: 'totp' })).body).toContain('Your account is ready');
    expect((await go(visitor, new URL(offered.url).pathname)).body).toContain('Your account is ready');
  });

  test('by text goes to the phone that was shown to be the member’s', async () => {
    const visitor = new Visitor();
    const { started, page } = await password(visitor, HIGH);
    const number = await submit(visitor, page, { method: 'text' });
    expect(number.body).toContain('less safe than an authenticator app');
    const bad = await submit(visitor, number, { phone: '12' });
    expect(bad.status).toBe(422);
    const setup = await submit(visitor, bad, { phone: '(202) 555-0177' });
    const codes = await submit(visitor, setup, { code: await codeFrom(provider, '+12025550177') });
    expect(codesOn(codes)).toHaveLength(10);
    const back = await submit(visitor, codes, { saved: 'yes' });
    expect(await claimsOf(back, started)).toMatchObject({ acr: ACR.aal2, amr: ['pwd', 'sms', 'mfa'] });

    const again = await asked();
    expect(again.page.body).toContain('the phone that ends in 77');
    // Nothing was sent yet: opening a page sends nothing.
    const sent = await submit(again.visitor, again.page, { send: 'sms' });
    const code = await codeFrom(provider, '+12025550177');
    const other = await asked();
    const elsewhere = await submit(other.visitor, await submit(other.visitor, other.page, { send: 'voice' }), { code });
    expect(elsewhere.status).toBe(422);
    expect((await submit(again.visitor, sent, { code })).url).toContain('code=');
  });

  test('is replaced by a recovery code once, which is renewed and told of', async () => {
    const { codes } = await enrolled();
    const { visitor, started, page } = await asked();
    const method = await go(visitor, String(/id="other-method" href="([^"]+)"/.exec(page.body)?.[1]));
    expect(method.body).toContain('One of your recovery codes');
    const form = await submit(visitor, method, { method: 'recovery-code' });
    expect((await submit(visitor, form, { 'recovery-code': 'abc' })).status).toBe(422);
    const [, second = '', third = ''] = codes;
    // A code of another slot is none.
    expect((await submit(visitor, form, { 'recovery-code': `2${third.slice(1)}` })).status).toBe(422);
    const fresh = await submit(visitor, form, { 'recovery-code': second.toLowerCase() });
    const [renewed = ''] = codesOn(fresh);
    expect([renewed[0], renewed === second]).toEqual(['2', false]);
    expect((await submit(visitor, fresh, {})).status).toBe(422);
    const back = await submit(visitor, fresh, { saved: 'yes' });
    expect(await claimsOf(back, started)).toMatchObject({ acr: ACR.aal2 });
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('A recovery code was used');

    const use = async (code: string) => {
      const again = await asked();
      const choice = await go(again.visitor, `${new URL(again.page.url).pathname}/method`);
      return submit(again.visitor, await submit(again.visitor, choice, { method: 'recovery-code' }), {
        'recovery-code': code,
      });
    };
    expect((await use(second)).status).toBe(422);
    expect(codesOn(await use(renewed))).toHaveLength(1);
  });

  test('is not set up, and not passed, by who has the password alone: no answer to any step leads on', async () => {
    await enrolled();
    const { visitor, page } = await asked(new Visitor(), HIGH);
    const home = new URL(page.url).pathname;
    const plausible = {
      ...{ method: 'totp', code: '000000', 'recovery-code': '1-AAAA-AAAA-AAAA-AAAA', saved: 'yes', terms: 'yes' },
      ...{
        phone: '2025550177',
        'new-password': PASSWORD,
        decision: 'allow',
        send: 'sms',
        way: '0',
        username: MEMBER.username,
      },
    };
    const steps = [
      ...['account', 'password', 'renewal', 'agreement', 'method', 'second', 'enrolment', 'number', 'setup', 'codes'],
      ...['consent', 'replacement', 'name', 'code', 'credentials'],
    ];
    for (const after of steps)
      for (const one of steps.toReversed()) {
        for (const step of [after, one]) {
          const answer = await visitor.fetch(`${provider.issuer}${home}/${step}`, {
            method: 'POST',
            body: new URLSearchParams({
              form_token: String(/name="form_token" value="([^"]+)"/.exec(page.body)?.[1]),
              ...plausible,
            }),
          });
          expect([step, answer.headers.get('location') ?? home]).toEqual([
            step,
            expect.stringMatching(/\/interaction\//),
          ]);
        }
      }
    expect((await account())?.factors?.phone).toBeUndefined();
    expect((await visitor.go((await app.start({ prompt: 'none' })).url, provider.issuer)).url).toContain(
      'login_required',
    );
  });

  test('stands between a forgotten password and a new one', async () => {
    const { authenticator } = await enrolled();
    const visitor = new Visitor();
    const name = await submit(visitor, await go(visitor, '/forgot-password'), { username: MEMBER.username });
    const second = await submit(visitor, name, { code: await codeFrom(provider, 'sample.member@example.com') });
    expect(second.body).toContain('Type the code from your app');
    const skipped = await visitor.fetch(`${second.url}/replacement`, {
      method: 'POST',
      body: new URLSearchParams({
        form_token: String(/name="form_token" value="([^"]+)"/.exec(second.body)?.[1]),
        'new-password': PASSWORD,
      }),
    });
    expect(skipped.status).toBe(303);
    const replacement = await submit(visitor, second, { code: authenticator.code(now()) });
    expect((await submit(visitor, replacement, { 'new-password': PASSWORD })).body).toContain(
      'Your password was changed',
    );
    later();
    const page = await signIn(new Visitor(), provider.issuer, await app.start(), { ...MEMBER, password: PASSWORD });
    expect(page.body).toContain('Type the code from your app');
  });

  test('by phone is shown besides a code to another address, and not twice by one phone', async () => {
    const enrolling = new Visitor();
    const { page } = await password(enrolling, HIGH);
    const number = await submit(enrolling, page, { method: 'text' });
    const setup = await submit(enrolling, number, { phone: '+12025550143' });
    await submit(enrolling, setup, { code: await codeFrom(provider, '+12025550143') });

    const visitor = new Visitor();
    const texts = async () =>
      (await inboxOf(provider)).filter(({ to, text }) => to === '+12025550143' && /#\d/.test(text));
    const name = await submit(visitor, await go(visitor, '/forgot-password'), { username: MEMBER.username });
    const before = (await texts()).length;
    await submit(visitor, name, { send: 'sms' });
    expect(await texts()).toHaveLength(before);
    await submit(visitor, name, { send: 'email' });
    const second = await submit(visitor, name, { code: await codeFrom(provider, 'sample.member@example.com') });
    expect(second.body).toContain('the phone that ends in 43');
    const sent = await submit(visitor, second, { send: 'sms' });
    const after = await submit(visitor, sent, { code: await codeFrom(provider, '+12025550143') });
    expect(after.body).toContain('Choose a new password');
  });

  test('that is lost with everything else is gone after the day that anybody can end', async () => {
    await enrolled();
    const visitor = new Visitor();
    const page = await identify(visitor, provider, { person: PERSON, number: 'MHP-100-2001' }, 'lost-contact');
    const delay = await submit(visitor, page, { code: await codeFrom(provider, 'sample.member@example.com') });
    await submit(visitor, delay, {});
    const reset = async () => {
      const browser = new Visitor();
      const name = await submit(browser, await go(browser, '/forgot-password'), { username: MEMBER.username });
      return {
        browser,
        after: await submit(browser, name, { code: await codeFrom(provider, 'sample.member@example.com') }),
      };
    };
    later(3_600);
    expect((await reset()).after.body).toContain('Type the code from your app');
    later(24 * 3_600);
    const { browser, after } = await reset();
    expect(after.body).toContain('Choose a new password');
    await submit(browser, after, { 'new-password': PASSWORD });
    expect((await account())?.factors).toBeUndefined();
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('Your second steps were removed');
    const open = await signIn(new Visitor(), provider.issuer, await app.start(HIGH), { ...MEMBER, password: PASSWORD });
    expect(open.body).toContain('Add a second step');
  });
});
