/** How a message travels. A voice message is read out by a machine; a letter is printed where the plan prints its letters. */
export const CHANNELS = ['email', 'sms', 'voice', 'letter'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How one try to hand a message to its provider ends. */
export const SENT = ['sent', 'again', 'gave-up', 'too-late'] as const;

export type Sent = (typeof SENT)[number];

/** One message to one person, in words. */
export interface Message {
  readonly channel: Channel;
  /** An email address, or a number in E.164; for a letter a member number, whose address the plan knows. */
  readonly to: string;
  /** Email and letters only. */
  readonly subject?: string;
  readonly text: string;
  /** Email only: the same words as `text`. */
  readonly html?: string;
  /** Email only: what `html` shows as `cid:logo` (RFC 2392). Nothing is fetched from anywhere when it is read. */
  readonly logo?: { readonly type: string; readonly base64: string };
  /** BCP 47; a machine that reads aloud needs it. */
  readonly locale: string;
  /** The account that it is about, where it is. */
  readonly accountId?: string;
}

/** Brings a message to one provider. Rejects when the provider did not take it; `GaveUp` when trying again is no use. */
export interface Carrier {
  /** `id` is the same at each try, so that a repeat can be told (Message-ID, RFC 5322 3.6.4; idempotency key). */
  send(id: string, message: Message): Promise<void>;
}

/** The provider says that this message will never be taken: a number that does not exist, an address that is none. */
export class GaveUp extends Error {
  override name = 'GaveUp';
}

/** Where messages are put down to be sent, off the request's path. */
export interface Outbox {
  /**
   * Puts a message down; from then on it is not lost. Returns its id. Times are in milliseconds since 1970: after `until` it
   * is of no use, as a code that has expired, and is dropped; before `from` it is not sent.
   */
  put(message: Message, times?: { readonly until?: number | undefined; readonly from?: number }): Promise<string>;

  /** Takes back a message that was not sent yet. */
  withdraw(id: string): Promise<void>;
}
