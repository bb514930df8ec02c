/**
 * What is to be done at a time, by whichever process comes first. Every item is handed out at least once: a process that
 * dies over an item loses it to the next when its lease has run out.
 */
export interface Schedule {
  /** Puts an item down for a time (milliseconds since 1970), or moves the one with this id and changes its value. */
  put(list: string, id: string, due: number, value: object): Promise<void>;

  /** Up to `most` items that are due, earliest first. Nobody else gets them for `lease` milliseconds. */
  take(list: string, most: number, lease: number): Promise<ScheduledItem[]>;

  /** Forgets an item that was done; but not one that was put down anew since it was taken. */
  done(list: string, item: ScheduledItem): Promise<void>;

  /** Forgets an item whatever its time. */
  remove(list: string, id: string): Promise<void>;
}

export interface ScheduledItem {
  readonly id: string;
  readonly value: object;
  /** Until when it is ours. */
  readonly leasedUntil: number;
}

/**
 * Does what is due on a list, one after the other, `most` at a time. One that fails comes again when its lease (milliseconds) is
 * over, and holds up no other; when all have had their turn, this rejects with the last failure. What `work` puts down anew stays.
 */
export async function workOff(
  schedule: Schedule,
  list: string,
  { most, lease }: { readonly most: number; readonly lease: number },
  work: (item: ScheduledItem) => Promise<void>,
): Promise<void> {
  let due: ScheduledItem[];
  let failure: unknown;
  do {
    due = await schedule.take(list, most, lease);
    for (const item of due) {
      try {
        await work(item);
        await schedule.done(list, item);
      } catch (error) {
        failure = error;
      }
    }
  } while (due.length === most);
  if (failure !== undefined) throw failure;
}
