import { type Clock, seconds } from '../../core/clock.ts';
import { hasNext, type KeyRing, stateOf } from '../../core/keys/keyRing.ts';
import { proven } from '../../core/refusal.ts';
import { may } from '../../core/staff/roles.ts';
import { doneAt } from './done.ts';
import type { AdminPage } from './door.ts';

export interface KeysDependencies {
  readonly clock: Clock;
  readonly keys: { list(): Promise<KeyRing>; rotate(): Promise<KeyRing> };
  /** Days after which new keys come by themselves; 0 for never. */
  readonly rotateEveryDays: number;
}

/** Which keys sign, which come next, and which only verify any more. */
export const keysPage = ({ keys, clock, rotateEveryDays }: KeysDependencies): AdminPage => ({
  path: '/keys',
  view: 'admin/keys',
  may: 'keys.read',
  async show({ roles }) {
    const ring = await keys.list();
    const now = seconds(clock);
    const known = ring.keys.map((key) => ({ ...key, state: stateOf(ring, key, now) }));
    return {
      keys: known.filter(({ state }) => state !== 'gone'),
      waits: hasNext(ring, now),
      mayRotate: may(roles, 'keys.rotate'),
      days: rotateEveryDays,
    };
  },
  actions: {
    rotate: {
      fresh: true,
      may: 'keys.rotate',
      async run() {
        await keys.rotate();
        return proven(doneAt('/admin/keys', 'keys-rotated'));
      },
    },
  },
});
