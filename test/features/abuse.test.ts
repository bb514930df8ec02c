import { createHmac, generateKeyPairSync } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as jose from 'jose';
import { apiScript, scriptClient } from '../support/apiScript.ts';
import { openSecureAppServer } from '../support/appServer.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import { hiddenFields } from '../support/visitor.ts';

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC = KEYS.publicKey.export({ format: 'jwk' });
const BY_KEY = webClient({
  ...{ client_id: 'by-key', client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt' },
  ...{ grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  ...{ scope: 'clients:read', jwks: { keys: [{ ...PUBLIC, kid: 'key', alg: 'ES256', use: 'sig' }] } },
});

/**
 * What else is thrown at a provider. Guessing and flooding are tried in lockout.test.ts, signals.test.ts and caps.test.ts; known and
 * unknown names in login.test.ts and the long tests; stolen codes and steps in theft.test.ts; forms of others in login.test.ts and
 * signout.test.ts.
 */
describeOnEveryStore('an attacker', (pair) => {
  let provider: RunningProvider;
  let app: RelyingParty;
  beforeAll(async () => {
    provider = await startProvider(pair, {
      clients: [webClient(), scriptClient('reader', { scope: 'clients:read' }), BY_KEY],
      env: { DYNAMIC_REGISTRATION: 'open', LOG_LEVEL: 'info' },
    });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterAll(() => provider.close());

  const open = async (visitor: Visitor) => visitor.go((await app.start()).url, provider.issuer);
  const post = (path: string, body: string | URLSearchParams, headers: Record<string, string> = {}) =>
    fetch(`${provider.issuer}${path}`, { method: 'POST', body, headers, redirect: 'manual' });

  test('who knows the cookies of before the sign-in, or has planted them, has nothing after it', async () => {
    const attacker = new Visitor();
    await open(attacker);
    attacker.keep('session', 'a'.repeat(43));
    const victim = attacker.copy();
    const started = await app.start();
    const end = await signIn(victim, provider.issuer, started, MEMBER);
    await app.redeem(end.url, started);
    expect(victim.cookie('session')).not.toBe(attacker.cookie('session'));
    const back = await attacker.go((await app.start({ prompt: 'none' })).url, provider.issuer);
    expect(back.url).toContain('error=login_required');
    // A step up, or another member, changes it as well.
    const before = victim.copy();
    const again = await app.start({ prompt: 'login' });
    await signIn(victim, provider.issuer, again, OTHER_MEMBER);
    expect(victim.cookie('session')).not.toBe(before.cookie('session'));
    expect((await before.go((await app.start({ prompt: 'none' })).url, provider.issuer)).url).toContain('error=');
  });

  test('makes a victim sign in to the attacker’s account with no form, link or code of their own', async () => {
    const attacker = new Visitor();
    const page = await open(attacker);
    const form = { ...OTHER_MEMBER, ...hiddenFields(page) };
    // The attacker's page posts it from the victim's browser: another origin, and not the journey's browser.
    const victim = new Visitor();
    for (const headers of [{}, { origin: 'https://evil.example' }, { origin: 'null' }]) {
      const answer = await victim.fetch(`${page.url}/password`, {
        ...{ method: 'POST', body: new URLSearchParams(form), headers },
      });
      expect([403, 410]).toContain(answer.status);
    }
    expect(victim.cookie('session')).toBeUndefined();
    await attacker.post(page, OTHER_MEMBER);
    // The link at which the attacker's sign-in ends opens nothing in another browser.
    expect((await victim.fetch(page.url)).status).toBe(410);
    const resumed = await victim.fetch(page.url.replace('/interaction/', '/auth/'));
    expect([resumed.status, resumed.headers.get('location')]).toEqual([410, null]);
  });

  test('signs nobody out by an image, a link or a form on another page', async () => {
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    await visitor.fetch(`${provider.issuer}/session/end`);
    await visitor.fetch(`${provider.issuer}/session/end/confirm`, {
      ...{ method: 'POST', body: 'logout=yes', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    });
    const still = await visitor.go((await app.start({ prompt: 'none' })).url, provider.issuer);
    expect(still.url).toContain('code=');
  });

  test('puts no page of ours into a frame', async () => {
    const visitor = new Visitor();
    await signIn(visitor, provider.issuer, await app.start(), MEMBER);
    const pages = [
      '/account',
      '/session/end',
      '/register',
      '/forgot-password',
      '/device',
      '/help',
      '/status',
      '/admin',
    ];
    const answers = [
      await open(new Visitor()),
      ...(await Promise.all(pages.map((path) => visitor.go(provider.issuer + path, provider.issuer)))),
    ];
    for (const { headers, url } of answers) {
      expect([url, headers.get('x-frame-options')]).toEqual([url, 'DENY']);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  test.each([
    ...['https://evil.example/', 'https://app.example.evil.example/callback', 'https://app.example/callback/../x'],
    ...[
      'https://app.example/callback?x=1',
      'https://app.example/callback#x',
      'https://app.example@evil.example/callback',
    ],
    ...[
      '//evil.example/callback',
      'javascript:alert(1)',
      'https://APP.example/callback\\@evil.example',
      ' https://app.example/callback',
    ],
  ])('is sent to %j by no authorization request', async (redirect_uri) => {
    const answer = await new Visitor().fetch((await app.start({ redirect_uri })).url);
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
    expect(answer.body).not.toContain(`href="${redirect_uri}`);
  });

  test('leads nobody elsewhere by the Host header, or by what the pages take for a way back', async () => {
    const { port } = new URL(provider.issuer);
    const { status, location, body } = await new Promise<{ status: number; location: string; body: string }>(
      (resolve) => {
        const query = new URL(`${provider.issuer}/auth?${new URLSearchParams({ client_id: 'care-messages' })}`);
        request(
          {
            port,
            path: `/account${query.search}`,
            headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', accept: 'text/html' },
          },
          async (answer) => {
            let text = '';
            for await (const part of answer) text += part;
            resolve({ status: Number(answer.statusCode), location: String(answer.headers.location), body: text });
          },
        ).end();
      },
    );
    expect(status).toBeLessThan(500);
    expect(location + body).not.toContain('evil.example');
    const places = [
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      '/%0d%0aLocation:https://evil.example',
    ];
    for (const place of places) {
      for (const name of ['retry', 'return', 'return_to', 'next', 'redirect', 'url', 'back', 'from']) {
        const answer = await new Visitor().fetch(`${provider.issuer}/account?${name}=${encodeURIComponent(place)}`);
        const next = answer.headers.get('location');
        if (next !== null) expect(new URL(next, provider.issuer).origin).toBe(provider.issuer);
      }
      const language = await new Visitor().fetch(`${provider.issuer}${place.replace('https:', '')}?lang=es`);
      const next = language.headers.get('location');
      if (next !== null) expect(new URL(next, provider.issuer).origin).toBe(provider.issuer);
    }
  });

  test('adds no header to an answer and no line to the log', async () => {
    const evil = 'x\r\nSet-Cookie: owned=1\r\n\r\n{"level":"fatal","msg":"forged"}\n';
    const visitor = new Visitor({ 'user-agent': 'Mozilla {"msg":"forged"}' });
    const before = provider.log.length;
    const started = await app.start({ state: evil, login_hint: evil, ui_locales: evil });
    const page = await visitor.go(started.url, provider.issuer);
    const wrong = await visitor.submit(page, { username: evil, password: evil }, provider.issuer);
    const end = await visitor.submit(page, MEMBER, provider.issuer);
    await fetch(`${provider.issuer}/${encodeURIComponent(evil)}`, { headers: { 'x-request-id': 'forged' } });
    for (const { headers } of [page, wrong, end]) expect(headers.getSetCookie().join()).not.toContain('owned=');
    expect(new URL(end.url).searchParams.get('state')).toBe(evil);
    const lines = provider.log.slice(before);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(line.trimEnd().split('\n')).toHaveLength(1);
      const { level, msg, requestId } = JSON.parse(line);
      expect([level, msg, requestId]).not.toContain('forged');
      expect(level).not.toBe('fatal');
    }
  });

  test('is answered at once where a body is huge, deep or endless in fields', async () => {
    const page = await open(new Visitor());
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = { 'content-type': 'application/json' };
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const deepField = `username${'[a]'.repeat(4_000)}=x`;
    const bodies: [string, string, Record<string, string>][] = [
      [new URL(`${page.url}/password`).pathname, `username=${'x'.repeat(5_000_000)}`, form],
      [new URL(`${page.url}/password`).pathname, deepField, form],
      [new URL(`${page.url}/password`).pathname, 'a=1&'.repeat(3_000), form],
      ['/token', `grant_type=${'x'.repeat(5_000_000)}`, form],
      ['/token', 'a=1&'.repeat(20_000), form],
      ['/request', `x=${'y'.repeat(2_000_000)}`, form],
      ['/reg', deep, json],
      ['/reg', `{"client_name":"${'x'.repeat(2_000_000)}"}`, json],
      ['/api/v1/clients', deep, json],
      ['/auth', 'a=1&'.repeat(20_000), form],
    ];
    for (const [path, body, headers] of bodies) {
      const began = performance.now();
      const status = await post(path, body, headers).then(
        (answer) => answer.status,
        // Who is refused in the middle of sending may not read the answer any more.
        () => 413,
      );
      expect([path, Math.floor(status / 100)]).toEqual([path, status < 400 ? 3 : 4]);
      expect(performance.now() - began).toBeLessThan(2_000);
    }
    expect((await fetch(`${provider.issuer}/health/live`)).status).toBe(200);
  }, 60_000);

  test.each(['[$ne]', '[$gt]', '[$regex]', '[]'])('gets no operator into a query by name%s=', async (operator) => {
    const parameters = new URLSearchParams();
    for (const [name, value] of new URL((await app.start()).url).searchParams)
      parameters.set(name === 'client_id' ? `client_id${operator}` : name, value);
    expect((await new Visitor().fetch(`${provider.issuer}/auth?${parameters}`)).status).toBe(400);
    for (const name of ['code', 'refresh_token', 'client_id', 'client_secret', 'token', 'device_code']) {
      const body = new URLSearchParams({ grant_type: 'refresh_token', [`${name}${operator}`]: '' });
      for (const path of ['/token', '/token/introspection', '/token/revocation']) {
        expect(Math.floor((await post(path, body)).status / 100)).toBe(4);
      }
    }
    const page = await open(new Visitor());
    const fields = { ...hiddenFields(page), [`username${operator}`]: '', [`password${operator}`]: '' };
    expect((await post(`${new URL(page.url).pathname}/password`, new URLSearchParams(fields))).status).not.toBe(303);
  });

  test('writes nothing on the prototype of everything', async () => {
    const known = Reflect.ownKeys(Object.prototype).length;
    const script = await apiScript(provider, 'reader');
    const body =
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"kind":"web","metadata":{"__proto__":{"polluted":true}}}';
    for (const path of ['/reg', '/api/v1/clients']) await post(path, body, { 'content-type': 'application/json' });
    await script.ask('POST', '/clients', JSON.parse(body));
    const query = '__proto__[polluted]=true&__proto__.polluted=true&constructor[prototype][polluted]=true';
    for (const path of ['/auth', '/register', '/account', '/admin', '/help/__proto__', '/session/end'])
      await new Visitor().fetch(`${provider.issuer}${path}?${query}`);
    await post('/token', query, { 'content-type': 'application/x-www-form-urlencoded' });
    const claims = encodeURIComponent('{"id_token":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}');
    await new Visitor().fetch(`${(await app.start()).url}&claims=${claims}`);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Reflect.ownKeys(Object.prototype)).toHaveLength(known);
  });

  test('makes us fetch nothing from inside', async () => {
    const inside = await openSecureAppServer();
    const { port } = new URL(inside.origin);
    let taken = 0;
    const hosts = ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433', '0x7f.1'];
    for (const host of hosts) {
      const at = (path: string) => `https://${host}:${port}/${path}`;
      for (const metadata of [
        { jwks_uri: at('jwks'), token_endpoint_auth_method: 'private_key_jwt' },
        { sector_identifier_uri: at('sector'), subject_type: 'pairwise' },
        { logo_uri: at('logo') },
        { backchannel_logout_uri: at('logout') },
        { request_uris: [at('request')] },
        { brand_logo: at('brand') },
      ]) {
        const registered = await post(
          '/reg',
          JSON.stringify({ redirect_uris: ['https://x.example/cb'], client_uri: 'https://x.example/', ...metadata }),
          { 'content-type': 'application/json' },
        );
        if (registered.status !== 201) continue;
        taken += 1;
        const { client_id } = (await registered.json()) as { client_id: string };
        const assertion = await new jose.SignJWT({ jti: client_id })
          .setProtectedHeader({ alg: 'ES256', kid: 'key' })
          .setIssuer(client_id)
          .setSubject(client_id)
          .setAudience(provider.issuer)
          .setExpirationTime('1m')
          .setIssuedAt()
          .sign(KEYS.privateKey);
        await post('/token', withAssertion(assertion, client_id));
        const request_uri = at('request');
        await new Visitor().fetch(
          `${provider.issuer}/auth?${new URLSearchParams({ client_id, request_uri, scope: 'openid' })}`,
        );
      }
    }
    expect(taken).toBeGreaterThan(hosts.length);
    expect(inside.heard).toEqual([]);
    await inside.close();
  }, 60_000);

  test('passes no token off as another: unsigned, signed with what is public, of another kind or key', async () => {
    const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const hmac = (header: object, claims: object, secret: string) => {
      const signed = `${b64(header)}.${b64(claims)}`;
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    };
    const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: jose.JWK[] };
    const ours = keys.find(({ kty }) => kty === 'EC') as jose.JWK;
    const pem = await jose.exportSPKI((await jose.importJWK({ ...ours, ext: true }, 'ES256')) as jose.CryptoKey);

    // The API: a token that really is one, and the same claims with every other signature.
    const script = await apiScript(provider, 'reader');
    expect((await script.ask('GET', '/clients')).status).toBe(200);
    const claims = jose.decodeJwt(script.token);
    const header = { typ: 'at+jwt', kid: String(ours.kid) };
    const stranger = { ...PUBLIC, kid: ours.kid };
    const signByStranger = (more: object) =>
      new jose.SignJWT(claims).setProtectedHeader({ ...header, alg: 'ES256', ...more }).sign(KEYS.privateKey);
    const started = await app.start();
    const member = new Visitor();
    const { id_token = '' } = await app.redeem((await signIn(member, provider.issuer, started, MEMBER)).url, started);
    const forged = [
      `${b64({ ...header, alg: 'none' })}.${b64(claims)}.`,
      `${b64({ ...header, alg: 'None' })}.${b64(claims)}.`,
      hmac({ ...header, alg: 'HS256' }, claims, pem),
      hmac({ ...header, alg: 'HS256' }, claims, JSON.stringify(ours)),
      await signByStranger({}),
      await signByStranger({ jwk: stranger }),
      await signByStranger({ kid: '../../../dev/null' }),
      await signByStranger({ jku: 'https://evil.example/jwks' }),
      script.token.replace(/[^.]+$/, ''),
      id_token,
    ];
    for (const token of forged) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${provider.issuer}/api/v1/clients`, { headers })).status).toBe(401);
    }

    // A client's assertion, signed with its own public key as if that were a secret.
    const jwk = JSON.stringify(PUBLIC);
    const spki = KEYS.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const now = Math.floor(Date.now() / 1_000);
    const asserted = { iss: 'by-key', sub: 'by-key', aud: provider.issuer, iat: now, exp: now + 60 };
    for (const [i, assertion] of [
      `${b64({ alg: 'none' })}.${b64({ ...asserted, jti: 'n' })}.`,
      ...[jwk, spki, ''].map((secret, n) =>
        hmac({ alg: 'HS256', kid: 'key' }, { ...asserted, jti: `h${n}` }, secret || ' '),
      ),
    ].entries()) {
      const answer = await post('/token', withAssertion(assertion, 'by-key'));
      expect([i, answer.status]).toEqual([i, 401]);
    }
    const right = await new jose.SignJWT({ ...asserted, jti: 'right' })
      .setProtectedHeader({ alg: 'ES256', kid: 'key' })
      .sign(KEYS.privateKey);
    expect((await post('/token', withAssertion(right, 'by-key'))).status).toBe(200);

    // A hint of who signs out.
    for (const hint of [
      `${b64({ alg: 'none' })}.${id_token.split('.')[1]}.`,
      hmac({ alg: 'HS256', kid: ours.kid }, jose.decodeJwt(id_token), pem),
    ]) {
      // It is dropped, and the page asks as if there were none.
      const answer = await member.go(`${provider.issuer}/session/end?id_token_hint=${hint}`, provider.issuer);
      expect([answer.status, answer.body.includes('Sign out?')]).toEqual([200, true]);
      expect(answer.body).not.toContain('data-submits-itself');
      const still = await member.go((await app.start({ prompt: 'none' })).url, provider.issuer);
      expect(still.url).toContain('code=');
    }
  });

  test('skips no step: what is not due is not taken, and the end is not reached from the middle', async () => {
    const visitor = new Visitor();
    const page = await open(visitor);
    const fields = hiddenFields(page);
    for (const step of [
      'second',
      'consent',
      'account',
      'renewal',
      'codes',
      'enrolment',
      'method',
      'review',
      'offer',
      'done',
      '__proto__',
    ]) {
      const answer = await visitor.fetch(`${page.url}/${step}`, {
        ...{
          method: 'POST',
          body: new URLSearchParams({ ...fields, decision: 'allow', code: '000000', saved: 'yes' }),
        },
      });
      expect(String(answer.headers.get('location') ?? answer.status)).toMatch(/^(\/interaction\/[\w-]+|4\d\d)$/);
    }
    const resumed = await visitor.go(page.url.replace('/interaction/', '/auth/'), provider.issuer);
    expect(resumed.url).not.toContain('code=');
    expect(visitor.cookie('session')).toBeUndefined();
    // The same on an errand: the new password without the code.
    const errand = await visitor.go(`${provider.issuer}/forgot-password`, provider.issuer);
    const skipped = await visitor.fetch(`${errand.url}/replacement`, {
      method: 'POST',
      body: new URLSearchParams({ ...hiddenFields(errand), 'new-password': 'a password of the attacker' }),
    });
    expect(skipped.status).not.toBe(200);
    const fresh = await app.start();
    expect((await signIn(new Visitor(), provider.issuer, fresh, MEMBER)).url).toContain('code=');
  });
});

const withAssertion = (client_assertion: string, client_id: string) =>
  new URLSearchParams({
    ...{ grant_type: 'client_credentials', client_id, client_assertion, scope: 'clients:read' },
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });
