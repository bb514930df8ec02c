import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { findBySignInName } from '../../src/core/account/account.ts';
import type { ScheduledItem } from '../../src/core/storage/schedule.ts';
import { TestClock } from '../support/clock.ts';
import { describeOnEveryStore } from '../support/describeOn.ts';
import { dataUrl, png } from '../support/picture.ts';
import { MEMBER, OTHER_MEMBER, type RunningProvider, startProvider } from '../support/provider.ts';
import { RelyingParty, signIn, Visitor, webClient } from '../support/relyingParty.ts';
import type { Answer } from '../support/visitor.ts';
import { within } from '../support/within.ts';

const MINUTE = 60_000;
const SECRET = 'the-secret-of-the-gateway-for-texts-and-calls';
const refusal = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });

/** A mail server; `mail` is what it took, `tried` whom it heard of, `fault` what it answers instead of taking one. */
class MailServer {
  readonly mail: { readonly to: string; readonly raw: string }[] = [];
  readonly tried: string[] = [];
  fault: ((to: string) => Error | undefined) | undefined;
  #server: SMTPServer | undefined;
  port = 0;

  async start(): Promise<void> {
    this.#server = new SMTPServer({
      ...{ authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], logger: false },
      onData: (stream, session, done) => {
        const to = String(session.envelope.rcptTo[0]?.address);
        this.tried.push(to);
        void text(stream).then((raw) => {
          const fault = this.fault?.(to);
          if (fault === undefined) this.mail.push({ to, raw });
          done(fault);
        });
      },
    });
    await new Promise<void>((resolve) => void this.#server?.listen(this.port, 'localhost', resolve));
    this.port = (this.#server.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
  }
}

const header = (raw: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(raw)?.[1];

describeOnEveryStore('messages to members', (pair) => {
  const clock = new TestClock();
  let mailServer: MailServer;
  let gateway: Server;
  let requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  let gatewayAnswers: number[];
  let provider: RunningProvider;
  let app: RelyingParty;

  beforeEach(async () => {
    mailServer = new MailServer();
    await mailServer.start();
    requests = [];
    gatewayAnswers = [];
    gateway = createServer(async (request, response) => {
      requests.push({ headers: request.headers, body: await text(request) });
      response.writeHead(gatewayAnswers.shift() ?? 202).end();
    });
    await new Promise<void>((resolve) => gateway.listen(0, 'localhost', resolve));
    provider = await startProvider(pair, {
      ...{ clock, clients: [webClient()] },
      env: {
        SMTP_URL: `smtp://localhost:${mailServer.port}`,
        SMS_GATEWAY_URL: `http://localhost:${(gateway.address() as AddressInfo).port}/messages`,
        SMS_GATEWAY_SECRET: SECRET,
      },
    });
    app = await RelyingParty.discover(provider.issuer);
  });
  afterEach(async () => {
    await provider.close();
    await mailServer.stop();
    await new Promise<void>((resolve) => gateway.close(() => resolve()));
  });

  const ask = async (visitor: Visitor, username: string, course = 'unlock'): Promise<Answer> =>
    visitor.submit(await visitor.go(`${provider.issuer}/${course}`, provider.issuer), { username }, provider.issuer);
  /** Locks the account, of which its owner is told by email and by text. */
  const lock = async ({ username }: { readonly username: string }) => {
    const visitor = new Visitor();
    for (let i = 0; i < 6; i += 1)
      await signIn(visitor, provider.issuer, await app.start(), { username, password: 'wrong' });
  };

  /** A notice is put down beside the request that it is about. */
  const worked = (isSo: () => boolean) =>
    within(2, async () => {
      await provider.work();
      return isSo();
    });

  test('go by mail in both forms and in the language of the member', async () => {
    await lock(OTHER_MEMBER);
    await worked(() => mailServer.mail.length > 0);
    expect(mailServer.mail.map(({ to }) => to)).toEqual(['miembro.ejemplo@example.com']);
    const raw = String(mailServer.mail[0]?.raw);
    expect(raw).toMatch(/^Content-Type: multipart\/alternative/m);
    expect(raw).toMatch(/^Content-Type: text\/plain; charset=utf-8/m);
    expect(raw).toMatch(/^Content-Type: text\/html; charset=utf-8/m);
    expect(header(raw, 'Content-Language')).toBe('es');
    expect(header(raw, 'Auto-Submitted')).toBe('auto-generated');
    // The one link in it is made from the issuer.
    expect([...new Set(raw.replaceAll('=\r\n', '').match(/https?:\/\/[\w.:-]+/g))]).toEqual([provider.issuer]);
  });

  test('say which app they are on the way to, and bring its logo along instead of fetching it', async () => {
    const { value, version = 0 } = (await provider.stores.clients.find('care-messages')) ?? {};
    if (value === undefined) throw new Error('no app');
    const logo = png(64, 64);
    const metadata = { ...value.metadata, brand_color: '#5b2a86', brand_logo: dataUrl(logo) };
    await provider.stores.clients.replace('care-messages', version, { ...value, metadata });
    const visitor = new Visitor();
    const page = await visitor.go((await app.start()).url, provider.issuer);
    const link = /id="forgot-password" href="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&');
    const forgot = await visitor.go(provider.issuer + link, provider.issuer);
    await visitor.submit(forgot, { username: MEMBER.username }, provider.issuer);
    await worked(() => mailServer.mail.length > 0);
    const raw = String(mailServer.mail[0]?.raw).replaceAll(/(?<!=)=\r\n(?!-)/g, '');
    expect(raw).toContain('You asked for it on the way to Care Messages.');
    expect(raw).toContain('border-top: 6px solid #5b2a86');
    expect(raw).toContain('<img src=3D"cid:logo" alt=3D"Care Messages"');
    expect(raw).toMatch(/^Content-Id: <logo>/im);
    expect(raw.replaceAll('\r\n', '')).toContain(logo.toString('base64'));
  });

  test('are lost by no outage of an hour: a notice comes late and once, and a code that is too old not at all', async () => {
    await mailServer.stop();
    await lock(MEMBER);
    await ask(new Visitor(), MEMBER.username);
    for (let minute = 0; minute < 60; minute += 1) {
      await provider.work();
      clock.advance(MINUTE);
    }
    expect((await new Visitor().fetch(`${provider.issuer}/status`)).body).toContain('id="messages-down"');
    await mailServer.start();
    for (let minute = 0; minute < 60; minute += 1) {
      await provider.work();
      clock.advance(MINUTE);
    }
    expect(mailServer.mail.map(({ raw }) => header(raw, 'Subject'))).toEqual(['Sign-in was paused']);
    const figures = (await new Visitor().fetch(`${provider.issuer}/metrics`)).body;
    expect(figures).toMatch(/idp_messages_total\{channel="email",outcome="again"\} [1-9]/);
    expect(figures).toContain('idp_messages_total{channel="email",outcome="sent"} 1');
    expect(figures).toContain('idp_messages_total{channel="email",outcome="too-late"} 1');
    expect((await new Visitor().fetch(`${provider.issuer}/status`)).body).toContain('id="messages-up"');
  });

  test('that are not taken are tried again under the same Message-ID; what is refused for good is not', async () => {
    const seen: (string | undefined)[] = [];
    mailServer.fault = () => refusal(451, 'come back later');
    await lock(MEMBER);
    await worked(() => mailServer.tried.length > 0);
    expect(mailServer.mail).toEqual([]);
    seen.push(...provider.log.filter((line) => line.includes('"again"')).map((line) => JSON.parse(line).id));
    mailServer.fault = undefined;
    clock.advance(MINUTE);
    await provider.work();
    expect(mailServer.mail.map(({ raw }) => header(raw, 'Message-ID'))).toEqual([`<${seen[0]}@localhost>`]);

    mailServer.fault = (to) => (to.startsWith('sample') ? refusal(550, 'no such mailbox') : undefined);
    clock.advance(2 * 60 * MINUTE);
    await ask(new Visitor(), MEMBER.username);
    await ask(new Visitor(), OTHER_MEMBER.username);
    for (let minute = 0; minute < 10; minute += 1) {
      await provider.work();
      clock.advance(MINUTE);
    }
    expect(mailServer.tried.slice(2).toSorted()).toEqual(['miembro.ejemplo@example.com', 'sample.member@example.com']);
  });

  test('that are refused for good mark the address: its owner is asked about it at the next sign-in', async () => {
    mailServer.fault = () => refusal(550, 'no such mailbox');
    await lock(MEMBER);
    const bounced = async () => (await findBySignInName(provider.stores.accounts, MEMBER.username))?.value.bounced;
    await within(2, async () => {
      await provider.work();
      return (await bounced()) !== undefined;
    });
    expect(await bounced()).toBe('sample.member@example.com');
  });

  test('are sent once by two processes that both look for them', async () => {
    const beside = await startProvider(pair, {
      clock,
      stores: provider.stores,
      env: { SMTP_URL: `smtp://localhost:${mailServer.port}` },
    });
    for (let i = 0; i < 10; i += 1) {
      clock.advance(20 * MINUTE);
      await Promise.all([ask(new Visitor(), MEMBER.username), ask(new Visitor(), OTHER_MEMBER.username)]);
      await Promise.all([provider.work(), beside.work(), provider.work()]);
    }
    await beside.close();
    const ids = mailServer.mail.map(({ raw }) => header(raw, 'Message-ID'));
    expect([ids.length, new Set(ids).size]).toEqual([20, 20]);
  });

  test('by text are signed, keep their key at each try, and end where the gateway says never', async () => {
    const visitor = new Visitor();
    const page = await ask(visitor, MEMBER.username);
    // The third is about us, and somebody mends it.
    gatewayAnswers = [503, 429, 401, 202];
    clock.advance(MINUTE);
    await visitor.submit(page, { send: 'sms' }, provider.issuer);
    for (let minute = 0; minute < 9; minute += 1) {
      await provider.work();
      clock.advance(MINUTE);
    }
    expect(requests).toHaveLength(4);
    expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    for (const { headers, body } of requests) {
      const signature = createHmac('sha256', SECRET).update(`${headers['x-timestamp']}.${body}`).digest('hex');
      expect(headers['x-signature']).toBe(`v1=${signature}`);
      expect(JSON.parse(body)).toMatchObject({ channel: 'sms', to: '+12025550143', locale: 'en' });
    }
    const sent = JSON.parse(String(requests[0]?.body)).text as string;
    expect(sent).toMatch(/\n@localhost #\d{6}$/);
    const done = await visitor.submit(page, { code: String(/#(\d{6})/.exec(sent)?.[1]) }, provider.issuer);
    expect(done.body).toContain('Sign-in is unlocked');

    // Who got the text is told of the unlocking; a gateway that says never is not asked again.
    const before = requests.length;
    gatewayAnswers = [400];
    for (let minute = 0; minute < 10; minute += 1) {
      await provider.work();
      clock.advance(MINUTE);
    }
    expect(requests.length - before).toBe(1);
  });

  test('lie sealed until they are sent', async () => {
    await lock(MEMBER);
    const waiting: ScheduledItem[] = [];
    await within(2, async () => {
      for (const channel of ['email', 'sms'])
        waiting.push(...(await provider.stores.outbox.take(`messages:${channel}`, 10, MINUTE)));
      return waiting.length === 2;
    });
    expect(JSON.stringify(waiting)).not.toMatch(/example\.com|2025550143|paused/);
    expect(waiting.every(({ value }) => /^v1\./.test((value as { sealed: string }).sealed))).toBe(true);
  });
});
