import { type Collection, change } from '../storage/collection.ts';

/** What was opened at this time or before is over, whoever opened it: sessions, and all that apps were granted. Seconds since 1970. */
export interface Ending {
  readonly before: number;
}

const EVERYBODY = 'everybody';

/** Ends all that is open, by one write; a clock that was set back takes none of it back. */
export async function endAll(endings: Collection<Ending>, now: number): Promise<void> {
  const later = ({ before }: Ending) => (before < now ? { before: now } : undefined);
  if ((await change(endings, EVERYBODY, later)) !== undefined) return;
  if ((await endings.insert(EVERYBODY, { before: now })) !== 'inserted') await endAll(endings, now);
}

/** How long until a process that runs has heard of it, in milliseconds. */
export const HEARS_WITHIN = 5_000;

/** What this process knows of it. While the store does not answer, it goes on with what it knew. */
export function endings(stored: Collection<Ending>) {
  let before = Number.NEGATIVE_INFINITY;
  return {
    async load(): Promise<void> {
      before = (await stored.find(EVERYBODY))?.value.before ?? before;
    },
    /** Whether what began then, in seconds since 1970, is over. */
    areOver: (began: number): boolean => began <= before,
  };
}
