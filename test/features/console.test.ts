import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findBySignInName } from '../../src/core/account/account.ts';
import { changesOf } from '../../src/core/client/changes.ts';
import { MAY, may, ROLES, type Role } from '../../src/core/staff/roles.ts';
import { rolesOf, setRoles } from '../../src/core/staff/staff.ts';
import { recorded } from '../support/audit.ts';
import type { AuthenticatorApp } from '../support/authenticatorApp.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { DEVELOPMENT_MEMBERS, MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import { type Answer, hiddenFields } from '../support/visitor.ts';

/** Who may do what, as it was agreed: every cell of the table. */
const TABLE: Readonly<Record<keyof typeof MAY, readonly [administrator: boolean, support: boolean, auditor: boolean]>> =
  {
    'clients.read': [true, false, true],
    'clients.change': [true, false, false],
    'keys.read': [true, false, true],
    'keys.rotate': [true, false, false],
    'staff.read': [true, false, true],
    'staff.change': [true, false, false],
    'audit.read': [false, false, true],
    'members.read': [false, true, false],
    'members.help': [false, true, false],
  };
const CELLS = Object.entries(TABLE).flatMap(([action, cells]) =>
  ROLES.map((role, i) => [role, action as keyof typeof MAY, cells[i] === true] as const),
);
test.each(CELLS)('%s, %s: %s', (role, action, allowed) => expect(may([role], action)).toBe(allowed));
test('who has no role may nothing, and who has several all of theirs', () => {
  expect(Object.keys(MAY).filter((action) => may([], action as keyof typeof MAY))).toEqual([]);
  expect(may(['support', 'auditor'], 'members.help') && may(['support', 'auditor'], 'audit.read')).toBe(true);
});

describeOnEveryStore('the console', (pair) => {
  let clock: TestClock;
  let provider: RunningProvider;
  let app: AuthenticatorApp;
  beforeEach(async () => {
    clock = new TestClock();
    clock.advance(Date.now() - clock.now());
    provider = await startProvider(pair, { clock, clients: [webClient()], members: DEVELOPMENT_MEMBERS });
  });
  afterEach(() => provider.close());

  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  /** What staff say to every form: why, and that they know what follows. */
  const WHY = { reason: 'a test', sure: 'yes' };
  const submit = (visitor: Visitor, page: Answer, fields: Record<string, string> = {}) =>
    visitor.submit(page, { ...WHY, ...fields }, provider.issuer);
  /** Sends one of the forms of a page. */
  const press = (visitor: Visitor, page: Answer, action: string, fields: Record<string, string> = {}) =>
    visitor.fetch(provider.issuer + action, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(page), ...WHY, ...fields }),
    });
  const idOf = async ({ username }: typeof MEMBER) =>
    String((await findBySignInName(provider.stores.accounts, username))?.id);
  const give = async (member: typeof MEMBER, roles: readonly Role[]) =>
    setRoles(provider.stores.staff, await idOf(member), roles, { by: 'test', at: 1 });
  /** Signs in at the console, where a second step is set up at first. */
  const signedInAs = async (roles: readonly Role[], path = '/admin', member = MEMBER) => {
    await give(member, roles);
    const visitor = new Visitor();
    const enrolment = await submit(visitor, await go(visitor, path), member);
    expect(enrolment.body).toContain('Add a second step');
    const set = await setUpApp(visitor, enrolment, provider.issuer, () => clock.now());
    app = set.app;
    return { visitor, page: set.next };
  };
  const WEB = {
    ...{ kind: 'web', name: 'Care Plans', 'client-id': 'care-plans', 'client-uri': 'https://plans.example/' },
    'redirect-uris': 'https://plans.example/callback',
  };

  test('asks everybody for two steps, and shows each what their roles are for', async () => {
    const { page } = await signedInAs(['auditor']);
    expect(page.body).toContain('Signed in as Sample: Auditor');
    expect(page.body).toContain('/admin/clients');
    expect(page.body).not.toContain('id="to-members"');
  });

  test('turns away who has no role, with a page that says so', async () => {
    const { page } = await signedInAs([]);
    expect([page.status, page.body]).toEqual([403, expect.stringContaining('This is not for you')]);
  });

  test.each([
    ['/admin/clients/new', 'administrator'],
    ['/admin/clients', 'auditor'],
    ['/admin/keys', 'auditor'],
    ['/admin/staff', 'auditor'],
  ] as const)('%s is for who is %s, and for no supporter', async (path, role) => {
    const { visitor, page } = await signedInAs(['support'], path);
    expect(page.status).toBe(403);
    await give(MEMBER, [role]);
    // The roles are read anew at each request.
    expect((await go(visitor, path)).status).toBe(200);
  });

  test('an auditor sees an app and changes nothing, also not by a form of their own', async () => {
    const { visitor } = await signedInAs(['auditor']);
    const page = await go(visitor, '/admin/clients/app/care-messages');
    expect(page.body).toContain('https://app.example/callback');
    for (const [action, fields] of [
      ['switch', { to: 'disabled' }],
      ['rotate-secret', {}],
      ['delete', { 'confirm-id': 'care-messages' }],
    ] as const)
      expect((await press(visitor, page, `/admin/clients/app/care-messages/${action}`, fields)).status).toBe(403);
    expect((await provider.stores.clients.find('care-messages'))?.value.disabled).toBe(false);
  });

  test('an administrator registers a web app, which signs members in; its secret is shown once', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const form = await go(visitor, '/admin/clients/new');
    const ready = await submit(visitor, form, WEB);
    const secret = String(/id="client-secret">([^<]+)</.exec(ready.body)?.[1]);
    expect(secret).toHaveLength(43);
    expect(ready.body).toContain('openid-client');
    const client = webClient({
      ...{ client_id: 'care-plans', client_secret: secret, redirect_uris: ['https://plans.example/callback'] },
    });
    const party = await RelyingParty.discover(provider.issuer, client);
    const started = await party.start();
    const member = new Visitor();
    const consent = await signIn(member, provider.issuer, started, OTHER_MEMBER);
    const back = await submit(member, consent, { decision: 'allow' });
    expect((await party.redeem(back.url, started)).access_token).toBeDefined();
    const page = await go(visitor, '/admin/clients/app/care-plans');
    expect(page.body).not.toContain(secret);
    expect(page.body).toContain('Registered');
  });

  test('refuses a registration with all its faults, and keeps what was typed', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const form = await go(visitor, '/admin/clients/new');
    const refused = await submit(visitor, form, {
      ...WEB,
      'redirect-uris': 'http://plans.example/*\nfoo:/x',
      'client-uri': '',
    });
    expect(refused.status).toBe(422);
    for (const fault of ['plain http', 'wildcard', 'reverse', 'front page']) expect(refused.body).toContain(fault);
    expect(refused.body).toContain('value="Care Plans"');
    const again = async (fields: Record<string, string>) =>
      submit(visitor, await go(visitor, '/admin/clients/new'), { ...WEB, ...fields });
    expect((await again({ kind: '' })).body).toContain('Choose what it is.');
    expect((await again({ 'client-id': 'a b' })).status).toBe(422);
    expect((await again({ 'client-id': 'care-messages' })).status).toBe(409);
  });

  test('rotates a secret with overlap: both work, then only the new one', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const ready = await submit(visitor, await go(visitor, '/admin/clients/new'), {
      ...{ kind: 'service', name: 'Nightly job', 'client-id': 'nightly', 'redirect-uris': '' },
    });
    const first = String(/id="client-secret">([^<]+)</.exec(ready.body)?.[1]);
    const page = await go(visitor, '/admin/clients/app/nightly');
    const rotated = await press(visitor, page, '/admin/clients/app/nightly/rotate-secret', { overlap: 'day' });
    const second = String(/id="client-secret">([^<]+)</.exec(rotated.body)?.[1]);
    const token = async (secret: string) =>
      (
        await fetch(`${provider.issuer}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`nightly:${secret}`).toString('base64')}` },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        })
      ).status;
    expect([await token(first), await token(second)]).toEqual([200, 200]);
    const again = await go(visitor, '/admin/clients/app/nightly');
    await press(visitor, again, '/admin/clients/app/nightly/end-old-secrets');
    expect([await token(first), await token(second)]).toEqual([401, 200]);
    await press(visitor, again, '/admin/clients/app/nightly/switch', { to: 'disabled', reason: 'not needed' });
    clock.advance(5_000);
    expect(await token(second)).toBe(401);
    const history = await go(visitor, '/admin/clients/app/nightly');
    for (const words of ['Registered', 'New secret', 'Old secrets ended', 'Disabled', 'not needed', MEMBER.username])
      expect(history.body).toContain(words);
  });

  test('says why it does something, and that it knows what follows; else nothing is done', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const app = '/admin/clients/app/care-messages';
    const page = await go(visitor, app);
    for (const [action, fields, words] of [
      ['rotate-secret', { reason: ' ' }, 'Say why: it stays on record.'],
      ['rotate-secret', { sure: undefined }, 'Tick the box if you know what follows.'],
      ['end-old-secrets', { sure: undefined }, 'Tick the box'],
      ['switch', { to: 'disabled', sure: undefined }, 'Tick the box'],
      ['delete', { 'confirm-id': 'care-messages', reason: '' }, 'Say why'],
    ] as const) {
      const said = Object.entries({ ...hiddenFields(page), ...WHY, ...fields }).filter(
        ([, value]) => value !== undefined,
      );
      const body = new URLSearchParams(said as [string, string][]);
      const refused = await visitor.fetch(`${provider.issuer}${app}/${action}`, { method: 'POST', body });
      expect([refused.status, refused.body]).toEqual([422, expect.stringContaining(words)]);
      expect(refused.body).toContain(`href="#${action}-${words.startsWith('Say') ? 'reason' : 'sure'}"`);
    }
    expect(await changesOf(provider.stores.clientChanges, 'care-messages', 9)).toEqual([]);
    expect((await provider.stores.clients.find('care-messages'))?.value).toMatchObject({ disabled: false });
    // To enable it takes nothing away.
    await press(visitor, page, `${app}/switch`, { to: 'disabled' });
    const enabled = new URLSearchParams({ ...hiddenFields(page), reason: 'a test', to: 'enabled' });
    await visitor.fetch(`${provider.issuer}${app}/switch`, { method: 'POST', body: enabled });
    expect((await provider.stores.clients.find('care-messages'))?.value).toMatchObject({ disabled: false });
  });

  test('a page with a secret that is loaded again makes no other, also in another window at once', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const app = '/admin/clients/app/care-messages';
    const page = await go(visitor, app);
    const answers = await Promise.all([1, 2, 3].map(() => press(visitor, page, `${app}/rotate-secret`)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const late = await press(visitor, page, `${app}/rotate-secret`);
    expect([late.status, late.body]).toEqual([409, expect.stringContaining('It is not made again')]);
    expect((await provider.stores.clients.find('care-messages'))?.value.secrets).toHaveLength(2);
    const form = await go(visitor, '/admin/clients/new');
    const unnamed = { ...WEB, 'client-id': '' };
    expect((await submit(visitor, form, unnamed)).status).toBe(200);
    expect((await submit(visitor, form, unnamed)).status).toBe(409);
  });

  test('a change shows its difference, and never overwrites one that somebody else made meanwhile', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const [mine, theirs] = [
      await go(visitor, '/admin/clients/app/care-messages/edit'),
      await go(visitor, '/admin/clients/app/care-messages/edit'),
    ];
    const fields = {
      name: 'Care Letters',
      'redirect-uris': 'https://app.example/callback',
      'client-uri': 'https://app.example/',
    };
    const saved = await submit(visitor, mine, fields);
    expect(saved.body).toContain('The registration was changed.');
    expect(saved.body).toContain('client_name: <del>&#34;Care Messages&#34;</del> <ins>&#34;Care Letters&#34;</ins>');
    const late = await submit(visitor, theirs, { ...fields, name: 'Care Notes' });
    expect([late.status, late.body]).toEqual([409, expect.stringContaining('Somebody else has changed it')]);
    // What the form does not show stays as it is.
    expect((await provider.stores.clients.find('care-messages'))?.value.metadata.grant_types).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
  });

  test('deletes an app only for who types its id', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const page = await go(visitor, '/admin/clients/app/care-messages');
    const wrong = await press(visitor, page, '/admin/clients/app/care-messages/delete', { 'confirm-id': 'care' });
    expect(wrong.status).toBe(422);
    await press(visitor, page, '/admin/clients/app/care-messages/delete', { 'confirm-id': 'care-messages' });
    expect(await provider.stores.clients.find('care-messages')).toBeUndefined();
  });

  test('tries a sign-in for an app, and shows each step; nobody else sees it', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const shown = await go(visitor, '/admin/clients/app/care-messages/test-sign-in');
    expect(shown.body).toContain('It works.');
    expect(shown.body).toContain('&#34;preferred_username&#34;: &#34;sample.member&#34;');
    expect((await go(visitor, new URL(shown.url).pathname + new URL(shown.url).search)).body).toContain(
      'not known, or too old',
    );
    const other = await signedInAs(['administrator'], '/admin', OTHER_MEMBER);
    const theirs = await go(other.visitor, new URL(shown.url).pathname + new URL(shown.url).search);
    expect(theirs.url).toBe(`${provider.issuer}/admin/clients`);
    // An app that is not the plan's own has to ask, also here.
    await submit(visitor, await go(visitor, '/admin/clients/new'), WEB);
    const consent = await go(visitor, '/admin/clients/app/care-plans/test-sign-in');
    const denied = await submit(visitor, consent, { decision: 'deny' });
    expect(denied.body).toContain('access_denied');
  });

  test('shows an auditor what is on record, by who, what and when; and nobody else', async () => {
    const { visitor } = await signedInAs(['administrator', 'auditor']);
    const page = await go(visitor, '/admin/clients/app/care-messages');
    await press(visitor, page, '/admin/clients/app/care-messages/switch', { to: 'disabled', reason: 'a test' });
    const shown = await go(visitor, `/admin/audit?action=client-disabled&actor=${MEMBER.username}`);
    expect(shown.body).toContain('client-disabled');
    expect(shown.body).toContain('→ care-messages');
    expect(shown.body).toContain('a test');
    expect(shown.body).not.toContain('<strong>step.password');
    expect((await go(visitor, '/admin/audit?actor=nobody')).body).toContain('Nothing fits.');
    expect((await go(visitor, '/admin/audit?from=2020-01-01&to=2020-01-02')).body).toContain('Nothing fits.');
    for (const odd of ['from=x', 'action=x', 'after=../x', 'actor=a&actor=b', `subject=${'x'.repeat(3_000)}`])
      expect((await go(visitor, `/admin/audit?${odd}`)).status).toBe(200);
    await give(MEMBER, ['administrator']);
    expect((await go(visitor, '/admin/audit')).status).toBe(403);
  });

  test('gives and takes roles, but never the last administrator', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const page = await go(visitor, '/admin/staff');
    await submit(visitor, page, { username: OTHER_MEMBER.username, 'role-support': 'yes' });
    expect(await rolesOf(provider.stores.staff, await idOf(OTHER_MEMBER))).toEqual(['support']);
    const last = await visitor.post(page, { ...WHY, username: MEMBER.username });
    expect([last.status, last.body]).toEqual([409, expect.stringContaining('the last administrator')]);
    expect((await visitor.post(page, { ...WHY, username: 'nobody' })).status).toBe(404);
    await submit(visitor, page, { username: OTHER_MEMBER.username, 'role-administrator': 'yes' });
    const gone = await submit(visitor, page, { username: MEMBER.username });
    expect(gone.status).toBe(403);
    // Of two who take it from one another at once one stays.
    await give(MEMBER, ['administrator']);
    await Promise.all([give(MEMBER, []), give(OTHER_MEMBER, [])]);
    const left = [
      await rolesOf(provider.stores.staff, await idOf(MEMBER)),
      await rolesOf(provider.stores.staff, await idOf(OTHER_MEMBER)),
    ];
    expect(left.flat()).toEqual(['administrator']);
  });

  test('makes new signing keys, which every app can know before they sign', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const page = await go(visitor, '/admin/keys');
    expect(page.body.match(/class="tag">Current/g)).toHaveLength(2);
    const rotated = await submit(visitor, page);
    expect(rotated.body).toContain('New keys are published.');
    expect(rotated.body.match(/class="tag">Next/g)).toHaveLength(2);
  });

  test('sets how often new keys come, in every process', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const page = await go(visitor, '/admin/keys');
    expect(page.body).toContain('every 90 days');
    for (const days of ['', '-1', '401', '1.5', 'x'])
      expect((await press(visitor, page, '/admin/keys/schedule', { days })).status).toBe(422);
    await press(visitor, page, '/admin/keys/schedule', { days: '30' });
    expect((await go(visitor, '/admin/keys')).body).toContain('every 30 days');
    const kids = async () =>
      ((await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] }).keys.length;
    clock.advance(30 * 86_400_000 - 60_000);
    await provider.work();
    expect(await kids()).toBe(2);
    clock.advance(60_000);
    await provider.work();
    expect(await kids()).toBe(4);
  });

  test('withdraws the old keys only for who knows what that breaks', async () => {
    const { visitor } = await signedInAs(['administrator', 'auditor']);
    const page = await go(visitor, '/admin/keys');
    expect(page.body).toContain('can no longer be verified');
    const before = await (await fetch(`${provider.issuer}/jwks`)).text();
    const unsure = new URLSearchParams({ ...hiddenFields(page), reason: 'a test' });
    const refused = await visitor.fetch(`${provider.issuer}/admin/keys/withdraw`, { method: 'POST', body: unsure });
    await provider.work();
    expect([refused.status, await (await fetch(`${provider.issuer}/jwks`)).text()]).toEqual([422, before]);
    await press(visitor, page, '/admin/keys/withdraw', { reason: 'a laptop was stolen' });
    await provider.work();
    const kidsOf = (text: string) => (JSON.parse(text) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    const after = kidsOf(await (await fetch(`${provider.issuer}/jwks`)).text());
    expect(after.filter((kid) => kidsOf(before).includes(kid))).toEqual([]);
    const record = await go(visitor, '/admin/audit?action=keys-withdrawn');
    expect(record.body).toContain('→ signing-keys');
    expect(record.body).toContain('a laptop was stolen');
  });

  test('puts everything that staff change on record: who, whom or what, and why', async () => {
    const { visitor } = await signedInAs(['administrator']);
    await submit(visitor, await go(visitor, '/admin/clients/new'), WEB);
    const app = '/admin/clients/app/care-plans';
    const changed = {
      name: 'Plans',
      'redirect-uris': 'https://plans.example/back',
      'client-uri': 'https://plans.example/',
    };
    await submit(visitor, await go(visitor, `${app}/edit`), changed);
    for (const [action, fields] of [
      ['rotate-secret', {}],
      ['end-old-secrets', {}],
      ['switch', { to: 'disabled' }],
      ['switch', { to: 'enabled' }],
      ['delete', { 'confirm-id': 'care-plans' }],
    ] as const)
      await press(visitor, await go(visitor, app), `${app}/${action}`, fields);
    await submit(visitor, await go(visitor, '/admin/staff'), {
      username: OTHER_MEMBER.username,
      'role-auditor': 'yes',
    });
    const keys = await go(visitor, '/admin/keys');
    for (const action of ['rotate', 'schedule', 'withdraw'])
      await press(visitor, keys, `/admin/keys/${action}`, { days: '30' });

    const by = { kind: 'staff', id: await idOf(MEMBER) };
    const client = { kind: 'client', id: 'care-plans' };
    const ring = { kind: 'keys', id: 'signing-keys' };
    const about = (subject: object) => ({ actor: by, subject, reason: WHY.reason, outcome: 'done' });
    const events = (await recorded(provider.stores)).filter(
      ({ action, actor }) => actor?.kind === 'staff' && action !== 'staff-page',
    );
    expect(
      events.map(({ action, actor, subject, reason, outcome }) => [action, { actor, subject, reason, outcome }]),
    ).toEqual([
      ['client-made', about(client)],
      ['client-changed', about(client)],
      ['client-secret-made', about(client)],
      ['client-secrets-ended', about(client)],
      ['client-disabled', about(client)],
      ['client-enabled', about(client)],
      ['client-deleted', about(client)],
      ['roles-set', about({ kind: 'account', id: await idOf(OTHER_MEMBER) })],
      ['keys-rotated', about(ring)],
      ['keys-scheduled', about(ring)],
      ['keys-withdrawn', about(ring)],
    ]);
  });

  test('asks to sign in again before a change, ten minutes after the last time', async () => {
    const { visitor } = await signedInAs(['administrator']);
    const page = await go(visitor, '/admin/keys');
    clock.advance(600_000);
    const asked = await submit(visitor, page);
    expect(asked.body).toContain('id="password"');
    const step = await submit(visitor, asked, MEMBER);
    expect((await submit(visitor, step, { code: app.code(clock.now()) })).url).toBe(`${provider.issuer}/admin/keys`);
  });
});
