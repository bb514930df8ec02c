import { parseArgs } from 'node:util';

export interface Options {
  /** Names of operations and of other measures; empty for all. */
  readonly only: readonly string[];
  /** Of each operation and contender. */
  readonly seconds: number;
  /** Accounts in the store; beyond 1,000 the same operations are compared with a store of 1,000. */
  readonly accounts: number;
  /** Requests under way at once. */
  readonly browsers: number;
  /** A folder for CPU profiles of the contenders; undefined for none. */
  readonly profile: string | undefined;
}

const HELP = `npm run bench -- [options]

  --only a,b      these only: ${'discovery, jwks, client-credentials, introspection, userinfo, refresh,'}
                  single-sign-on, sign-in, memory, saturation, hash, ready, growth
  --seconds n     for each operation and contender (10)
  --accounts n    how many accounts growth compares with 1,000 (100000; 1000000 takes some minutes more)
  --browsers n    requests under way at once (8)
  --profile dir   writes a CPU profile of each contender into this folder
`;

/** What was typed. Prints the help and ends where that was asked for, or where it cannot be understood. */
export function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: '' },
        seconds: { type: 'string', default: '10' },
        accounts: { type: 'string', default: '100000' },
        browsers: { type: 'string', default: '8' },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return end(0);
    const [seconds, accounts, browsers] = [values.seconds, values.accounts, values.browsers].map(Number);
    if (!seconds || !accounts || !browsers) return end(2);
    return { only: values.only.split(',').filter(Boolean), seconds, accounts, browsers, profile: values.profile };
  } catch {
    return end(2);
  }
}

function end(code: number): never {
  (code === 0 ? console.log : console.error)(HELP);
  process.exit(code);
}
