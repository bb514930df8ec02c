import { createHash } from 'node:crypto';

/** JSON in the one form that RFC 8785 gives to a value: two that are equal have one digest. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

/** SHA-256, in hexadecimal. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
