import { percentile, type Result } from './rounds.ts';

export type Row = readonly string[];

/** A table in Markdown. */
export const table = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** Two or three figures that matter. */
export const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export const HEAD: Row = [
  ...['operation', 'requests a second', 'bare', 'p50, ms', 'bare', 'p99, ms', 'bare'],
  ...['CPU a request, ms', 'bare', 'CPU to bare', 'bare to bare', 'CPU of the servers, ms', 'bare'],
];

const cpu = ({ times, processor }: Result, less = 0): number => (processor - less) / times.length;

/** One operation: ours, bare, and bare once more. `less`: processor time of ours that does not count. */
export function row(title: string, ours: Result, bare: Result, again: Result, less = 0): Row {
  const both = (of: (result: Result) => number) => [ours, bare].map((result) => figure(of(result)));
  return [
    title,
    ...both(({ times, seconds }) => times.length / seconds),
    ...both(({ times }) => percentile(times, 50)),
    ...both(({ times }) => percentile(times, 99)),
    ...[cpu(ours, less), cpu(bare)].map(figure),
    ...[cpu(ours, less) / cpu(bare), cpu(again) / cpu(bare)].map(figure),
    ...both(({ times, servers }) => servers / times.length),
  ];
}
