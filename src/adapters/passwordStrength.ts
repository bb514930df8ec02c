import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { Strength, StrengthMeter } from '../core/account/newPassword.ts';

/** Estimating takes time that grows faster than the length; what comes after these characters only adds strength. */
const LOOKED_AT = 64;

/**
 * Estimates by zxcvbn, with some 50,000 common and breached passwords, keyboard walks, repetitions, sequences and
 * dates. All of it is in memory: no password leaves the process.
 */
export function passwordStrength(): StrengthMeter {
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  return (password, personal) => {
    const { score, sequence } = zxcvbn.check(password.slice(0, LOOKED_AT), [...personal]);
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
