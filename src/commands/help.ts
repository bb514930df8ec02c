import type { Command, Subcommand } from './run.ts';

/** An option of a subcommand, with what its help says. */
interface Option {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** What stands for the value, such as URI. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

const EVERYWHERE = { json: 'print one JSON document and nothing else', help: 'print this' };

const CLOSING = `It reads the settings of the provider from the environment, and works on the provider's stores, also while it runs.
Answers go to the output, everything else to the error stream.
Exit codes: 0 done; 1 the settings or the stores are not usable; 2 wrong usage;
            3 what was asked for does not exist or is refused.`;

/** What `scripts/NAME --help` prints. */
export function commandHelp({ name, summary, subcommands }: Command): string {
  const rows = Object.entries(subcommands).map(([title, one]) => [usage(title, one), one.summary]);
  return [
    `Usage: scripts/${name} SUBCOMMAND [options]`,
    summary,
    columns(rows)
      .map((row) => `  ${row}`)
      .join('\n'),
    'Every subcommand takes --json and --help.',
    CLOSING,
  ].join('\n\n');
}

/** What `scripts/NAME SUBCOMMAND --help` prints. */
export function subcommandHelp(name: string, title: string, one: Subcommand): string {
  const rows = Object.entries(one.options).map(([option, { value, help, multiple }]) => [
    `--${option}${value === undefined ? '' : ` ${value}`}`,
    multiple ? `${help}; may stand several times` : help,
  ]);
  const all = [...rows, ...Object.entries(EVERYWHERE).map(([option, help]) => [`--${option}`, help])];
  return [
    `Usage: scripts/${name} ${usage(title, one)} [options]`,
    [one.summary, ...(one.about ?? [])].join('\n'),
    columns(all)
      .map((row) => `  ${row}`)
      .join('\n'),
    CLOSING,
  ].join('\n\n');
}

const usage = (title: string, { argument }: Subcommand): string =>
  argument === undefined ? title : `${title} ${argument}`;

/** Rows of text with their columns in line. */
export function columns(given: readonly (readonly string[])[]): string[] {
  // A name with a line break in it is still one cell.
  const rows = given.map((row) => row.map((cell) => cell.replace(/[\r\n]+/g, ' ')));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A time as people and programs read it, in UTC (RFC 3339). */
export const timeOf = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
