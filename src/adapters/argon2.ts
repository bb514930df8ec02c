import { availableParallelism } from 'node:os';
import type { Algorithm } from '@node-rs/argon2';
import argon2 from 'argon2';
import { hashThreads } from './hashThreads.ts';

/** Argon2id at OWASP's floor: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet; RFC 9106). */
const FLOOR = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Whether a PHC string was made with exactly these parameters. The packages write them in different orders. */
export function isCurrentArgon2(phc: string): boolean {
  const [, algorithm, version, parameters = ''] = phc.split('$');
  const wanted = [`m=${FLOOR.memoryCost}`, `p=${FLOOR.parallelism}`, `t=${FLOOR.timeCost}`];
  return algorithm === 'argon2id' && version === 'v=19' && parameters.split(',').sort().join() === wanted.join();
}

/** Beyond these an imported hash could be made to eat the machine: kibibytes, passes, lanes. */
const MOST = { memory: 2 ** 20, passes: 20, lanes: 16 };

/** Whether this is an Argon2 hash in PHC form (version 19) whose work is bearable. */
export function isReadableArgon2(phc: string): boolean {
  const form = /^\$argon2(?:id|i|d)\$v=19\$([mtp=\d,]+)\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$/;
  const settings = form.exec(phc)?.[1] ?? '';
  const within = (name: string, most: number) => {
    const value = Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(settings)?.[1] ?? 0);
    return value >= 1 && value <= most;
  };
  return within('m', MOST.memory) && within('t', MOST.passes) && within('p', MOST.lanes);
}

export interface Argon2 {
  readonly engine: 'argon2' | '@node-rs/argon2';
  hash(password: string): Promise<string>;
  verify(phc: string, password: string): Promise<boolean>;
}

/** The package that is always there. */
export const plainArgon2: Argon2 = {
  engine: 'argon2',
  hash: (password) => argon2.hash(password, { ...FLOOR, type: argon2.argon2id }),
  verify: (phc, password) => argon2.verify(phc, password),
};

let threads: ReturnType<typeof hashThreads> | undefined;

/** The faster package with the same strings, where its binary for this machine was installed. */
export async function fastestArgon2(): Promise<Argon2> {
  try {
    await import('@node-rs/argon2');
    // The package declares a const enum, which type stripping cannot read; 2 is Argon2id (RFC 9106 3.1, type y).
    threads ??= hashThreads(availableParallelism(), { ...FLOOR, algorithm: 2 as Algorithm });
    const run = threads;
    return {
      engine: '@node-rs/argon2',
      hash: (password) => run<string>(password),
      verify: (phc, password) => run<boolean>(password, phc),
    };
  } catch {
    return plainArgon2;
  }
}
