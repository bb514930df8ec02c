import type { Audit, AuditAction } from '../../core/audit/event.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import { hasNext, type KeyRing, rotationIn, stateOf } from '../../core/keys/keyRing.ts';
import { proven, refused } from '../../core/refusal.ts';
import { may } from '../../core/staff/roles.ts';
import type { Form } from '../../http/form.ts';
import { reasonIn } from '../../http/page.ts';
import type { StaffPage, StaffVisit } from '../../http/staffDoor.ts';
import { wordList } from '../../http/words.ts';
import { doneAt } from './done.ts';

export interface KeysDependencies {
  readonly clock: Clock;
  readonly audit: Audit;
  readonly keys: {
    list(): Promise<KeyRing>;
    rotate(): Promise<KeyRing>;
    rotateNow(): Promise<KeyRing>;
    rotationOf(ring: KeyRing): number;
    rotatesAt(ring: KeyRing): number | undefined;
    schedule(every: number | undefined): Promise<KeyRing>;
  };
}

const DAY = 86_400;

/** Which keys sign, which come next, which only verify any more, and when new ones come. */
export const keysPage = ({ keys, clock, audit }: KeysDependencies): StaffPage => {
  const put = (action: AuditAction, { account }: StaffVisit, form: Form, detail?: { readonly days: number }) =>
    audit.record({
      ...{ action, actor: { kind: 'staff', id: account.id }, subject: { kind: 'keys', id: 'signing-keys' } },
      ...{ reason: reasonIn(form), detail },
    });
  return {
    path: '/keys',
    view: 'admin/keys',
    may: 'keys.read',
    async show({ roles }, ctx, typed) {
      const ring = await keys.list();
      const now = seconds(clock);
      const known = ring.keys.map((key) => ({ ...key, state: stateOf(ring, key, now) }));
      const days = keys.rotationOf(ring) / DAY;
      return {
        keys: known.filter(({ state }) => state !== 'gone'),
        waits: hasNext(ring, now),
        breaks: wordList(ctx.state.locale, 'admin.keys.breaks'),
        mayRotate: may(roles, 'keys.rotate'),
        ...{ days, rotatesAt: keys.rotatesAt(ring), typedDays: typed?.get('days') ?? String(days) },
      };
    },
    actions: {
      rotate: {
        ...({ fresh: true, may: 'keys.rotate' } as const),
        async run(form, visit) {
          await keys.rotate();
          await put('keys-rotated', visit, form);
          return proven(doneAt('/admin/keys', 'keys-rotated'));
        },
      },
      schedule: {
        ...({ fresh: true, may: 'keys.rotate' } as const),
        async run(form, visit) {
          const every = rotationIn((form.get('days') ?? '').trim());
          if (every === undefined) return refused('schedule-malformed');
          await keys.schedule(every);
          await put('keys-scheduled', visit, form, { days: every / DAY });
          return proven(doneAt('/admin/keys', 'keys-scheduled'));
        },
        fieldOf: () => 'days',
      },
      withdraw: {
        ...({ fresh: true, may: 'keys.rotate', sure: () => true } as const),
        async run(form, visit) {
          await keys.rotateNow();
          await put('keys-withdrawn', visit, form);
          return proven(doneAt('/admin/keys', 'keys-withdrawn'));
        },
      },
    },
  };
};
