import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAppServer } from '../../support/appServer.ts';
import { launch, newVisitor } from '../../support/browser.ts';
import { MEMBER, type RunningProvider, startProvider } from '../../support/provider.ts';
import { STORE_PAIRS } from '../../support/stores.ts';
import { Visitor } from '../../support/visitor.ts';
import { readCallback } from './answers.ts';
import { basicModules } from './basic/plan.ts';
import { relyingParty, suiteClient } from './suite.ts';

describe('oidcc-formpost-basic-certification-test-plan', () => basicModules('form_post'));

describe('the page that posts itself to the app', () => {
  const client = suiteClient({ first_party: true });
  let provider: RunningProvider;
  beforeAll(async () => {
    provider = await startProvider(STORE_PAIRS[0], { clients: [client] });
  });
  afterAll(() => provider.close());

  test('may run its one script, and may post to the app', async () => {
    const { request } = await relyingParty(provider.issuer, client, { mode: 'form_post' });
    const page = await new Visitor().go(request({ prompt: 'none' }).url, provider.issuer);
    const [script, ...others] = [...page.body.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) =>
      String(text),
    );
    expect([script, others]).toEqual([expect.stringContaining('document.forms[0].submit()'), []]);
    const policy = String(page.headers.get('content-security-policy'));
    const digest = createHash('sha256').update(String(script)).digest('base64');
    expect(policy).toMatch(/default-src 'none'/);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toContain(`'sha256-${digest}'`);
    expect(policy).not.toContain('form-action');
    expect(page.body).toMatch(/<noscript>[\s\S]*<button[^>]*type="submit"/);
  });

  test('brings any state back as it was, and no markup in it comes to life', async () => {
    const { request, obtainError } = await relyingParty(provider.issuer, client, { mode: 'form_post' });
    const state = `"'><script>alert(1)</script>&amp;&#39; ñ 漢`;
    const asked = request({ prompt: 'none', state });
    expect((await new Visitor().go(asked.url, provider.issuer)).body).not.toContain('alert(1)</script>');
    expect(await obtainError(new Visitor(), asked)).toBe('login_required');
  });

  test('says no more in the address of any step than the request did', async () => {
    const { request, issuer, client: app } = await relyingParty(provider.issuer, client, { mode: 'form_post' });
    const visitor = new Visitor();
    const passed: string[] = [];
    let page = await visitor.fetch(request().url);
    while (page.status === 303) {
      passed.push(String(page.headers.get('location')));
      page = await visitor.fetch(new URL(passed.at(-1) ?? '', issuer).href);
      if (page.body.includes('id="password"')) page = await visitor.post(page, MEMBER);
    }
    expect(Object.keys(readCallback(page, 'form_post', String(app.redirect_uris[0])))).toContain('code');
    expect(passed.length).toBeGreaterThan(1);
    for (const address of passed) expect(address).not.toMatch(/[?&](code|error|state)=/);
  });
});

const { TEST_CHROMIUM } = process.env;

(TEST_CHROMIUM === undefined ? test.skip : test)('Chromium posts a form-post answer to the app', async () => {
  const app = await openAppServer();
  const redirectUri = `${app.origin}/callback`;
  const client = suiteClient({ first_party: true, redirect_uris: [redirectUri] });
  const provider = await startProvider(STORE_PAIRS[0], { clients: [client] });
  const browser = await launch();
  try {
    const { request, redeem } = await relyingParty(provider.issuer, client, { mode: 'form_post' });
    const { page, complaints } = await newVisitor(browser);
    const asked = request();
    await page.goto(asked.url);
    await page.fill('#username', MEMBER.username);
    await page.fill('#password', MEMBER.password);
    await page.click('button[type="submit"]');
    await page.waitForURL(redirectUri);
    const callback = app.heard.find(({ path }) => path === '/callback');
    expect(callback).toMatchObject({ method: 'POST', contentType: 'application/x-www-form-urlencoded' });
    const answer = new URLSearchParams(callback?.body);
    expect([answer.get('state'), answer.get('iss')]).toEqual([asked.parameters.state, provider.issuer]);
    expect((await redeem(String(answer.get('code')))).status).toBe(200);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await provider.close();
    await app.close();
  }
});
