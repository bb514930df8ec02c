import type { Reading } from '../adapters/rosterSource.ts';

const WIDTH = 30;
/** Milliseconds between two pictures of the bar. */
const EVERY = 200;

const count = (number: number): string => Math.round(number).toLocaleString('en-US');

/** A bar on the error stream that shows how far the reading of a file is; nothing where no person watches. */
export function progressBar(titles: readonly string[]) {
  const watched = process.stderr.isTTY;
  let began = performance.now();
  let shown = { pass: 0, at: 0 };
  return {
    show({ pass, lines, read, size }: Reading): void {
      const now = performance.now();
      if (pass !== shown.pass) began = now;
      if (!watched || (pass === shown.pass && now - shown.at < EVERY && read < size)) return;
      shown = { pass, at: now };
      const part = size === 0 ? 1 : read / size;
      const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '-');
      const rate = now === began ? '' : `, ${count((lines * 1_000) / (now - began))} a second`;
      const title = titles[pass - 1] ?? '';
      process.stderr.write(`\r\u001b[2K${title} [${bar}] ${Math.floor(part * 100)} %  ${count(lines)} rows${rate}`);
    },
    /** Makes room for a line; the bar comes back by itself. */
    clear(): void {
      if (watched) process.stderr.write('\r\u001b[2K');
    },
  };
}
