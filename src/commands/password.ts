import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Misuse } from './run.ts';

/**
 * A password from the standard input, never from the command line, where others could read it: typed unseen and twice at
 * a terminal, else everything that comes without the newline at its end.
 */
export async function readPassword(alwaysFromPipe: boolean): Promise<string> {
  const typed = process.stdin.isTTY && !alwaysFromPipe;
  const password = typed ? await typedUnseen('Password: ') : (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw new Misuse('No password was given: type it, or send it to the standard input.');
  if (typed && (await typedUnseen('The same again: ')) !== password) throw new Misuse('The two passwords differ.');
  return password;
}

async function typedUnseen(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
