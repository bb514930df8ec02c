import type { Clock } from '../clock.ts';
import type { Collection } from '../storage/collection.ts';
import { timeKey } from '../storage/newestFirst.ts';
import type { Actor, Audit } from './event.ts';
import type { EventName } from './memberEvents.ts';

export interface TrailEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: EventName;
  /** The client id of the app that it was about, or that was signed in to. */
  readonly app?: string | undefined;
  /** What the browser calls itself; empty where it says nothing. */
  readonly agent?: string | undefined;
}

/** Who did something to an account, and why, where that was not its owner. */
export interface DoneBy {
  readonly actor?: Actor;
  readonly reason?: string | undefined;
}

/** An event in the store, and the account that it happened to. */
export interface TrailRecord extends TrailEvent {
  readonly accountId: string;
}

/** What nobody has to be signed in for, or was found out by us. */
const BY_NOBODY: readonly EventName[] = [
  ...(['registration-attempt', 'locked', 'late-success', 'closed'] as const),
  ...(['recovery-started', 'recovery-ready', 'recovery-stopped'] as const),
];

const prefixOf = (accountId: string): string => `${accountId}/`;

/** What happened to each account, for its owner to read, and for the audit. */
export function trail(records: Collection<TrailRecord>, clock: Clock, newId: () => string, audit: Audit) {
  return {
    /** `by`: who did it, where that is not the owner, and why. */
    async record(accountId: string, event: Omit<TrailEvent, 'at'>, { actor: by, reason }: DoneBy = {}): Promise<void> {
      const at = clock.now();
      const owner = BY_NOBODY.includes(event.what) ? undefined : ({ kind: 'member', id: accountId } as const);
      await Promise.all([
        audit.record({
          ...{ action: event.what, actor: by ?? owner, subject: { kind: 'account', id: accountId } },
          ...{ client: event.app, device: event.agent, reason },
        }),
        records.insert(`${prefixOf(accountId)}${timeKey(at)}-${newId()}`, { ...event, accountId, at }),
      ]);
    },

    /** Removes what happened to an account before a time. */
    async forget(accountId: string, before: number): Promise<void> {
      const prefix = prefixOf(accountId);
      for (;;) {
        const found = await records.all(`${prefix}${timeKey(before)}~`, 500);
        const old = found.filter(({ id }) => id.startsWith(prefix));
        for (const { id, version } of old) await records.remove(id, version);
        if (old.length < 500) return;
      }
    },

    /** The newest first, after this one; `more` is what to go on after, where there are more. */
    async of(
      accountId: string,
      { after, limit }: { readonly after?: string | undefined; readonly limit: number },
    ): Promise<{ readonly events: TrailEvent[]; readonly more: string | undefined }> {
      const prefix = prefixOf(accountId);
      const from = after !== undefined && /^[\w-]{1,60}$/.test(after) ? prefix + after : prefix;
      const found = (await records.all(from, limit + 1)).filter(({ id }) => id.startsWith(prefix));
      const events = found.slice(0, limit);
      const more = found.length > limit ? events.at(-1)?.id.slice(prefix.length) : undefined;
      return { events: events.map(({ value }) => value), more };
    },
  };
}

export type Trail = ReturnType<typeof trail>;
