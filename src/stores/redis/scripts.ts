import { Unavailable } from '../../core/storage/unavailable.ts';
import type { RedisConnection } from './connect.ts';

/** A server keeps a record this much longer than we do; that only costs memory. */
export const GARBAGE_AFTER_MS = 3_600_000;

export type ScriptCommand<Answer> = (key: string, ...args: (string | number)[]) => Promise<Answer>;

/** The connection with these scripts as commands. Its keys share a hash tag, so that they work on a Cluster. */
export function withScripts<Names extends string, Answer>(
  redis: RedisConnection,
  scripts: Readonly<Record<Names, string>>,
  numberOfKeys = 1,
): RedisConnection & Record<Names, ScriptCommand<Answer>> {
  for (const [name, lua] of Object.entries<string>(scripts)) redis.defineCommand(name, { numberOfKeys, lua });
  // defineCommand adds the methods at run time; the type says so here.
  return redis as RedisConnection & Record<Names, ScriptCommand<Answer>>;
}

/** Asks the server. Every failure of it leaves as Unavailable. */
export async function askRedis<Answer>(command: () => Promise<Answer>): Promise<Answer> {
  try {
    return await command();
  } catch (error) {
    throw new Unavailable('redis', error);
  }
}
