import { ORDER, type Requirement } from '../journey/journey.ts';
import type { Refusal } from '../refusal.ts';
import { EVENTS, type EventName } from './memberEvents.ts';

/** What is done besides the steps of journeys and what members read in their activity. */
const OTHERS = [
  /** A form on one of a member's own pages, or of the console; the detail says which. */
  ...(['member-page', 'staff-page'] as const),
  ...(['session-expired', 'logout-not-delivered', 'tokens-issued', 'tokens-revoked'] as const),
  ...(['client-made', 'client-disabled', 'client-enabled', 'client-secret-made', 'initial-token-made'] as const),
  ...(['client-changed', 'client-deleted', 'client-secrets-ended', 'roles-set'] as const),
  ...(['member-made', 'member-shown', 'members-imported', 'roster-imported', 'letter-code-made'] as const),
  /** What our support desk does that its member does not read; the rest are member events. */
  ...([
    'member-searched',
    'member-viewed',
    'caller-check',
    'support-refused',
    /** The member has followed the link that the desk has sent. */
    'invitation-used',
  ] as const),
  ...(['keys-rotated', 'keys-withdrawn', 'keys-resealed', 'keys-scheduled'] as const),
  ...(['audit-verified', 'audit-exported'] as const),
  /** A rate that tells of an attack, or of somebody who looks around (`lockout/signals.ts`). */
  ...(['signal-stuffing', 'signal-spraying', 'signal-viewing'] as const),
] as const;

export type AuditAction = EventName | `step.${Requirement}` | (typeof OTHERS)[number];

/** Everything that is put on record. */
export const ACTIONS: readonly AuditAction[] = [...ORDER.map((step) => `step.${step}` as const), ...EVENTS, ...OTHERS];

/** `done`, why it was refused, or that it did not work. */
type AuditOutcome = 'done' | 'failed' | Refusal;

/** Who did it. A member without an id is somebody at our pages who has shown nothing yet. */
export interface Actor {
  readonly kind: 'member' | 'staff' | 'client' | 'command' | 'system';
  readonly id?: string | undefined;
}

/** Whom or what it was done to. */
interface Subject {
  readonly kind: 'account' | 'client' | 'keys';
  readonly id: string;
}

/**
 * What is put on record, without what was typed: a name may be a password in the wrong field. HIPAA wants who did what
 * (45 CFR 164.312(b)), and no more of a person than that (164.502(b)).
 */
export interface AuditEntry {
  readonly action: AuditAction;
  /** `done` where it is not said. */
  readonly outcome?: AuditOutcome | undefined;
  /** The system itself where neither it nor the circumstances say. */
  readonly actor?: Actor | undefined;
  readonly subject?: Subject | undefined;
  /** The client id of the app that it was about. */
  readonly client?: string | undefined;
  /** As far as it says where, and not who. */
  readonly network?: string | undefined;
  /** What the browser calls itself. */
  readonly device?: string | undefined;
  readonly requestId?: string | undefined;
  /** In the words of who did it. */
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** An event in its chain. */
export interface AuditEvent extends AuditEntry {
  /** UTC, to the millisecond (RFC 3339). */
  readonly at: string;
  /** The process that has put it down, and its place among what that has put down, from 1. */
  readonly node: string;
  readonly sequence: number;
  /** SHA-256 of the event before, in hexadecimal, and of this one without it. */
  readonly previous: string;
  readonly hash: string;
}

/** Puts an event on record. */
export interface Audit {
  /** Resolves when it is stored; rejects with Unavailable. What must not happen without a record waits for it. */
  record(entry: AuditEntry): Promise<void>;
  /** The same for what nobody waits for: what comes within a moment is put down together, in one write. */
  recordSoon(entry: AuditEntry): Promise<void>;
}

const [LONGEST, LONGEST_ID, LONGEST_DETAIL, MOST_DETAILS] = [1_000, 200, 200, 20];

/** The entry as it is stored: texts that every store gives back as they were, none so long that it keeps others out. */
export function tidied(entry: AuditEntry): AuditEntry & Required<Pick<AuditEntry, 'actor' | 'outcome'>> {
  const { action, outcome = 'done', actor = { kind: 'system' }, subject, detail } = entry;
  return {
    ...{ action, outcome },
    actor: { kind: actor.kind, id: cut(actor.id, LONGEST_ID) },
    subject: subject && { kind: subject.kind, id: cut(subject.id, LONGEST_ID) },
    client: cut(entry.client, LONGEST_ID),
    network: cut(entry.network, LONGEST_ID),
    device: cut(entry.device, LONGEST_ID),
    requestId: cut(entry.requestId, LONGEST_ID),
    reason: cut(entry.reason, LONGEST),
    detail: detail && tidiedDetail(detail),
  };
}

const tidiedDetail = (detail: NonNullable<AuditEntry['detail']>): NonNullable<AuditEntry['detail']> =>
  Object.fromEntries(
    Object.entries(detail)
      .slice(0, MOST_DETAILS)
      .map(([name, value]) => [
        cut(name, LONGEST_DETAIL),
        typeof value === 'boolean' || Number.isFinite(value) ? value : cut(String(value), LONGEST_DETAIL),
      ]),
  );

/** Half a surrogate pair has no UTF-8 (The Unicode Standard, 3.9): a store would give back something else. */
function cut<Text extends string | undefined>(text: Text, most: number): Text {
  if (text === undefined || text.length <= most) return text?.toWellFormed() as Text;
  return `${text.slice(0, most).toWellFormed()}… (cut from ${text.length} characters)` as Text;
}
