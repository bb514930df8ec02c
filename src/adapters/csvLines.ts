/** One line of a file: its text, or why it is none. `number` counts from 1. */
export type Line = { readonly number: number } & ({ readonly text: string } | { readonly fault: string });

/** Bytes; a membership has some 200. */
const LONGEST_LINE = 8_192;

const NEWLINE = 0x0a;

/**
 * The lines of a file of UTF-8 text, in batches as they come, in bounded memory whatever the file holds. Each line is
 * decoded by itself, so that wrong bytes spoil no other. A byte order mark before the first is left out; empty lines are
 * counted and not told.
 */
export async function* csvLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  const lines = lineDecoder();
  for await (const chunk of bytes) {
    const batch: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      batch.push(...lines.end(chunk.subarray(start, end)));
      start = end + 1;
    }
    lines.keep(chunk.subarray(start));
    yield batch;
  }
  yield lines.end(new Uint8Array());
}

function lineDecoder() {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  let begun = Buffer.alloc(0);
  let isTooLong = false;

  /** The beginning of a line whose end is in the next chunk. */
  function keep(part: Uint8Array): void {
    isTooLong ||= begun.length + part.length > LONGEST_LINE;
    begun = isTooLong ? Buffer.alloc(0) : Buffer.concat([begun, part]);
  }

  function read(part: Uint8Array): { text: string } | { fault: string } {
    if (isTooLong || part.length > LONGEST_LINE) return { fault: `the line has more than ${LONGEST_LINE} bytes` };
    try {
      return { text: decoder.decode(part).replace(/\r$/, '') };
    } catch {
      return { fault: 'the line is not UTF-8' };
    }
  }

  return {
    keep,
    /** The line that ends with this part; none when it is empty. */
    end(part: Uint8Array): Line[] {
      if (begun.length > 0) keep(part);
      const line = read(begun.length > 0 ? begun : part);
      begun = Buffer.alloc(0);
      isTooLong = false;
      number += 1;
      if ('fault' in line) return [{ number, ...line }];
      const text = number === 1 ? line.text.replace(/^\ufeff/, '') : line.text;
      return text === '' ? [] : [{ number, text }];
    },
  };
}
