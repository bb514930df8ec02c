import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ACR } from '../../src/core/journey/assurance.ts';
import { ask, type } from '../support/command.ts';
import { MEMBER } from '../support/provider.ts';
import { Visitor } from '../support/relyingParty.ts';
import { setUpApp } from '../support/secondStep.ts';
import { type StartedProcess, startProcess } from '../support/startedProcess.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

const secret = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [secret(), secret()];
const LINE = ['keys', 'reseal'];

for (const { name, available } of STORE_PAIRS) {
  (available ? describe : describe.skip)(`a new KEY_ENCRYPTION_KEY on ${name}`, () => {
    test('takes over from the old one without a member or an app noticing', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'reseal-'));
      const servers = name === 'the embedded store' ? undefined : await freshServers();
      const settings = {
        ...{ DATA_DIR: join(folder, 'data'), REFUSAL_FLOOR_MS: '0' },
        ...{ COOKIE_KEYS: secret(), PASSWORD_PEPPER: secret(), ROSTER_KEY: secret() },
        ...(servers === undefined ? {} : { MONGODB_URI: servers.mongoUri, REDIS_URL: servers.redisUrl }),
      };
      const withKeys = (...keys: string[]) => ({ ...settings, KEY_ENCRYPTION_KEY: keys.join() });
      /** While a provider runs on these keys. */
      const running = async <Result>(keys: string[], work: (provider: StartedProcess) => Promise<Result>) => {
        const provider = await startProcess(withKeys(...keys));
        try {
          await provider.ready();
          return await work(provider);
        } finally {
          await provider.stop();
        }
      };
      const toSecond = async (visitor: Visitor, { issuer, portal }: StartedProcess) => {
        const page = await visitor.go(`${portal}/login?acr_values=${encodeURIComponent(ACR.aal2)}`, issuer);
        return visitor.submit(page, MEMBER, issuer);
      };
      const kids = async ({ issuer }: StartedProcess) => {
        const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string }[] };
        return keys.map(({ kid }) => kid);
      };
      try {
        const { app, published } = await running([OLD], async (provider) => {
          const visitor = new Visitor();
          const offered = await toSecond(visitor, provider);
          const setUp = await setUpApp(visitor, offered, provider.issuer, () => Date.now());
          expect(setUp.next.url).toContain('code=');
          return { app: setUp.app, published: await kids(provider) };
        });
        const tooEarly = await type(LINE, withKeys(NEW));
        expect([tooEarly.code, tooEarly.stderr]).toEqual([1, expect.stringContaining('bring that one back')]);

        let ahead = 0;
        const signIn = async (provider: StartedProcess) => {
          const visitor = new Visitor();
          const asked = await toSecond(visitor, provider);
          expect(asked.body).toContain('Type the code from your app');
          // Each is good once: the code of a later half minute than the last.
          ahead += 30_000;
          const back = await visitor.submit(asked, { code: app.code(Date.now() + ahead) }, provider.issuer);
          expect(back.url).toContain('code=');
        };
        await running([NEW, OLD], async (provider) => {
          const dry = await ask([...LINE, '--dry-run'], withKeys(NEW, OLD));
          expect(dry).toEqual({ dryRun: true, seeds: 1, keys: 3, unreadable: 0 });
          const told = await type(LINE, withKeys(NEW, OLD));
          expect(told).toEqual({
            ...{ code: 0, stderr: '' },
            stdout: 'Sealed anew: seeds of authenticator apps 1, secrets of the signing keys 3.\n',
          });
          expect(await ask(LINE, withKeys(NEW, OLD))).toMatchObject({ seeds: 0, keys: 0 });
          await signIn(provider);
        });
        await running([NEW], async (provider) => {
          await signIn(provider);
          expect(await kids(provider)).toEqual(published);
        });

        expect(await ask(LINE, withKeys(NEW))).toEqual({ dryRun: false, seeds: 0, keys: 0, unreadable: 0 });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, 120_000);
  });
}
