import type { Clock } from '../core/clock.ts';
import type { Carrier, Message } from '../core/messages/message.ts';
import type { Expiring } from '../core/storage/expiring.ts';

export interface InboxEntry {
  readonly channel: Message['channel'];
  readonly to: string;
  /** Null for what has none. */
  readonly subject: string | null;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}

const SET = 'development-inbox';
const DAY_MS = 86_400_000;
const MOST = 200;

/** What was sent on a developer's machine, for a day; every process sees the same. */
export function developmentInbox(expiring: Expiring, clock: Clock) {
  let last = 0;
  const keep = async ({ channel, to, subject, text }: Message) => {
    const now = clock.now();
    // Two of one millisecond keep their order.
    last = Math.max(last + 1, now * 1000);
    const key = `${SET}:${last}:${process.pid}`;
    const entry: InboxEntry = { channel, to, subject: subject ?? null, text, at: new Date(now).toISOString() };
    await expiring.put(key, entry, now + DAY_MS);
    await expiring.join(SET, key, now + DAY_MS);
  };
  return {
    /** Keeps each message, and hands it on where there is a provider besides. */
    carrier: (next?: Carrier): Carrier => ({
      async send(id, message) {
        await next?.send(id, message);
        await keep(message);
      },
    }),

    /** The newest first. */
    async list(): Promise<InboxEntry[]> {
      const order = (key: string) => Number(key.split(':')[1]);
      const keys = (await expiring.members(SET)).toSorted((a, b) => order(b) - order(a)).slice(0, MOST);
      const entries = await Promise.all(keys.map((key) => expiring.get(key)));
      return entries.flatMap((entry) => (entry === undefined ? [] : [entry.value as InboxEntry]));
    },
  };
}
