import type { Membership } from './membership.ts';

/** Whether a membership has ended so long ago that its time of grace is over. `today` is a date, YYYY-MM-DD. */
export function hasEnded({ endsOn }: Pick<Membership, 'endsOn'>, today: string, graceDays: number): boolean {
  if (endsOn === undefined) return false;
  const last = new Date(`${endsOn}T00:00:00Z`);
  last.setUTCDate(last.getUTCDate() + graceDays);
  return last.toISOString().slice(0, 10) < today;
}
