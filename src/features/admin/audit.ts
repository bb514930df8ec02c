import { ACTIONS, type AuditEvent } from '../../core/audit/event.ts';
import type { AuditFilter } from '../../core/audit/history.ts';
import type { StaffPage } from '../../http/staffDoor.ts';

export interface AuditDependencies {
  readonly history: {
    find(
      filter: AuditFilter,
      page: { readonly after?: string; readonly limit: number },
    ): Promise<{ readonly events: readonly AuditEvent[]; readonly more: string | undefined }>;
  };
  /** The id of the account that somebody signs in to by this name. */
  readonly idOf: (name: string) => Promise<string | undefined>;
  readonly nameOf: (id: string) => Promise<string>;
}

const ON_A_PAGE = 50;
const DAY_MS = 86_400_000;

/** A day of the calendar (UTC, as the record is), in milliseconds since 1970. */
const dayIn = (text: string): number | undefined => {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

/** What is on record, the newest first, as far as it fits. Looking at it is put on record as well. */
export const auditPage = ({ history, idOf, nameOf }: AuditDependencies): StaffPage => ({
  path: '/audit',
  view: 'admin/audit',
  may: 'audit.read',
  async show(_, ctx) {
    const asked = Object.fromEntries(
      ['from', 'to', 'actor', 'subject', 'action', 'after'].map((name) => [
        name,
        [ctx.query[name] ?? ''].flat().join('').trim().slice(0, 200),
      ]),
    ) as Record<'from' | 'to' | 'actor' | 'subject' | 'action' | 'after', string>;
    // A name that people sign in with, or an id as it is.
    const who = async (typed: string) => (typed === '' ? undefined : ((await idOf(typed)) ?? typed));
    const to = dayIn(asked.to);
    const filter: AuditFilter = {
      from: dayIn(asked.from),
      to: to === undefined ? undefined : to + DAY_MS,
      ...{ actor: await who(asked.actor), subject: await who(asked.subject) },
      action: ACTIONS.find((action) => action === asked.action),
    };
    const { events, more } = await history.find(filter, { after: asked.after, limit: ON_A_PAGE });
    const shown = events.map(async (event) => ({
      ...event,
      who: event.actor?.id === undefined ? '' : await nameOf(event.actor.id),
      whom: event.subject === undefined ? '' : await nameOf(event.subject.id),
    }));
    const next = more && `?${new URLSearchParams({ ...asked, after: more })}`;
    return { asked, events: await Promise.all(shown), next, actions: ACTIONS };
  },
});
