import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { newRecoveryCode, readRecoveryCode, writtenCode } from '../../src/core/factors/recoveryCodes.ts';
import { judgeTotp, newSeed } from '../../src/core/factors/totp.ts';
import { AuthenticatorApp } from '../support/authenticatorApp.ts';

const { TEST_OATHTOOL } = process.env;
const NOW = 1_767_268_800;
const FRESH = { lastStep: 0, drift: 0 };

describe('codes of an authenticator app', () => {
  test.each([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6])('of a clock that is %i steps ahead', (steps) => {
    const seed = newSeed();
    const app = new AuthenticatorApp(seed);
    app.ahead = steps * 30;
    const { is } = judgeTotp(seed, app.code(NOW * 1_000), NOW, FRESH);
    expect(is).toBe(Math.abs(steps) <= 1 ? 'right' : Math.abs(steps) <= 5 ? 'clock-wrong' : 'wrong');
  });

  test('are good once, and none before one that was used', () => {
    const seed = newSeed();
    const app = new AuthenticatorApp(seed);
    const first = judgeTotp(seed, app.code(NOW * 1_000), NOW, FRESH);
    if (first.is !== 'right') throw new Error('the first is not right');
    const used = { lastStep: first.step, drift: first.drift };
    expect(judgeTotp(seed, app.code(NOW * 1_000), NOW, used).is).toBe('used');
    expect(judgeTotp(seed, app.code((NOW - 30) * 1_000), NOW, used).is).toBe('used');
    expect(judgeTotp(seed, app.code((NOW + 30) * 1_000), NOW + 30, used).is).toBe('right');
  });

  test('of a clock that drifts slowly are followed', () => {
    const seed = newSeed();
    const app = new AuthenticatorApp(seed);
    let held: { lastStep: number; drift: number } = FRESH;
    for (const [minutes, ahead] of [
      [0, 20],
      [10, 45],
      [20, 70],
      [30, 95],
    ] as const) {
      app.ahead = ahead;
      const now = NOW + minutes * 60;
      const verdict = judgeTotp(seed, app.code(now * 1_000), now, held);
      if (verdict.is !== 'right') throw new Error(`${verdict.is} when ${ahead} s ahead`);
      held = { lastStep: verdict.step, drift: verdict.drift };
    }
    expect(held.drift).toBe(3);
  });

  (TEST_OATHTOOL === undefined ? test.skip : test)('are those of oathtool', () => {
    for (let i = 0; i < 50; i += 1) {
      const seed = newSeed();
      const at = randomInt(0, 2 ** 32);
      const date = `@${at}`;
      const { stdout } = spawnSync(String(TEST_OATHTOOL), ['--totp', '--base32', '--now', date, seed], {
        encoding: 'utf8',
      });
      expect([seed, at, new AuthenticatorApp(seed).code(at * 1_000)]).toEqual([seed, at, stdout.trim()]);
      expect(generateSync({ secret: seed, epoch: at })).toBe(stdout.trim());
    }
  });
});

describe('recovery codes', () => {
  test('are read however they are typed', () => {
    const code = newRecoveryCode(10, randomInt);
    const written = writtenCode(code);
    expect(written).toMatch(/^10(-[2-9A-HJKMNP-Z]{4}){4}$/);
    for (const typed of [
      written,
      written.toLowerCase(),
      written.replaceAll('-', ' '),
      ` ${written.replaceAll('-', '')}\n`,
    ])
      expect(readRecoveryCode(typed)).toEqual(code);
    for (const typed of [
      '',
      '3',
      written.slice(0, -1),
      `0${written.slice(2)}`,
      `${written}A`,
      written.replace(/.$/, '0'),
    ])
      expect(readRecoveryCode(typed)).toBeUndefined();
  });
});
