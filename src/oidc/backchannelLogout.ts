import type { Client, Provider } from 'oidc-provider';
import { type ClientDirectory, findMetadata } from '../core/client/client.ts';
import type { Clock } from '../core/clock.ts';
import type { Schedule, ScheduledItem } from '../core/storage/schedule.ts';
import type { SessionEnd } from './adapter.ts';

/** The list of logout tokens that apps still have to get. */
const LOGOUTS = 'backchannel-logouts';

interface Delivery {
  readonly clientId: string;
  readonly accountId: string;
  readonly sid: string;
  readonly tries: number;
}

const SECOND = 1_000;
/** An app that does not answer is tried again after these times; then it has missed it. */
const AGAIN_AFTER = [5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600].map((seconds) => seconds * SECOND);
const AT_ONCE = 50;
const LEASE_MS = 60 * SECOND;

interface DeliveryLog {
  delivered(clientId: string): void;
  failed(clientId: string, tries: number, error: Error): void;
}

export interface BackchannelLogoutDependencies {
  readonly provider: () => Provider;
  readonly clients: ClientDirectory;
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly log: DeliveryLog;
}

/**
 * Tells apps that a session has ended (OpenID Connect Back-Channel Logout 1.0): off the request's path, with retries, by
 * whichever process comes first.
 */
export function backchannelLogout({ provider, clients, schedule, clock, log }: BackchannelLogoutDependencies) {
  const put = (id: string, delivery: Delivery, wait: number) => schedule.put(LOGOUTS, id, clock.now() + wait, delivery);

  const tellOne = (clientId: string, accountId: string, sid: string): Promise<void> =>
    // What is told of a session twice, because its end was cut off, is one message.
    put(`${clientId}:${sid}`, { clientId, accountId, sid, tries: 0 }, 0);

  /** Tries once. An app that did not take it is tried again later, or was tried often enough. */
  const deliverOne = async (item: ScheduledItem): Promise<void> => {
    const delivery = item.value as Delivery;
    const tries = delivery.tries + 1;
    try {
      const client = await provider().Client.find(delivery.clientId);
      if (client?.backchannelLogoutUri !== undefined) await send(client, delivery.accountId, delivery.sid);
      log.delivered(delivery.clientId);
    } catch (error) {
      const wait = AGAIN_AFTER[delivery.tries];
      log.failed(delivery.clientId, tries, error as Error);
      if (wait !== undefined) return put(item.id, { ...delivery, tries }, wait);
    }
    return schedule.done(LOGOUTS, item);
  };

  return {
    tellOne,

    /** Every app that a session was used for. */
    async tell(accountId: string, authorizations: SessionEnd['authorizations']): Promise<void> {
      for (const [clientId, { sid }] of Object.entries(authorizations)) {
        const metadata = sid === undefined ? undefined : await findMetadata(clients, clientId);
        if (sid !== undefined && metadata?.backchannel_logout_uri !== undefined)
          await tellOne(clientId, accountId, sid);
      }
    },

    /** Sends what is due. */
    async deliver(stopping?: AbortSignal): Promise<void> {
      let due: ScheduledItem[];
      do {
        due = await schedule.take(LOGOUTS, AT_ONCE, LEASE_MS);
        await Promise.all(due.map(deliverOne));
      } while (due.length === AT_ONCE && !stopping?.aborted);
    },
  };
}

export type BackchannelLogout = ReturnType<typeof backchannelLogout>;

/** oidc-provider's own way to send a logout token, which it would await inside the sign-out. */
type Sender = (this: Client, accountId: string, sid: string) => Promise<void>;
const senders = new WeakMap<object, Sender>();

/** Sign-out puts the tokens down instead of sending them. */
export function deferLogoutTokens(provider: Provider, logout: Pick<BackchannelLogout, 'tellOne'>): void {
  // The types do not know a class's prototype as what it is.
  const prototype = provider.Client.prototype as Client;
  senders.set(prototype, prototype.backchannelLogout as Sender);
  prototype.backchannelLogout = function backchannelLogoutLater(accountId: string, sid: string) {
    return logout.tellOne(this.clientId, accountId, sid);
  };
}

function send(client: Client, accountId: string, sid: string): Promise<void> {
  const sender = senders.get(Object.getPrototypeOf(client));
  if (sender === undefined) throw new Error('a client of no provider of ours');
  return sender.call(client, accountId, sid);
}
