/** The chance that a time of `a` is longer than one of `b`: 0.5 when time tells nothing (Mann and Whitney). */
export function areaUnderCurve(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((time) => ({ time, of: 'a' })), ...b.map((time) => ({ time, of: 'b' }))].sort(
    (x, y) => x.time - y.time,
  );
  const ranks = all.reduce((sum, { of }, index) => (of === 'a' ? sum + index + 1 : sum), 0);
  return (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length);
}
