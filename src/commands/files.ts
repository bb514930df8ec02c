import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { wordsOf } from '../startFault.ts';
import { Misuse } from './run.ts';

/** Reads a file that the command line names. Throws Misuse when it is no JSON of this form. */
export function readJson<T>(path: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Misuse(`${path} cannot be read as JSON (${wordsOf(error)}).`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Misuse(`${path}: ${faultsOf(parsed.error)}.`);
}

/** Throws Misuse when it cannot be read. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Misuse(`${path} cannot be read (${wordsOf(error)}).`);
  }
}

/** Everything that is wrong with a value, in one line. */
export const faultsOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
