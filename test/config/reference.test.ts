import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { settingsReference } from '../../scripts/settings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SECRETS, SETTINGS } from '../../src/config/schema.ts';
import { ROOT } from '../support/provider.ts';

const page = readFileSync(join(ROOT, 'config/README.md'), 'utf8');

describe('the settings reference', () => {
  test('is the one that `npm run settings` writes', () => expect(page).toBe(settingsReference()));

  test('has every setting, and says which are secret', () => {
    for (const name of Object.keys(SETTINGS.shape)) {
      const line = page.split('\n').find((text) => text.startsWith(`| \`${name}\` |`));
      expect([name, line?.endsWith('| yes |')]).toEqual([name, (SECRETS as readonly string[]).includes(name)]);
    }
  });

  test('shows an example for production that is complete', () => {
    const [, lines = ''] = /<<END\n([\s\S]+?)\nEND/.exec(page) ?? [];
    const env = Object.fromEntries(
      lines.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    for (const [name, value] of Object.entries(env)) {
      if (value === '$(openssl rand -base64 32)') env[name] = madeSecret();
    }
    // The operator's own files: those of the project stand in.
    Object.assign(env, {
      PLAN_FILE: join(ROOT, 'config/plan.json'),
      CLIENTS_FILE: join(ROOT, 'config/clients.dev.json'),
    });
    expect(loadConfig(env, ROOT)).toMatchObject({
      ...{ production: true, issuer: 'https://login.example.org' },
      // Each server by TLS and with an account.
      servers: {
        mongoUri: expect.stringMatching(/^mongodb:\/\/\w+:\w+@.*&tls=true/),
        redisUrl: expect.stringMatching(/^rediss:\/\/\w+:\w+@/),
      },
      mail: { smtpUrl: expect.stringMatching(/^smtps:\/\/\w+:\w+@/) },
    });
  });
});

/** What the command in the example prints. */
const madeSecret = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
