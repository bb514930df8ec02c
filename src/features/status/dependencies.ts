import { setTimeout as delay } from 'node:timers/promises';
import type { Stores } from '../../core/storage/stores.ts';

interface DependencyState {
  readonly name: 'store' | 'mongodb' | 'redis';
  readonly up: boolean;
  /** How long the answer, or the lack of one, took. */
  readonly milliseconds: number;
}

/** Asks everything that this process depends on whether it answers. Never throws. */
export type AskDependencies = () => Promise<readonly DependencyState[]>;

/** An answer that takes longer is none: members would not wait for it either. */
const LONGEST_WAIT_MS = 2_000;

/** The embedded store is one dependency; otherwise MongoDB has what lasts and Redis what expires. */
export function dependencies(
  { accounts, expiring }: Pick<Stores, 'accounts' | 'expiring'>,
  embedded: boolean,
): AskDependencies {
  const lasting = () => accounts.find('status');
  const passing = () => expiring.get('status');
  return () =>
    Promise.all(
      embedded
        ? [ask('store', () => Promise.all([lasting(), passing()]))]
        : [ask('mongodb', lasting), ask('redis', passing)],
    );
}

async function ask(name: DependencyState['name'], question: () => Promise<unknown>): Promise<DependencyState> {
  const started = performance.now();
  const giveUp = new AbortController();
  const up = await Promise.race([
    question().then(
      () => true,
      () => false,
    ),
    delay(LONGEST_WAIT_MS, false, { signal: giveUp.signal, ref: false }).catch(() => false),
  ]);
  giveUp.abort();
  return { name, up, milliseconds: Math.round((performance.now() - started) * 10) / 10 };
}
