import type { Clock } from '../clock.ts';
import type { Stored } from '../storage/collection.ts';
import type { ClientDirectory, ClientRecord } from './client.ts';

/** A client that was disabled or changed is seen as such after this time, on every node. */
const HOLDS_MS = 5_000;
/** From this age on it is read again beside the request that asks. */
const AHEAD_MS = 2_500;
/** While the store does not answer, the last copy serves this long. */
const STALE_MS = 10 * 60_000;
/** Of names that nobody registered, as many are remembered. */
const MOST = 2_000;

interface Copy {
  readonly client: Stored<ClientRecord> | undefined;
  readonly readAt: number;
}

/**
 * The clients, read from the store at most once in five seconds each, so that no token request waits for it. What is
 * disabled opens nothing.
 */
export function clientDirectory(clients: Pick<ClientDirectory, 'find'>, clock: Clock): ClientDirectory {
  const copies = new Map<string, Copy>();
  const reading = new Map<string, Promise<Copy>>();

  const read = (id: string): Promise<Copy> => {
    const running = reading.get(id);
    if (running !== undefined) return running;
    const readAt = clock.now();
    const fresh = clients
      .find(id)
      .then((client) => keep(id, { client, readAt }))
      .finally(() => reading.delete(id));
    reading.set(id, fresh);
    return fresh;
  };

  const keep = (id: string, copy: Copy): Copy => {
    copies.delete(id);
    copies.set(id, copy);
    const [oldest] = copies.keys();
    if (copies.size > MOST && oldest !== undefined) copies.delete(oldest);
    return copy;
  };

  const find = async (id: string): Promise<Copy> => {
    const copy = copies.get(id);
    const age = copy === undefined ? Number.POSITIVE_INFINITY : clock.now() - copy.readAt;
    // A clock that was set back says nothing about the age.
    if (copy === undefined || age >= HOLDS_MS || age < 0) {
      return read(id).catch((error) => {
        if (copy !== undefined && age < STALE_MS) return copy;
        throw error;
      });
    }
    if (age >= AHEAD_MS) read(id).catch(() => undefined);
    return copy;
  };

  return {
    forget: (id) => void copies.delete(id),
    async find(id) {
      const { client } = await find(id);
      return client?.value.disabled ? undefined : client;
    },
  };
}
