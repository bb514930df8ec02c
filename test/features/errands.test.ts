import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { findBySignInName } from '../../src/core/account/account.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { codeFrom, identify, inboxOf, type Registration, registerAs } from '../support/errands.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { personOf, rosterRow } from '../support/roster.ts';
import { movableDate } from '../support/time.ts';
import type { Answer } from '../support/visitor.ts';

const person = (firstName: string, lastName: string, [year, month, day]: readonly number[], zip: string) => ({
  ...{ 'first-name': firstName, 'last-name': lastName, 'postal-code': zip },
  ...{ 'birth-month': String(month), 'birth-day': String(day), 'birth-year': String(year) },
});
const NEW = person('example', 'PERSON', [1964, 7, 21], '97202-0001');
const CLAIMED = person('Sample', 'Member', [1951, 3, 14], '97201');
const PASSWORD = 'four kites above the bay';

/** Fifty more, who all want one username. */
const MANY = Array.from({ length: 50 }, (_, i) => `MHP-200-${1000 + i}`);

/** Each from a network of its own, as if through a proxy that is trusted. */
const PROXY = { TRUSTED_PROXIES: '127.0.0.1, ::1' };

describeOnEveryStore('a member of the plan', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  let networks = 0;
  beforeAll(async () => {
    provider = await startProvider(pair, {
      clients: [webClient()],
      env: PROXY,
      roster: MANY.map((number) => rosterRow(number)),
    });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());
  beforeEach(async () => {
    networks += 1;
    // What the test before has asked for is sent before this one asks.
    await provider.work();
  });

  const newVisitor = (language = 'en') =>
    new Visitor({
      'x-forwarded-for': `203.0.${networks}.${Math.floor(Math.random() * 255)}`,
      'accept-language': language,
    });
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string>) =>
    visitor.submit(page, fields, provider.issuer);
  /** As far as the page for the code of who has forgotten something. */
  const asked = async (visitor: Visitor, course: string, username: string): Promise<Answer> =>
    submit(visitor, await visitor.go(`${provider.issuer}/${course}`, provider.issuer), { username });

  test('registers with what the card says, however it is written, and signs in by username and by email', async () => {
    const done = await registerAs(newVisitor(), provider, {
      ...{ person: NEW, number: 'mhp 100 2003', username: 'new.member', password: PASSWORD },
    });
    expect([done.status, done.body]).toEqual([200, expect.stringContaining('You can now sign in as new.member')]);
    for (const username of ['New.Member', 'example.person@example.com']) {
      const started = await app.start();
      const back = await signIn(newVisitor(), provider.issuer, started, { username, password: PASSWORD });
      expect((await app.redeem(back.url, started)).claims()?.sub).toMatch(/^[\w-]{36}$/);
    }
    const account = await findBySignInName(provider.stores.accounts, 'new.member');
    expect(account?.value).toMatchObject({ firstName: 'Example', memberNumber: 'MHP-100-2003', emailConfirmed: true });
    expect((await inboxOf(provider)).map(({ to, subject }) => [to, subject])).toContainEqual([
      'example.person@example.com',
      'Your account was opened',
    ]);
  });

  test.each([
    ['nobody has the number', NEW, 'MHP-999-9999'],
    ['one detail is another', { ...NEW, 'birth-year': '1965' }, 'MHP-100-2004'],
    ['somebody has registered already', CLAIMED, 'MHP-100-2001'],
    ['the membership is frozen', person('Frozen', 'Member', [1958, 10, 16], '97219'), 'MHP-100-2012'],
    ['the member has died', person('Late', 'Member', [1931, 5, 25], '97220'), 'MHP-100-2013'],
  ])('is told one thing alone when %s', async (_, who, number) => {
    const visitor = newVisitor();
    const page = await identify(visitor, provider, { person: who, number });
    expect([page.status, page.body]).toEqual([422, expect.stringContaining('We couldn’t match'.replace('’', '&#39;'))]);
    const steady = (await identify(newVisitor(), provider, { person: NEW, number: 'MHP-000-0000' })).body;
    const comparable = (body: string) => body.replaceAll(/nonce="[^"]+"|journey\/[\w-]+/g, '');
    expect(comparable(page.body)).toBe(comparable(steady));
    // What was typed is still there to be mended.
    const again = await visitor.go(`${page.url.replace(/\/member$/, '')}/person`, provider.issuer);
    expect(again.body).toContain(`value="${who['last-name']}"`);
  });

  test('whose membership somebody tries to claim again hears of it, and the other one of nothing', async () => {
    await identify(newVisitor(), provider, { person: CLAIMED, number: 'MHP-100-2001' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const told = (await inboxOf(provider)).filter(({ to }) => to === 'sample.member@example.com');
    expect(told.map(({ subject }) => subject)).toContain('Somebody tried to open an account for you');
  });

  test('under age cannot register alone', async () => {
    const visitor = newVisitor();
    const first = await visitor.go(`${provider.issuer}/register`, provider.issuer);
    const page = await submit(visitor, first, person('Young', 'Sample', [2015, 3, 3], '97221'));
    expect([page.status, page.body]).toEqual([403, expect.stringContaining('by yourself yet')]);
  });

  test('whose membership has ended is told so only after the code', async () => {
    const visitor = newVisitor();
    const who = { person: person('Former', 'Member', [1969, 2, 11], '97217'), number: 'MHP-100-2010' };
    const contact = await identify(visitor, provider, who);
    expect(contact.body).toContain('By email to f•••@example.com');
    const code = await submit(visitor, contact, { way: '0' });
    const page = await submit(visitor, code, { code: await codeFrom(provider, 'former.member@example.com') });
    expect([page.status, page.body]).toEqual([403, expect.stringContaining('This membership has ended')]);
  });

  test('without a contact on file is given the phone, and nothing is sent', async () => {
    const who = { person: person('Without', 'Contact', [1945, 6, 2], '97215'), number: 'MHP-100-2008' };
    const page = await identify(newVisitor(), provider, who);
    expect(page.body).toContain('no email address or phone number');
    expect(page.body).toContain('1-800-555-0142');
  });

  test('changes the email, and has to show by a code that it is theirs', async () => {
    const visitor = newVisitor('es');
    const who = { person: person('Muestra', 'Afiliada', [1979, 1, 30], '97206'), number: 'MHP-100-2004' };
    const code = await submit(visitor, await identify(visitor, provider, who), { way: '0' });
    const contacts = await submit(visitor, code, { code: await codeFrom(provider, 'muestra.afiliada@example.com') });
    const fields = { email: 'nueva@example.com', phone: '202-555-0104', terms: 'yes', texts: 'yes' };
    const confirm = await submit(visitor, contacts, fields);
    expect(confirm.body).toContain('Enviamos un código a nueva@example.com');
    const credentials = await submit(visitor, confirm, { code: await codeFrom(provider, 'nueva@example.com') });
    const taken = await submit(visitor, credentials, { username: 'New.Member', 'new-password': PASSWORD });
    expect([taken.status, taken.body]).toEqual([409, expect.stringContaining('Otra persona tiene este nombre')]);
    const done = await submit(visitor, taken, { username: 'otra', 'new-password': PASSWORD });
    expect(done.body).toContain('iniciar sesión como otra');
    const account = await findBySignInName(provider.stores.accounts, 'nueva@example.com');
    expect(account?.value).toMatchObject({ phone: '+12025550104', phoneConfirmed: false, agreed: { sms: '2026-11' } });
  });

  test('gets the username back; who has none is not told before the code', async () => {
    const visitor = newVisitor();
    const page = await identify(visitor, provider, { person: CLAIMED, number: 'MHP-100-2001' }, 'forgot-username');
    const nobody = await identify(newVisitor(), provider, { person: CLAIMED, number: 'MHP-1' }, 'forgot-username');
    const comparable = ({ body }: Answer) =>
      body.replaceAll(/nonce="[^"]+"|journey\/[\w-]+|value="[\w-]{43}"|\d+:\d\d/g, '');
    expect(comparable(page)).toBe(comparable(nobody));
    const found = await submit(visitor, page, { code: await codeFrom(provider, 'sample.member@example.com') });
    expect(found.body).toContain('sample.member</p>');
  });

  test('sets a new password by a code, which ends what is open and signs nobody in', async () => {
    const before = await app.start();
    const { refresh_token } = await app.redeem(
      (await signIn(newVisitor(), provider.issuer, before, OTHER_MEMBER)).url,
      before,
    );
    const visitor = newVisitor();
    const page = await asked(visitor, 'forgot-password', OTHER_MEMBER.username);
    const replacement = await submit(visitor, page, { code: await codeFrom(provider, 'miembro.ejemplo@example.com') });
    const weak = await submit(visitor, replacement, { 'new-password': 'password1234567' });
    expect(weak.status).toBe(422);
    const done = await submit(visitor, weak, { 'new-password': PASSWORD });
    expect(done.body).toContain('Your password was changed');
    await expect(openid.refreshTokenGrant(app.config, String(refresh_token))).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await visitor.go((await app.start()).url, provider.issuer)).body).toContain('id="password"');
    const now = { ...OTHER_MEMBER, password: PASSWORD };
    expect((await signIn(newVisitor(), provider.issuer, await app.start(), now)).url).toContain('code=');
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('Su contraseña se cambió');
  });

  test('locks the account by mistake, hears of it, and unlocks it by a code', async () => {
    const visitor = newVisitor();
    const right = { username: 'new.member', password: PASSWORD };
    for (let i = 0; i < 6; i += 1)
      await signIn(visitor, provider.issuer, await app.start({ prompt: 'login' }), { ...right, password: 'wrong' });
    const locked = await signIn(visitor, provider.issuer, await app.start(), right);
    expect([locked.status, locked.body]).toEqual([429, expect.stringContaining('id="unlock"')]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await inboxOf(provider)).map(({ subject }) => subject)).toContain('Sign-in was paused');
    const href = /id="unlock" href="([^"]+)"/.exec(locked.body)?.[1]?.replaceAll('&amp;', '&');
    const name = await visitor.go(provider.issuer + href, provider.issuer);
    const code = await submit(visitor, name, { username: 'new.member' });
    const done = await submit(visitor, code, { code: await codeFrom(provider, 'example.person@example.com') });
    expect(done.body).toContain('Sign-in is unlocked');
    expect((await signIn(visitor, provider.issuer, await app.start(), right)).url).toContain('code=');
  });

  test('who is nobody sees the same pages, and no code is ever right', async () => {
    const [visitor, other] = [newVisitor(), newVisitor()];
    const page = await asked(visitor, 'forgot-password', 'nobody.here');
    const known = await asked(other, 'forgot-password', MEMBER.username);
    const comparable = ({ body }: Answer) =>
      body.replaceAll(/nonce="[^"]+"|journey\/[\w-]+|value="[\w-]{43}"|\d+:\d\d/g, '');
    expect(comparable(page)).toBe(comparable(known));
    const tries = [];
    for (let i = 0; i < 7; i += 1) tries.push((await submit(visitor, page, { code: `00000${i}` })).status);
    expect(tries).toEqual([422, 422, 422, 422, 422, 429, 429]);
  });

  test('a code is good in the journey that asked for it alone, once, and not after ten minutes more', async () => {
    const [a, b] = [newVisitor(), newVisitor()];
    const pageA = await asked(a, 'unlock', MEMBER.username);
    const code = await codeFrom(provider, 'sample.member@example.com');
    const pageB = await asked(b, 'unlock', MEMBER.username);
    // What was sent to this tab arrives before the last one is asked for.
    await provider.work();
    expect((await submit(b, pageB, { code })).status).toBe(422);
    expect((await submit(b, { ...pageA }, { code })).status).toBe(410);
    const twice = await Promise.all(
      [0, 1].map(() => a.copy().post(pageA, { code: `${code.slice(0, 3)} ${code.slice(3)}` })),
    );
    expect(twice.map(({ status }) => status).toSorted()[0]).toBe(303);

    const late = newVisitor();
    const date = movableDate();
    const page = await asked(late, 'unlock', MEMBER.username);
    const old = await codeFrom(provider, 'sample.member@example.com');
    date.advance(16 * 60);
    const answer = await submit(late, page, { code: old });
    date.restore();
    expect([answer.status, answer.body]).toEqual([410, expect.stringContaining('too old')]);
  });

  /** Sends all at once; who is told to come again, because too many passwords are hashed, comes again. */
  const settle = (posts: readonly (() => Promise<Answer>)[]) =>
    Promise.all(
      posts.map(async (post) => {
        let answer = await post();
        while (answer.status === 503) {
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
          await new Promise((resolve) => setTimeout(resolve, 100));
          answer = await post();
        }
        return answer;
      }),
    );

  /** As far as the page for the username and the password. */
  async function ready(who: Pick<Registration, 'person' | 'number'>, email: string) {
    const visitor = newVisitor();
    const code = await submit(visitor, await identify(visitor, provider, who), { way: '0' });
    const contacts = await submit(visitor, code, { code: await codeFrom(provider, email) });
    return { visitor, page: await submit(visitor, contacts, { email, phone: '', terms: 'yes' }) };
  }

  test('twenty claims of one membership settle to one', async () => {
    const who = { person: person('José Luis', 'OExample', [1990, 9, 9], '97214'), number: 'MHP-100-2005' };
    const journeys: Awaited<ReturnType<typeof ready>>[] = [];
    for (let i = 0; i < 4; i += 1) journeys.push(await ready(who, 'jose.luis@example.com'));
    const names = Array.from({ length: 20 }, (_, i) => `claim.${i}`);
    await settle(
      names.map((username, i) => async () => {
        const { visitor, page } = journeys[i % 4] as Awaited<ReturnType<typeof ready>>;
        return visitor.post(page, { username, 'new-password': PASSWORD });
      }),
    );
    const holders = await Promise.all(names.map((name) => findBySignInName(provider.stores.accounts, name)));
    expect(holders.filter((holder) => holder !== undefined)).toHaveLength(1);
  });

  test('fifty who want one username settle to one, and the others are asked for another', async () => {
    const journeys: Awaited<ReturnType<typeof ready>>[] = [];
    for (const number of MANY) {
      const { birthDate, firstName, lastName, postalCode } = personOf(number);
      const who = person(firstName, lastName, birthDate.split('-').map(Number), postalCode);
      journeys.push(await ready({ person: who, number }, `${number}@example.com`));
    }
    const answers = await settle(
      journeys.map(
        ({ visitor, page }) =>
          () =>
            visitor.post(page, { username: 'wanted', 'new-password': PASSWORD }),
      ),
    );
    const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
    expect([count(303), count(409)]).toEqual([1, 49]);
  });
});
