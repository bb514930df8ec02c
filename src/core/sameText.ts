import { timingSafeEqual } from 'node:crypto';

/** Compares a secret text with a given one without telling by time where they differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
