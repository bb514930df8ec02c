import { expect, test } from '@jest/globals';
import * as openid from 'openid-client';
import { recorded } from '../support/audit.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { MEMBER, RENEWING, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, TELEVISION, Visitor, webClient } from '../support/relyingParty.ts';

const CLIENT = webClient();
const NEW_PASSWORD = 'three lamps on the stairs';

/** Remembers every cookie and hidden field that it is given. */
class Watcher extends Visitor {
  readonly secrets: string[] = [];

  override async fetch(url: string, init: RequestInit = {}) {
    const answer = await super.fetch(url, init);
    for (const line of answer.headers.getSetCookie()) this.secrets.push(String(/^[^=]+=([^;]*)/.exec(line)?.[1]));
    for (const [, value] of answer.body.matchAll(/type="hidden" name="\w+" value="([^"]+)"/g))
      this.secrets.push(String(value));
    for (const name of ['code', 'state', 'logout_token']) {
      const value = new URL(answer.headers.get('location') ?? url, url).searchParams.get(name);
      if (value !== null) this.secrets.push(value);
    }
    return answer;
  }
}

describeOnEveryStore('the log and the audit of a whole day', (pair) => {
  test('holds a request id in each line, and no password, code, token, cookie or secret at all', async () => {
    const provider = await startProvider(pair, {
      ...{ clients: [CLIENT, TELEVISION], members: [{ ...RENEWING, ...MEMBER }] },
      env: { LOG_LEVEL: 'debug', DYNAMIC_REGISTRATION: 'open' },
    });
    const visitor = new Watcher();
    const secrets = [MEMBER.password, NEW_PASSWORD, CLIENT.client_secret, 'a wrong guess'];
    const remember = (answer: object) =>
      secrets.push(
        ...Object.values({ ...answer, scope: '' }).filter((value) => typeof value === 'string' && value.length > 15),
      );
    const app = await RelyingParty.discover(provider.issuer);

    // A wrong password, the right one, a new one; a code that is used twice; a token that is.
    const started = await app.start();
    secrets.push(started.verifier, started.nonce, started.state);
    const refused = await signIn(visitor, provider.issuer, started, { ...MEMBER, password: 'a wrong guess' });
    const renewal = await visitor.submit(refused, MEMBER, provider.issuer);
    const back = await visitor.submit(renewal, { 'new-password': NEW_PASSWORD }, provider.issuer);
    const tokens = await app.redeem(back.url, started);
    remember(tokens);
    const refreshed = await openid.refreshTokenGrant(app.config, String(tokens.refresh_token));
    remember(refreshed);
    await openid.tokenIntrospection(app.config, refreshed.access_token);
    await openid.fetchUserInfo(app.config, refreshed.access_token, openid.skipSubjectCheck);
    await app.redeem(back.url, started).catch(() => undefined);
    await openid.refreshTokenGrant(app.config, String(tokens.refresh_token)).catch(() => undefined);
    await openid.tokenRevocation(app.config, String(refreshed.refresh_token));

    // A television, a registration, an app's mistake, a form of nobody's, a secret where none belongs.
    const television = await RelyingParty.discover(provider.issuer, TELEVISION);
    const device = await openid.initiateDeviceAuthorization(television.config, { scope: 'openid' });
    secrets.push(device.device_code, device.user_code);
    const page = await visitor.go(`${provider.issuer}/device`, provider.issuer);
    await visitor.submit(page, { user_code: device.user_code }, provider.issuer);
    const registered = await fetch(`${provider.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://app.example/cb'] }),
    });
    const { client_secret, registration_access_token } = (await registered.json()) as Record<string, string>;
    remember({ client_secret, registration_access_token });
    await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${NEW_PASSWORD}` } });
    await fetch(`${provider.issuer}/auth?client_id=${CLIENT.client_secret}&request=${NEW_PASSWORD}`);
    await visitor.post({ ...page, body: page.body.replace('/device', '/interaction/x/password') }, MEMBER);
    await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ refresh_token: NEW_PASSWORD }),
    });
    const end = await visitor.go(`${provider.issuer}/session/end?id_token_hint=${tokens.id_token}`, provider.issuer);
    await visitor.submit(end, { logout: 'yes' }, provider.issuer);
    await provider.work();
    const events = await recorded(provider.stores);
    await provider.close();

    const lines = provider.log.map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(25);
    expect(lines.filter(({ msg, requestId }) => msg === 'request' && !/^[0-9A-Z-]{14}$/.test(requestId))).toEqual([]);
    expect(events.length).toBeGreaterThan(5);
    const log = provider.log.join('') + events.map((event) => JSON.stringify(event)).join('');
    const all = [...new Set([...secrets, ...visitor.secrets])].filter((secret) => secret.length >= 8);
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((secret) => log.includes(secret) || log.includes(encodeURIComponent(secret)))).toEqual([]);
  });
});
