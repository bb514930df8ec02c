import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { type Account, findBySignInName } from '../../src/core/account/account.ts';
import { withFactors } from '../../src/core/factors/factors.ts';
import { setRoles } from '../../src/core/staff/staff.ts';
import { change } from '../../src/core/storage/collection.ts';
import { recorded } from '../support/audit.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { AGENT, Agent, SECOND_AGENT, saying } from '../support/desk.ts';
import { codeFrom, inboxOf } from '../support/errands.ts';
import { DEVELOPMENT_MEMBERS, MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import type { Answer } from '../support/visitor.ts';

const CALLER = saying('Sample', 'Member', '1951-03-14', '97201');
const FORMER = {
  ...{ username: 'former.member', password: 'an old bench in the park', email: 'former.member@example.com' },
  ...{ phone: '+12025550110', memberNumber: 'MHP-100-2010', firstName: 'Former', lastName: 'Member' },
  ...{ birthDate: '1969-02-11', postalCode: '97217' },
};
const RELATIVE = {
  ...{ username: 'agents.mother', password: 'a table under a tree', email: 'agents.mother@example.com' },
  ...{ phone: '+12025550153', memberNumber: 'MHP-100-2103', firstName: 'Mother', lastName: 'One' },
  ...{ birthDate: '1950-01-02', postalCode: '97230' },
};
const SHARER = {
  ...RELATIVE,
  username: 'agents.partner',
  memberNumber: 'MHP-100-2104',
  lastName: 'Else',
  postalCode: '97299',
  email: 'partner@example.com',
  phone: AGENT.phone,
};

describeOnEveryStore('the support desk', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let agent: Agent;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, {
      ...{ clock, clients: [{ ...webClient(), grant_types: ['authorization_code', 'refresh_token'] }], roster: [] },
      members: [...DEVELOPMENT_MEMBERS, AGENT, SECOND_AGENT, FORMER, RELATIVE, SHARER],
    });
    agent = new Agent(provider, () => clock.now());
    await agent.signIn(AGENT);
  });
  afterEach(() => provider.close());

  const accountOf = async ({ username }: { username: string }) => {
    const account = await findBySignInName(provider.stores.accounts, username);
    if (account === undefined) throw new Error(`nobody is ${username}`);
    return account;
  };
  const edit = async (member: { username: string }, to: (account: Account) => Account) =>
    change(provider.stores.accounts, (await accountOf(member)).id, to);
  const withPhone = (member: { username: string }, to = '+12025550160') =>
    edit(member, (account) => withFactors(account, { phone: { to, addedAt: 1 }, lastUsed: 'text' }));
  const linkIn = async (to: string) => {
    const message = (await inboxOf(provider)).find((one) => one.to === to && one.text.includes('/invitation/'));
    const link = /https?:\/\/\S+\/invitation\/[\w-]+/.exec(message?.text ?? '')?.[0];
    if (link === undefined) throw new Error(`no link came to ${to}`);
    return link;
  };
  const toldTo = async (to: string) =>
    (await inboxOf(provider)).filter((one) => one.to === to).map(({ subject, text }) => subject ?? text);
  /** A member at the sign-in page of an app. */
  const signInAs = async (visitor: Visitor, member: { username: string; password: string }): Promise<Answer> => {
    const party = await RelyingParty.discover(provider.issuer, webClient());
    return signIn(visitor, provider.issuer, await party.start(), member);
  };
  const isIn = ({ body }: Answer) => body.includes('https://app.example/callback?code=');
  const open = () => agent.open(MEMBER.username, CALLER);

  describe('finds', () => {
    test('by username, email address or member number, as a whole and however it is written', async () => {
      for (const typed of ['sample.member', 'SAMPLE.MEMBER@example.com', 'mhp 1002001'])
        expect((await agent.find(typed)).body).toContain('Check the caller');
      for (const part of [
        'sample',
        'sample.membe',
        'sample.member*',
        'Member',
        '%',
        'MHP-100',
        '97201',
        '+12025550143',
      ]) {
        const page = await agent.find(part);
        expect([part, page.status, page.body]).toEqual([part, 404, expect.stringContaining('Nobody has exactly this')]);
      }
    });

    test('nobody for who does not say why', async () => {
      const page = await agent.press(await agent.go('/support'), 'find', { identifier: MEMBER.username, reason: ' ' });
      expect([page.status, page.body]).toEqual([422, expect.stringContaining('Say why')]);
    });

    test('and puts each search on record, without what was typed', async () => {
      await agent.find('sample.member');
      await agent.find('my.secret.password');
      const searches = (await recorded(provider.stores)).filter(({ action }) => action === 'member-searched');
      expect(searches.map(({ outcome, reason }) => [outcome, reason])).toEqual([
        ['done', 'the member called'],
        ['member-unknown', 'the member called'],
      ]);
      expect(searches[0]).toMatchObject({
        subject: { id: (await accountOf(MEMBER)).id },
        actor: { kind: 'staff', id: (await accountOf(AGENT)).id },
      });
      expect(JSON.stringify(searches)).not.toContain('secret');
    });

    test('and tells an auditor of an agent who looks at forty members within an hour', async () => {
      const front = await agent.go('/support');
      for (let i = 0; i < 40; i += 1) await agent.press(front, 'find', { identifier: MEMBER.username });
      const raised = (await recorded(provider.stores)).filter(({ action }) => action === 'signal-viewing');
      expect(raised.map(({ subject }) => subject?.id)).toEqual([(await accountOf(AGENT)).id]);
    });

    test('no more than 120 members an hour', async () => {
      const front = await agent.go('/support');
      const answers: number[] = [];
      for (let i = 0; i < 121; i += 1)
        answers.push((await agent.press(front, 'find', { identifier: `nobody.${i}` })).status);
      expect([answers.slice(0, 120).every((status) => status === 404), answers[120]]).toEqual([true, 429]);
    });
  });

  describe('asks who calls', () => {
    test('and shows nothing of the member before', async () => {
      const page = await agent.find(MEMBER.username);
      for (const own of ['Sample', 'MHP-100-2001', '97201', '@example', 'Membership'])
        expect(page.body).not.toContain(own);
      expect(page.body).not.toContain('id="facts"');
    });

    test('and does not say which answer was wrong; after five wrong ones nobody is checked that day', async () => {
      const page = await agent.find(MEMBER.username);
      for (const wrong of [
        { 'first-name': 'Simple' },
        { 'last-name': 'Other' },
        { 'birth-year': '1952' },
        { 'postal-code': '97202' },
        { 'birth-day': '15' },
      ]) {
        const refused = await agent.press(page, 'check', { ...CALLER, ...wrong });
        expect([refused.status, refused.body]).toEqual([
          422,
          expect.stringContaining('Something of this is not as in our records'),
        ]);
      }
      expect((await agent.press(page, 'check', CALLER)).status).toBe(429);
      expect(
        (await recorded(provider.stores))
          .filter(({ action }) => action === 'caller-check')
          .map(({ outcome }) => outcome),
      ).toEqual([...Array(5).fill('caller-wrong'), 'caller-locked']);
      clock.advance(86_400_000);
      await agent.confirm(await agent.go('/support'), AGENT);
      expect((await agent.open(MEMBER.username, CALLER)).body).toContain('<h1>Sample Member</h1>');
    });

    test('and then shows the member, with every address masked and no secret; the member hears of it', async () => {
      await withPhone(MEMBER);
      const page = await open();
      expect(page.body).toContain('<h1>Sample Member</h1>');
      for (const shown of ['MHP-100-2001', 'sample.member', 's•••@example.com', '•••43', 'phone', 'Membership: active'])
        expect(page.body).toContain(shown);
      for (const hidden of ['sample.member@example.com', '2025550143', '2025550160', '1951-03-14', '$argon2'])
        expect(page.body).not.toContain(hidden);
      expect(await toldTo('sample.member@example.com')).toEqual([
        'Somebody called our support desk about your account',
      ]);
      const viewed = (await recorded(provider.stores)).filter(({ action }) => action === 'member-viewed');
      expect(viewed).toEqual([
        expect.objectContaining({
          reason: 'the member called',
          subject: { kind: 'account', id: (await accountOf(MEMBER)).id },
        }),
      ]);
    });

    test('again after a quarter of an hour', async () => {
      const page = await open();
      clock.advance(14 * 60_000);
      await agent.go('/support');
      clock.advance(2 * 60_000);
      const late = await agent.press(page, 'unlock');
      expect([late.status, late.body]).toEqual([403, expect.stringContaining('Check the caller first')]);
      expect((await accountOf(MEMBER)).value.attemptsEpoch).toBeUndefined();
    });
  });

  describe('has no way round', () => {
    const ACTIONS = [
      'unlock',
      'password',
      'second-step',
      'sign-out',
      'freeze',
      'thaw',
      'let-in',
      'removal',
      'letter',
      'close-case',
    ];

    test('the caller check: each action by a form of their own is refused', async () => {
      await withPhone(MEMBER);
      const before = (await accountOf(MEMBER)).value;
      const page = await agent.find(MEMBER.username);
      for (const action of ACTIONS)
        expect([action, (await agent.press(page, action, { way: '0', sure: 'yes' })).status]).toEqual([action, 403]);
      expect((await accountOf(MEMBER)).value).toEqual(before);
      expect(await toldTo('sample.member@example.com')).toEqual([]);
    });

    test('the reason: each action without one is refused', async () => {
      const page = await open();
      for (const action of ACTIONS) {
        const refused = await agent.press(page, action, { reason: '', way: '0', sure: 'yes' });
        expect([action, refused.status, refused.body]).toEqual([
          ...[action, 422, expect.stringContaining('Say why: it stays on record.')],
        ]);
      }
      const done = (await recorded(provider.stores)).filter(({ action }) => action.startsWith('support-'));
      expect(done.map(({ action }) => action)).toEqual(['support-checked']);
    });

    test('the desk of a colleague: a file opens for the agent who has searched, and in their session alone', async () => {
      const page = await open();
      const other = new Agent(provider, () => clock.now());
      await other.signIn(SECOND_AGENT);
      const { pathname } = new URL(page.url);
      expect((await other.go(pathname)).body).toContain('<h1>Support desk</h1>');
      const front = await other.go('/support');
      expect((await other.press({ ...front, url: provider.issuer + pathname }, 'unlock')).status).toBe(403);
      expect((await accountOf(MEMBER)).value.attemptsEpoch).toBeUndefined();
    });

    test('oneself, the family and colleagues', async () => {
      const other = new Agent(provider, () => clock.now());
      await other.signIn(SECOND_AGENT);
      for (const [member, words] of [
        [AGENT, 'your own account'],
        [RELATIVE, 'shares your home or a contact'],
        [SHARER, 'shares your home or a contact'],
        [SECOND_AGENT, 'a colleague with a role here'],
      ] as const) {
        const page = await agent.find(member.username);
        expect([page.status, page.body]).toEqual([403, expect.stringContaining(words)]);
      }
      // Also where it comes out only later.
      const page = await open();
      await edit(MEMBER, (account) => ({ ...account, email: AGENT.email }));
      expect((await agent.press(page, 'unlock')).status).toBe(403);
      expect((await agent.go(new URL(page.url).pathname)).body).toContain('<h1>Support desk</h1>');
    });

    test('the roles: who has none sees no desk, and an administrator and an auditor see none either', async () => {
      const visitor = new Visitor();
      await setRolesOf(OTHER_MEMBER, ['administrator', 'auditor']);
      const enrolment = await visitor.submit(
        await visitor.go(`${provider.issuer}/support`, provider.issuer),
        OTHER_MEMBER,
        provider.issuer,
      );
      const { next } = await setUpApp(visitor, enrolment, provider.issuer, () => clock.now());
      expect([next.status, next.body]).toEqual([403, expect.stringContaining('This is not for you')]);
    });
    const setRolesOf = async (member: { username: string }, roles: readonly ('administrator' | 'auditor')[]) => {
      await setRoles(provider.stores.staff, (await accountOf(member)).id, roles, { by: 'test', at: 1 });
    };
  });

  describe('helps', () => {
    test('who is locked out: unlocks every count, for the network of the member too', async () => {
      const member = new Visitor();
      for (let i = 0; i < 5; i += 1) await signInAs(member, { ...MEMBER, password: `wrong ${i}` });
      expect((await signInAs(member, MEMBER)).status).toBe(429);
      const page = await agent.press(await open(), 'unlock');
      expect(page.body).toContain('Sign-in was unlocked.');
      expect((await signInAs(member, MEMBER)).status).not.toBe(429);
      expect(await toldTo('sample.member@example.com')).toContain('Our support desk unlocked sign-in');
      const events = (await recorded(provider.stores)).filter(({ action }) => action === 'support-unlocked');
      expect(events).toEqual([
        expect.objectContaining({
          actor: { kind: 'staff', id: (await accountOf(AGENT)).id },
          reason: 'the member called',
        }),
      ]);
    });

    test('who has forgotten the password: a link to a contact on file, which is good once', async () => {
      const page = await open();
      expect(page.body).toContain('The member gets this message:');
      const sent = await agent.press(page, 'password', { way: '0' });
      expect(sent.body).toContain('The link is on its way.');
      expect(sent.body).not.toContain('/invitation/');
      const link = await linkIn('sample.member@example.com');
      const texts = (await toldTo('+12025550143')).join();
      expect(texts).toContain('our support desk sent a link to s•••@example.com');
      expect(texts).not.toContain('/invitation/');
      const member = new Visitor();
      const door = await member.go(link, provider.issuer);
      // A mail scanner that opens it uses nothing up.
      expect((await new Visitor().go(link, provider.issuer)).status).toBe(200);
      const choose = await member.submit(door, {}, provider.issuer);
      expect(choose.body).toContain('new-password');
      const done = await member.submit(choose, { 'new-password': 'another walk by the sea' }, provider.issuer);
      expect(done.body).toContain('Your password was changed');
      expect((await new Visitor().go(link, provider.issuer)).status).toBe(410);
      const used = (await recorded(provider.stores)).filter(({ action }) => action === 'invitation-used');
      expect(used).toEqual([
        expect.objectContaining({ subject: { kind: 'account', id: (await accountOf(MEMBER)).id } }),
      ]);
      expect(isIn(await signInAs(new Visitor(), { ...MEMBER, password: 'another walk by the sea' }))).toBe(true);
    });

    test('no thief who has the link alone: the second step is still asked for', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'password', { way: '0' });
      const thief = new Visitor();
      const next = await thief.submit(
        await thief.go(await linkIn('sample.member@example.com'), provider.issuer),
        {},
        provider.issuer,
      );
      expect(next.body).toContain('send-sms');
    });

    test('the last link of a kind counts, for an hour by email and ten minutes by text', async () => {
      const page = await open();
      await agent.press(page, 'password', { way: '0' });
      const first = await linkIn('sample.member@example.com');
      clock.advance(1_000);
      await agent.press(page, 'password', { way: '0' });
      const second = await linkIn('sample.member@example.com');
      expect(second).not.toBe(first);
      const status = async (link: string) => (await new Visitor().go(link, provider.issuer)).status;
      expect([await status(first), await status(second)]).toEqual([410, 200]);
      clock.advance(3_600_000);
      expect(await status(second)).toBe(410);
    });

    test('who has lost the phone: password and link set up a new second step, and the old ones end', async () => {
      await withPhone(MEMBER);
      const sent = await agent.press(await open(), 'second-step', { way: '0' });
      expect(sent.body).toContain('The link is on its way.');
      const member = new Visitor();
      const door = await member.go(await linkIn('sample.member@example.com'), provider.issuer);
      const password = await member.submit(door, {}, provider.issuer);
      expect(password.body).toContain('Type the password of sample.member');
      const wrong = await member.submit(password, { password: 'not this one' }, provider.issuer);
      expect([wrong.status, wrong.body]).toEqual([401, expect.stringContaining('This password is not right')]);
      const enrolment = await member.submit(wrong, { password: MEMBER.password }, provider.issuer);
      const { next, codes } = await setUpApp(member, enrolment, provider.issuer, () => clock.now());
      expect([next.body, codes.length]).toEqual([expect.stringContaining('Your new second step works'), 10]);
      const { factors } = (await accountOf(MEMBER)).value;
      expect([factors?.phone, factors?.totp !== undefined]).toEqual([undefined, true]);
      expect(await toldTo('sample.member@example.com')).toContain('Your second step was replaced');
    });

    test('what was begun by a link is no way in for who finds the page later, nor once it is done', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'second-step', { way: '0' });
      const member = new Visitor();
      const { issuer } = provider;
      const link = await linkIn('sample.member@example.com');
      const password = await member.submit(await member.go(link, issuer), {}, issuer);
      const enrolment = await member.submit(password, { password: MEMBER.password }, issuer);
      const shown = async () => (await member.go(password.url, issuer)).body;
      clock.advance(15 * 60_000);
      expect(await shown()).toContain('Type the password of');
      const again = await member.submit(await member.go(password.url, issuer), { password: MEMBER.password }, issuer);
      await setUpApp(member, again, issuer, () => clock.now());
      for (const step of ['ownPassword', 'enrolment', 'setup'])
        expect((await member.go(`${password.url}/${step}`, issuer)).body).toContain('Your new second step works');
      const stored = (await accountOf(MEMBER)).value.factors?.totp;
      await member.submit(enrolment, { method: 'text' }, issuer);
      expect((await accountOf(MEMBER)).value.factors?.totp).toEqual(stored);
    });

    test('with a link for a new second step alone nobody gets anywhere, and five wrong passwords lock as they do elsewhere', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'second-step', { way: '0' });
      const thief = new Visitor();
      let page = await thief.submit(
        await thief.go(await linkIn('sample.member@example.com'), provider.issuer),
        {},
        provider.issuer,
      );
      const journey = page.url;
      for (const step of ['enrolment', 'setup', 'codes'])
        expect((await thief.go(`${journey}/${step}`, provider.issuer)).body).toContain('Type the password of');
      for (let i = 0; i < 5; i += 1) page = await thief.submit(page, { password: `guess ${i}` }, provider.issuer);
      const locked = await thief.submit(page, { password: MEMBER.password }, provider.issuer);
      expect(locked.status).toBe(429);
      expect((await accountOf(MEMBER)).value.factors?.phone).toBeDefined();
    });

    test('who has lost everything: two people remove the second steps, and neither can alone', async () => {
      await withPhone(MEMBER);
      const file = await open();
      clock.advance(11 * 60_000);
      // A fresh sign-in is asked for, and leads back.
      const signInAgain = await agent.press(file, 'removal', { sure: 'yes' });
      const back = await agent.confirm(signInAgain, AGENT);
      expect(back.body).toContain('<h1>Sample Member</h1>');
      const asked = await agent.press(back, 'removal', { sure: 'yes' });
      expect(asked.body).toContain('A second person has to decide now.');
      expect(await toldTo('sample.member@example.com')).toContain('Somebody asked to remove your second steps');
      const path = String(/\/support\/removal\/[\w-]{32}/.exec((await agent.go('/support')).body)?.[0]);
      const mine = await agent.go(path);
      expect(mine.body).not.toContain('id="approve"');
      expect((await agent.press(mine, 'approve', { sure: 'yes' })).status).toBe(403);
      expect((await accountOf(MEMBER)).value.factors?.phone).toBeDefined();

      const other = new Agent(provider, () => clock.now());
      await other.signIn(SECOND_AGENT);
      const theirs = await other.go(path);
      expect(theirs.body).toContain('Asked by agent.one');
      // Twice at once, and once more: one removal.
      const answers = await Promise.all([1, 2].map(() => other.press(theirs, 'approve', { sure: 'yes' })));
      answers.push(await other.press(theirs, 'approve', { sure: 'yes' }));
      expect(answers.filter(({ body }) => body.includes('All second steps were removed.'))).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
      expect((await accountOf(MEMBER)).value.factors).toBeUndefined();
      const removed = (await recorded(provider.stores)).filter(({ action }) => action === 'support-steps-removed');
      expect(removed).toEqual([
        expect.objectContaining({ actor: { kind: 'staff', id: (await accountOf(SECOND_AGENT)).id } }),
      ]);
      expect(await toldTo('sample.member@example.com')).toEqual(
        expect.arrayContaining(['Your second steps were removed']),
      );
    });

    test('a removal that was asked for is void once the member has set up something meanwhile', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'removal', { sure: 'yes' });
      const path = String(/\/support\/removal\/[\w-]{32}/.exec((await agent.go('/support')).body)?.[0]);
      await withPhone(MEMBER, '+12025550161');
      const other = new Agent(provider, () => clock.now());
      await other.signIn(SECOND_AGENT);
      const page = await other.go(path);
      expect((await other.press(page, 'approve', { sure: 'yes' })).status).toBe(409);
      expect((await accountOf(MEMBER)).value.factors?.phone?.to).toBe('+12025550161');
    });

    test('a removal that was asked for is void once who has asked for it has no role any more', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'removal', { sure: 'yes' });
      const path = String(/\/support\/removal\/[\w-]{32}/.exec((await agent.go('/support')).body)?.[0]);
      const other = new Agent(provider, () => clock.now());
      await other.signIn(SECOND_AGENT);
      const page = await other.go(path);
      await setRoles(provider.stores.staff, (await accountOf(AGENT)).id, [], { by: 'test', at: 1 });
      expect((await other.press(page, 'approve', { sure: 'yes' })).status).toBe(409);
      expect((await accountOf(MEMBER)).value.factors?.phone).toBeDefined();
    });

    test('unlocks one member eight times a day and no more', async () => {
      const page = await open();
      const answers: number[] = [];
      for (let i = 0; i < 9; i += 1) answers.push((await agent.press(page, 'unlock')).status);
      expect([answers.slice(0, 8).every((status) => status === 200), answers[8]]).toEqual([true, 429]);
      expect((await accountOf(MEMBER)).value.attemptsEpoch).toBe(8);
    });

    test('who has lost a device: everything that is open ends, and what is under way leads nowhere', async () => {
      const member = new Visitor();
      expect(isIn(await signInAs(member, MEMBER))).toBe(true);
      const page = await agent.press(await open(), 'sign-out', { sure: 'yes' });
      expect(page.body).toContain('The member was signed out everywhere.');
      const account = await member.go(`${provider.issuer}/account`, provider.issuer);
      expect(account.body).toContain('id="password"');
    });

    test('who fears a thief: pauses the account, tells so to who has the password, and opens it again', async () => {
      const page = await agent.press(await open(), 'freeze', { sure: 'yes' });
      expect(page.body).toContain('The account is paused.');
      const refused = await signInAs(new Visitor(), MEMBER);
      expect([refused.status, refused.body]).toEqual([403, expect.stringContaining('Your account is paused')]);
      expect((await signInAs(new Visitor(), { ...MEMBER, password: 'wrong' })).body).not.toContain('paused');
      expect((await agent.press(page, 'password', { way: '0' })).status).toBe(403);
      const opened = await agent.press(page, 'thaw');
      expect(opened.body).toContain('The account is open again.');
      expect(isIn(await signInAs(new Visitor(), MEMBER))).toBe(true);
    });

    test('whose membership has ended: lets them in for a month', async () => {
      const refused = await signInAs(new Visitor(), FORMER);
      expect([refused.status, refused.body]).toEqual([403, expect.stringContaining('Your membership has ended')]);
      const page = await agent.open(FORMER.username, saying('Former', 'Member', '1969-02-11', '97217'));
      expect(page.body).toContain('Membership: ended on 2020-12-31');
      const done = await agent.press(page, 'let-in');
      expect(done.body).toContain('The member can sign in for 30 days.');
      expect(isIn(await signInAs(new Visitor(), FORMER))).toBe(true);
      clock.advance(31 * 86_400_000);
      expect((await signInAs(new Visitor(), FORMER)).status).toBe(403);
    });

    test('nobody is let in whose membership holds', async () => {
      expect((await agent.press(await open(), 'let-in')).status).toBe(409);
    });

    test('whom no message reaches: a code by letter, which nobody here sees, leads to a new contact and a new password', async () => {
      await edit(MEMBER, (account) => ({ ...account, emailConfirmed: false, phoneConfirmed: false }));
      const page = await open();
      expect(page.body).toContain('There is no contact on file that this can go to.');
      const sent = await agent.press(page, 'letter');
      expect(sent.body).toContain('The letter is on its way to the printer.');
      const letter = (await inboxOf(provider)).find(({ to }) => to === 'MHP-100-2001');
      expect(letter).toMatchObject({ channel: 'letter', subject: 'Your code for a new contact' });
      const code = String(/\b\d{6}\b/.exec(letter?.text ?? '')?.[0]);
      expect(sent.body).not.toContain(code);

      const member = new Visitor();
      const { issuer } = provider;
      const number = await member.submit(await member.go(`${issuer}/letter`, issuer), CALLER, issuer);
      const typed = await member.submit(number, { 'member-number': 'MHP-100-2001' }, issuer);
      expect(typed.body).toContain('Type the code from our letter.');
      const address = await member.submit(typed, { code }, issuer);
      expect((await member.submit(address, { address: 'nothing' }, issuer)).status).toBe(422);
      const confirm = await member.submit(address, { address: 'a.new.one@example.com' }, issuer);
      const done = await member.submit(confirm, { code: await codeFrom(provider, 'a.new.one@example.com') }, issuer);
      expect(done.body).toContain('Your username is sample.member');
      expect((await accountOf(MEMBER)).value).toMatchObject({ email: 'a.new.one@example.com', emailConfirmed: true });
    });

    test('the page of a letter is no way in once a contact was set, or an hour later', async () => {
      const { issuer } = provider;
      const typeLetter = async () => {
        await agent.press(await open(), 'letter');
        const letter = (await inboxOf(provider)).find(({ to }) => to === 'MHP-100-2001');
        const member = new Visitor();
        const number = await member.submit(await member.go(`${issuer}/letter`, issuer), CALLER, issuer);
        const typed = await member.submit(number, { 'member-number': 'MHP-100-2001' }, issuer);
        const code = String(/\b\d{6}\b/.exec(letter?.text ?? '')?.[0]);
        return { member, address: await member.submit(typed, { code }, issuer) };
      };
      const { member, address } = await typeLetter();
      const confirm = await member.submit(address, { address: 'a.new.one@example.com' }, issuer);
      await member.submit(confirm, { code: await codeFrom(provider, 'a.new.one@example.com') }, issuer);
      const back = await member.go(`${address.url}/address`, issuer);
      expect(back.body).toContain('We can reach you there now');
      await member.submit(address, { address: 'a.thief@example.com' }, issuer);
      expect((await inboxOf(provider)).some(({ to }) => to === 'a.thief@example.com')).toBe(false);

      const late = await typeLetter();
      clock.advance(3_600_000);
      const gone = await late.member.submit(late.address, { address: 'a.thief@example.com' }, issuer);
      expect(gone.body).toContain('Who are you?');
    });

    test('who has told us that a change was not theirs: found by the number of the case, which is closed then', async () => {
      const { id } = await accountOf(MEMBER);
      const opened = { accountId: id, what: 'password-changed', happenedAt: 1, openedAt: 2, status: 'open' } as const;
      await provider.stores.cases.insert('7K2M-QX4T-9WBD', opened);
      const page = await agent.open('7k2m-qx4t-9wbd', CALLER);
      expect((await agent.press(page, 'close-case')).body).toContain('The case is closed.');
      expect((await provider.stores.cases.find('7K2M-QX4T-9WBD'))?.value.status).toBe('closed');
      const [closed] = (await recorded(provider.stores)).filter(({ action }) => action === 'case-closed');
      expect(closed).toMatchObject({ subject: { id }, detail: { case: '7K2M-QX4T-9WBD' } });
    });

    test('a member without an account is found by the number, checked, and gets a letter to register with', async () => {
      const page = await agent.open('MHP-100-2008', saying('Without', 'Contact', '1945-06-02', '97215'));
      expect(page.body).toContain('No account yet');
      await agent.press(page, 'letter');
      const letter = (await inboxOf(provider)).find(({ to }) => to === 'MHP-100-2008');
      expect(letter).toMatchObject({ channel: 'letter', subject: 'Your code to open an account' });
      expect((await agent.press(page, 'unlock')).status).toBe(409);
    });
  });

  describe('withstands', () => {
    const letterCode = async (number: string) => {
      const letter = (await inboxOf(provider)).find(({ to }) => to === number);
      return String(/\b\d{6}\b/.exec(letter?.text ?? '')?.[0]);
    };
    /** At the page that asks for the code of a letter. */
    const atLetter = async (said = CALLER, memberNumber = 'MHP-100-2001') => {
      const { issuer } = provider;
      const member = new Visitor();
      const number = await member.submit(await member.go(`${issuer}/letter`, issuer), said, issuer);
      return { member, page: await member.submit(number, { 'member-number': memberNumber }, issuer) };
    };

    test('a member number that is written in ever new ways: five wrong answers are five', async () => {
      const wrong = saying('Without', 'Contact', '1945-06-03', '97215');
      for (const typed of ['MHP-100-2008', 'MHP1002008', 'mhp 100 2008', 'MHP.100.2008', 'mhp-1002008'])
        expect((await agent.open(typed, wrong)).status).toBe(422);
      expect((await agent.open('M HP1002008', wrong)).status).toBe(429);
    });

    test('a freeze while a link is being followed: the page says that it is over', async () => {
      await withPhone(MEMBER);
      const file = await open();
      await agent.press(file, 'second-step', { way: '0' });
      const { issuer } = provider;
      const member = new Visitor();
      const password = await member.submit(
        await member.go(await linkIn('sample.member@example.com'), issuer),
        {},
        issuer,
      );
      expect(password.body).toContain('Type the password of');
      await agent.press(file, 'freeze', { sure: 'yes' });
      const after = await member.go(password.url, issuer);
      expect(after.status).toBeLessThan(500);
      const posted = await member.submit(password, { password: MEMBER.password }, issuer);
      expect(posted.status).toBeLessThan(500);
    });

    test('an old page of a link: a journey that was begun in time is over when the link is', async () => {
      const { issuer } = provider;
      await agent.press(await open(), 'password', { way: '0' });
      const member = new Visitor();
      const choose = await member.submit(
        await member.go(await linkIn('sample.member@example.com'), issuer),
        {},
        issuer,
      );
      clock.advance(20 * 3_600_000);
      const late = await member.submit(choose, { 'new-password': 'another walk by the sea' }, issuer);
      expect(late.body).not.toContain('Your password was changed');
    });

    test('two journeys by one link: what the member has set up by one is not replaced by the other', async () => {
      await withPhone(MEMBER);
      await agent.press(await open(), 'second-step', { way: '0' });
      const { issuer } = provider;
      const link = await linkIn('sample.member@example.com');
      const begin = async (visitor: Visitor) => visitor.submit(await visitor.go(link, issuer), {}, issuer);
      const [member, thief] = [new Visitor(), new Visitor()];
      const [theirs, stolen] = [await begin(member), await begin(thief)];
      await setUpApp(member, await member.submit(theirs, { password: MEMBER.password }, issuer), issuer, () =>
        clock.now(),
      );
      const stored = (await accountOf(MEMBER)).value.factors?.totp;
      expect(stored).toBeDefined();
      clock.advance(3 * 3_600_000);
      const enrolment = await thief.submit(stolen, { password: MEMBER.password }, issuer);
      await setUpApp(thief, enrolment, issuer, () => clock.now()).catch(() => {});
      expect((await accountOf(MEMBER)).value.factors?.totp).toEqual(stored);
    });

    test('who asks at /letter whether a letter is under way', async () => {
      await agent.press(await open(), 'letter');
      const known = await atLetter();
      const right = await known.member.submit(known.page, { code: '000000' }, provider.issuer);
      const nobody = await atLetter({ ...CALLER, 'birth-year': '1950' });
      const wrong = await nobody.member.submit(nobody.page, { code: '000000' }, provider.issuer);
      const plain = ({ body }: Answer) => body.replaceAll(/nonce="[^"]+"|[\w-]{30,}/g, '');
      expect([wrong.status, plain(wrong)]).toEqual([right.status, plain(right)]);
    });

    test('who guesses at the code of a letter for days, on one journey after the other', async () => {
      await agent.press(await open(), 'letter');
      const code = await letterCode('MHP-100-2001');
      const wrong = code === '000000' ? '000001' : '000000';
      for (let hour = 0; hour < 12; hour += 1) {
        for (let journey = 0; journey < 2; journey += 1) {
          const { member, page } = await atLetter();
          for (let i = 0; i < 5; i += 1) await member.submit(page, { code: wrong }, provider.issuer);
        }
        clock.advance(3_600_001);
      }
      const { member, page } = await atLetter();
      const answer = await member.submit(page, { code }, provider.issuer);
      expect(answer.status).toBe(429);
    });

    test('a letter, or a code, that is under way when the account is paused, before its code was typed and after', async () => {
      const file = await open();
      await agent.press(file, 'letter');
      const { issuer } = provider;
      const typed = await atLetter();
      const code = await letterCode('MHP-100-2001');
      const address = await typed.member.submit(typed.page, { code }, issuer);
      await agent.press(file, 'letter');
      await agent.press(file, 'freeze', { sure: 'yes' });
      const late = await typed.member.submit(address, { address: 'a.thief@example.com' }, issuer);
      expect(late.body).toContain('Who are you?');
      const other = await atLetter();
      const paused = await other.member.submit(other.page, { code: await letterCode('MHP-100-2001') }, issuer);
      expect([paused.status, paused.body]).toEqual([403, expect.stringContaining('Your account is paused')]);
      const thief = new Visitor();
      const forgot = await thief.go(`${issuer}/forgot-password`, issuer);
      const asked = await thief.submit(forgot, { username: MEMBER.username }, issuer);
      const sent = await codeFrom(provider, 'sample.member@example.com');
      expect((await thief.submit(asked, { code: sent }, issuer)).body).toContain('Your account is paused');
      expect((await inboxOf(provider)).some(({ to }) => to === 'a.thief@example.com')).toBe(false);
    });

    test('a phone that is the only second step: the link for a password does not go there', async () => {
      await withPhone(MEMBER, '+12025550143');
      const page = await open();
      const sent = await agent.press(page, 'password', { way: '1' });
      expect(sent.status).toBe(422);
      expect((await agent.press(page, 'password', { way: '0' })).body).toContain('The link is on its way.');
      expect((await toldTo('+12025550143')).join()).not.toContain('/invitation/');
    });

    test('a relative whom only the plan knows as one', async () => {
      await edit(MEMBER, (account) => ({ ...account, phone: '+12025550999' }));
      await edit(AGENT, (account) => ({ ...account, phone: '+12025550143' }));
      const page = await open();
      expect([page.status, page.body]).toEqual([403, expect.stringContaining('shares your home or a contact')]);
    });

    test('a process that dies between the pause and the end of what is open: no app gets on with its tokens', async () => {
      const party = await RelyingParty.discover(provider.issuer, webClient());
      const started = await party.start();
      const back = await signIn(new Visitor(), provider.issuer, started, MEMBER);
      const { refresh_token } = await party.redeem(back.url, started);
      await edit(MEMBER, (account) => ({ ...account, frozenAt: 1, deviceEpoch: account.deviceEpoch + 1 }));
      await expect(openid.refreshTokenGrant(party.config, String(refresh_token))).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    });

    test('and puts on record about whom it was, what was refused', async () => {
      const page = await agent.find(MEMBER.username);
      await agent.press(page, 'unlock', { reason: 'a try' });
      await agent.press(await open(), 'let-in', { reason: 'another' });
      const { id } = await accountOf(MEMBER);
      const refused = (await recorded(provider.stores)).filter(({ action }) => action === 'support-refused');
      expect(refused.map(({ outcome, reason, subject, detail }) => [outcome, reason, subject?.id, detail])).toEqual([
        ['caller-not-checked', 'a try', id, { action: 'unlock' }],
        ['membership-holds', 'another', id, { action: 'let-in' }],
      ]);
    });
  });
});

describeOnEveryStore('the support desk while the plan’s records cannot be asked', (pair) => {
  test('checks a caller by what the account says, and pauses the account; it uses up no tries for who has none', async () => {
    const clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    const provider = await startProvider(pair, {
      ...{ clock, clients: [webClient()], members: [...DEVELOPMENT_MEMBERS, AGENT] },
      env: { ELIGIBILITY_URL: 'http://127.0.0.1:9/eligibility', ELIGIBILITY_TOKEN: 'abc.def' },
    });
    try {
      const agent = new Agent(provider, () => clock.now());
      await agent.signIn(AGENT);
      const page = await agent.open(MEMBER.username, CALLER);
      expect(page.body).toContain('<h1>Sample Member</h1>');
      expect((await agent.press(page, 'freeze', { sure: 'yes' })).body).toContain('The account is paused.');
      expect((await agent.press(page, 'letter')).status).toBe(503);
      const other = saying('Without', 'Contact', '1945-06-02', '97215');
      for (let i = 0; i < 6; i += 1) expect((await agent.open('MHP-100-2008', other)).status).toBe(503);
    } finally {
      await provider.close();
    }
  });
});
