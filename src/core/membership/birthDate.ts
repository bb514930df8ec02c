/** A date of birth from three typed numbers as YYYY-MM-DD; undefined where there is no such day, or nobody is that old. */
export function readBirthDate(year: string, month: string, day: string): string | undefined {
  const [y, m, d] = [year, month, day].map((part) => part.normalize('NFKC'));
  if (!/^(19|20)\d\d$/.test(y ?? '') || !/^\d{1,2}$/.test(m ?? '') || !/^\d{1,2}$/.test(d ?? '')) return undefined;
  const text = `${y}-${m?.padStart(2, '0')}-${d?.padStart(2, '0')}`;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : undefined;
}

/** Whole years from a date (YYYY-MM-DD) to a moment (milliseconds since 1970), by UTC; negative for a date to come. */
export function ageAt(birthDate: string, now: number): number {
  const today = new Date(now).toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years;
}
