import { once } from 'node:events';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../adapters/systemClock.ts';
import { ConfigFault } from '../config/fault.ts';
import { type Config, loadConfig, type Secrets } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { Stores } from '../core/storage/stores.ts';
import { Unavailable } from '../core/storage/unavailable.ts';
import { openStores, secretsOf } from '../openStores.ts';
import { auditOf } from '../parts.ts';
import { StartFault, wordsOf } from '../startFault.ts';
import { commandHelp, type Options, subcommandHelp } from './help.ts';

/** The command line is not what the command understands. */
export class Misuse extends Error {}

/** What was asked for does not exist or is refused. */
export class Refused extends Error {}

/** What the provider runs on, opened for one command. */
export interface Ground {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly stores: Stores;
  readonly clock: Clock;
  /** What a command changes, or shows of a person, it puts on record by this. */
  readonly audit: ReturnType<typeof auditOf>;
}

type Values<O extends Options> = {
  readonly [Name in keyof O]?:
    | (O[Name]['type'] extends 'boolean' ? boolean : O[Name]['multiple'] extends true ? string[] : string)
    | undefined;
};

/** One use of a subcommand. */
export interface Call<O extends Options> {
  readonly values: Values<O>;
  /** What stands on the command line without a name, where the subcommand takes it. */
  readonly argument: string;
  /** Opens the stores. Whoever asks has found nothing wrong with the command line. */
  open(): Promise<Ground>;
  /** Says something beside the answer. */
  say(line: string): void;
  /** Prints a line of JSON of its own, before the answer; resolves when there is room for another. */
  print(value: unknown): Promise<void>;
}

export interface Answer {
  /** What `--json` prints. Undefined where everything was printed already. */
  readonly json: unknown;
  /** What people read. */
  readonly lines: readonly string[];
  /** Part of what was asked for was refused. */
  readonly refusedInPart?: boolean;
}

export interface Subcommand<O extends Options = Options> {
  readonly summary: string;
  /** More about it, for its help. */
  readonly about?: readonly string[];
  /** The name of the argument that it takes, such as ID. */
  readonly argument?: string;
  readonly options: O;
  run(call: Call<O>): Promise<Answer>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly subcommands: Readonly<Record<string, Subcommand>>;
}

/** Checks a subcommand against its own options, whose names its `run` then knows. */
export const subcommand = <const O extends Options>(one: Subcommand<O>): Subcommand => one;

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const EVERYWHERE = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

/** Runs the command that was typed, and leaves its exit code to the process. */
export async function runCommand(command: Command): Promise<void> {
  // Who reads the output has heard enough, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  let ground: Ground | undefined;
  const open = async () => {
    ground ??= await openGround();
    return ground;
  };
  try {
    process.exitCode = await answer(command, process.argv.slice(2), open);
  } catch (error) {
    process.exitCode = error instanceof Misuse ? 2 : error instanceof Refused ? 3 : 1;
    console.error(told(error));
    if (error instanceof Misuse) console.error(`${usageOf(command, process.argv[2])} --help says how it is used.`);
  } finally {
    await ground?.stores.close();
  }
}

async function answer(command: Command, args: readonly string[], open: () => Promise<Ground>): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') return tell([commandHelp(command)]);
  const { subcommands } = command;
  const chosen = name !== undefined && Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (name === undefined || chosen === undefined) {
    throw new Misuse(`${name === undefined ? 'A subcommand is missing' : `There is no subcommand ${name}`}.`);
  }
  const { json: asJson, help, given, positionals } = parse(chosen, rest);
  if (help) return tell([subcommandHelp(command.name, name, chosen)]);
  if (positionals.length !== (chosen.argument === undefined ? 0 : 1)) {
    throw new Misuse(`${name} takes ${chosen.argument === undefined ? 'options only' : `one ${chosen.argument}`}.`);
  }
  const say = (line: string) => console.error(printable(line));
  const { json, lines, refusedInPart } = await chosen.run({
    values: given,
    argument: positionals[0] ?? '',
    open,
    say,
    print,
  });
  if (json === undefined) return 0;
  tell(asJson ? [escaped(JSON.stringify(json, undefined, 2))] : lines.map(printable));
  return refusedInPart ? 3 : 0;
}

function parse({ options }: Subcommand, args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, ...EVERYWHERE },
      allowPositionals: true,
    });
    const { json = false, help = false, ...given } = values;
    // parseArgs has just held the values to these options; which is which is lost with the options' names.
    return { json, help, given: given as Values<Options>, positionals };
  } catch (error) {
    throw new Misuse(wordsOf(error));
  }
}

/** What to type before `--help` to hear more. */
const usageOf = ({ name, subcommands }: Command, typed: string | undefined): string =>
  typed !== undefined && Object.hasOwn(subcommands, typed) ? `scripts/${name} ${typed}` : `scripts/${name}`;

async function openGround(): Promise<Ground> {
  const config = loadConfig(process.env, ROOT);
  const secrets = secretsOf(config);
  // A connection that is lost shows in the operation that needs it.
  const stores = await openStores(config, () => undefined);
  const actor = { kind: 'command', id: whoTyped() } as const;
  const audit = auditOf(secrets, stores, systemClock, () => ({ actor }));
  return { config, secrets, stores, clock: systemClock, audit };
}

/** The name that the operating system has for who typed the command; in a container there may be none. */
function whoTyped(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

async function print(value: unknown): Promise<void> {
  if (!process.stdout.write(`${escaped(JSON.stringify(value))}\n`)) await once(process.stdout, 'drain');
}

function tell(lines: readonly string[]): number {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** What its reader can mend, in words; all else is a bug and shows where. */
function told(error: unknown): unknown {
  if (error instanceof Unavailable) return `The store does not answer (${error.dependency}: ${wordsOf(error.cause)}).`;
  const inWords = [Misuse, Refused, ConfigFault, StartFault].some((kind) => error instanceof kind);
  return inWords ? printable(wordsOf(error)) : error;
}

/** JSON says the same with escapes. */
const escaped = (json: string): string =>
  json.replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Names come from outside: none may move the cursor or turn the text around. */
const printable = (text: string): string => text.replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd');
