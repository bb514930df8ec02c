import type { Clock } from '../clock.ts';
import type { Seal } from '../seal.ts';
import type { Schedule, ScheduledItem } from '../storage/schedule.ts';
import { type Carrier, type Channel, GaveUp, type Message, type Outbox, type Sent } from './message.ts';

/** One list a channel, so that a provider that hangs holds up none of the others. */
const LISTS: Readonly<Record<Channel, string>> = {
  email: 'messages:email',
  sms: 'messages:sms',
  voice: 'messages:voice',
  letter: 'messages:letter',
};
const SECOND = 1_000;
/** A provider that does not take a message is tried again after these times, and then each half hour for three days. */
const AGAIN_AFTER = [5, 30, 120, 600].map((seconds) => seconds * SECOND);
const THEN_EVERY = 1_800 * SECOND;
const LONGEST = 3 * 86_400 * SECOND;
const AT_ONCE = 20;
const LEASE_MS = 60 * SECOND;

interface Waiting {
  readonly sealed: string;
  readonly tries: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface OutboxDependencies {
  readonly schedule: Schedule;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly carriers: ReadonlyMap<Channel, Carrier>;
  readonly newId: () => string;
  /** Hears how each try ended; neither address nor text is told. */
  readonly log: (
    event: { readonly id: string; readonly channel: Channel; readonly tries: number; readonly outcome: Sent },
    error?: Error,
  ) => void;
  /** Hears of a message that its provider will never take. */
  readonly onGaveUp: (message: Message) => Promise<void>;
}

/**
 * Messages on their way. They are sealed at rest, sent off the request's path by whichever process comes first, and tried
 * again until their provider takes them: at least once, and more often only where a process died between sending a message
 * and marking it.
 */
export function outbox({ schedule, seal, clock, carriers, newId, log, onGaveUp }: OutboxDependencies) {
  const down = new Set<Channel>();

  const send = async (list: string, item: ScheduledItem): Promise<void> => {
    const { sealed, tries: before, until } = item.value as Waiting;
    const message: Message = JSON.parse(seal.open(sealed, item.id));
    const tries = before + 1;
    const tell = (outcome: Sent, error?: Error) =>
      log({ id: item.id, channel: message.channel, tries, outcome }, error);
    const carrier = carriers.get(message.channel);
    if (clock.now() >= until || carrier === undefined) {
      tell('too-late');
      return schedule.done(list, item);
    }
    try {
      await carrier.send(item.id, message);
      down.delete(message.channel);
      tell('sent');
    } catch (error) {
      const gaveUp = error instanceof GaveUp;
      tell(gaveUp ? 'gave-up' : 'again', error as Error);
      if (gaveUp) await onGaveUp(message);
      else {
        down.add(message.channel);
        return schedule.put(list, item.id, clock.now() + (AGAIN_AFTER[before] ?? THEN_EVERY), { sealed, tries, until });
      }
    }
    return schedule.done(list, item);
  };

  return {
    async put(message, { until, from = clock.now() } = {}) {
      const id = newId();
      const sealed = seal.seal(JSON.stringify(message), id);
      const waiting: Waiting = { sealed, tries: 0, until: until ?? from + LONGEST };
      await schedule.put(LISTS[message.channel], id, from, waiting);
      return id;
    },

    async withdraw(id) {
      await Promise.all(Object.values(LISTS).map((list) => schedule.remove(list, id)));
    },

    /** Sends what is due on a channel. Each has its own turn: one whose provider hangs holds up none of the others. */
    async deliver(channel: Channel, stopping?: AbortSignal): Promise<void> {
      const list = LISTS[channel];
      let due: ScheduledItem[];
      do {
        due = await schedule.take(list, AT_ONCE, LEASE_MS);
        // One that cannot be read comes again when its lease is over, and holds up no other.
        await Promise.allSettled(due.map((item) => send(list, item)));
      } while (due.length === AT_ONCE && !stopping?.aborted);
    },

    /** Whether the last tries on each channel went well. */
    isUp: (): boolean => down.size === 0,
  } satisfies Outbox & { deliver(channel: Channel, stopping?: AbortSignal): Promise<void>; isUp(): boolean };
}
