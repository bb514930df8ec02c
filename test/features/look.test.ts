import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findBySignInName } from '../../src/core/account/account.ts';
import { changesOf } from '../../src/core/client/changes.ts';
import { setRoles } from '../../src/core/staff/staff.ts';
import { apiScript, scriptClient } from '../support/apiScript.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { inboxOf } from '../support/errands.ts';
import { dataUrl, png } from '../support/picture.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, Visitor, webClient } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import { type Answer, hiddenFields } from '../support/visitor.ts';

const LOGO = png(200, 60);
const COLOR = '#5b2a86';

describeOnEveryStore('the look of an app', (pair) => {
  let provider: RunningProvider;
  let admin: Visitor;
  let script: Awaited<ReturnType<typeof apiScript>>;
  beforeAll(async () => {
    provider = await startProvider(pair, { clients: [webClient(), scriptClient('deployer')] });
    script = await apiScript(provider, 'deployer');
    const id = String((await findBySignInName(provider.stores.accounts, MEMBER.username))?.id);
    await setRoles(provider.stores.staff, id, ['administrator'], { by: 'test', at: 1 });
    admin = new Visitor();
    const enrolment = await admin.submit(await go(admin, '/admin'), MEMBER, provider.issuer);
    await setUpApp(admin, enrolment, provider.issuer, Date.now);
  });
  afterAll(() => provider.close());

  const PAGE = '/admin/clients/app/care-messages/look';
  const go = (visitor: Visitor, path: string) => visitor.go(provider.issuer + path, provider.issuer);
  /** Sends the form of the page as a browser does that has a file to send. */
  const save = async (page: Answer, fields: Record<string, string | Blob>): Promise<Answer> => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ ...hiddenFields(page), reason: 'a test', ...fields }))
      body.append(name, value);
    return admin.fetch(`${provider.issuer}${PAGE}/save`, { method: 'POST', body });
  };
  const file = (bytes: Buffer, type = 'image/png') => new Blob([new Uint8Array(bytes)], { type });
  const signInPage = async (visitor = new Visitor()) => {
    const app = await RelyingParty.discover(provider.issuer);
    return visitor.go((await app.start()).url, provider.issuer);
  };
  const looks = ({ body }: Answer) => ({
    stylesheet: /href="(\/looks\/[^"]+)"/.exec(body)?.[1],
    logo: /id="app-logo" src="([^"]+)" alt="([^"]+)"/.exec(body)?.slice(1),
  });
  const metadataOf = async () => (await provider.stores.clients.find('care-messages'))?.value.metadata ?? {};

  test('is that of all pages until an administrator says otherwise', async () => {
    expect(looks(await signInPage())).toEqual({ stylesheet: undefined, logo: undefined });
  });

  test('is set in the console, seen on the sign-in page, and served by us alone', async () => {
    const saved = await save(await go(admin, PAGE), {
      color: ' 5B2A86 ',
      logo: file(LOGO, 'text/html'),
      reason: 'new look',
    });
    expect([saved.status, saved.headers.get('location')]).toEqual([303, `${PAGE}?done=client-changed`]);
    expect(await metadataOf()).toMatchObject({ brand_color: COLOR, brand_logo: dataUrl(LOGO) });

    const { stylesheet, logo: [address, name] = [] } = looks(await signInPage());
    expect([stylesheet, name]).toEqual(['/looks/5b2a86.css', 'Care Messages']);
    const css = await go(new Visitor(), String(stylesheet));
    expect(css.body).toContain(`--brand:${COLOR}`);
    const picture = await fetch(provider.issuer + String(address));
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(LOGO);
    expect(Object.fromEntries(picture.headers)).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
    });
    const [change] = await changesOf(provider.stores.clientChanges, 'care-messages', 1);
    expect(change).toMatchObject({ action: 'changed', reason: 'new look' });
    expect(change?.fields.map(({ name: field, to }) => [field, to])).toEqual([
      ['brand_color', JSON.stringify(COLOR)],
      ['brand_logo', expect.stringMatching(/^"data:image\/png;base64, \d+ characters, sha256 [\da-f]{16}"$/)],
    ]);
  });

  test('goes along on what begins there, and in the code that is asked for on the way', async () => {
    const visitor = new Visitor();
    const page = await signInPage(visitor);
    const link = /id="forgot-password" href="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&');
    const forgot = await go(visitor, String(link));
    expect(looks(forgot)).toMatchObject({
      stylesheet: '/looks/5b2a86.css',
      logo: [expect.any(String), 'Care Messages'],
    });
    await visitor.submit(forgot, { username: OTHER_MEMBER.username }, provider.issuer);
    const texts = (await inboxOf(provider)).map(({ text }) => text);
    expect(texts.find((text) => text.includes('Care Messages'))).toMatch(/\d{6}/);
  });

  test.each([
    ['a colour that white text is hard to read on', { color: '#4fc3b2' }, 'has a contrast of'],
    [
      'a drawing',
      { logo: file(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>')) },
      'is no picture',
    ],
  ])('%s is refused, and what there was stays', async (_, fields, words) => {
    const refused = await save(await go(admin, PAGE), { color: COLOR, ...fields });
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining(words)]);
    expect(await metadataOf()).toMatchObject({ brand_color: COLOR, brand_logo: dataUrl(LOGO) });
  });

  test.each([
    ['a form that is no upload', { body: new URLSearchParams({ color: COLOR }) }, 400],
    [
      'one without its end',
      {
        body: '--x\r\nContent-Disposition: form-data; name="color"\r\n\r\n#000',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      },
      400,
    ],
    [
      'one that is too large',
      { body: 'x'.repeat(70_000), headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      413,
    ],
  ])('%s changes nothing', async (_, init, status) => {
    expect((await admin.fetch(`${provider.issuer}${PAGE}/save`, { method: 'POST', ...init })).status).toBe(status);
    expect(await metadataOf()).toMatchObject({ brand_color: COLOR });
  });

  test('an old page overwrites nothing', async () => {
    const old = await go(admin, PAGE);
    await save(await go(admin, PAGE), { color: '#0b6b62' });
    expect((await save(old, { color: COLOR })).status).toBe(409);
    expect(await metadataOf()).toMatchObject({ brand_color: '#0b6b62', brand_logo: dataUrl(LOGO) });
  });

  test('is taken away again', async () => {
    await save(await go(admin, PAGE), { color: '', 'no-logo': 'yes' });
    expect(looks(await signInPage())).toEqual({ stylesheet: undefined, logo: undefined });
  });

  test('is set over the API, and goes along in an export', async () => {
    const patch = (metadata: object) => script.patch('/clients/care-messages', { metadata }, { 'if-match': '*' });
    expect((await patch({ brand_color: '#4fc3b2' })).status).toBe(422);
    expect((await patch({ brand_color: COLOR, brand_logo: dataUrl(LOGO) })).status).toBe(200);
    const { body } = await script.ask('GET', '/export');
    expect(JSON.stringify(body)).toContain(dataUrl(LOGO));
  });
});
