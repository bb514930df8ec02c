import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from './adapters/systemClock.ts';
import { work } from './background.ts';
import { composeApp } from './compose.ts';
import type { Config } from './config/load.ts';
import { checkPort, closeDoor, openDoor } from './door.ts';
import type { Logger } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import { openStores, secretsOf } from './openStores.ts';

/** Longer than a mail server or a gateway is waited for. */
const LONGEST_WORK_MS = 12_000;

/** Something that serves until it is told to end, and then ends gently. */
export interface Serving {
  end(): Promise<void>;
}

export interface ServeOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What `/metrics` shows. */
  readonly readMetrics: () => Promise<string>;
  /** The project's folder. */
  readonly root: string;
  /** Other processes of ours serve on the port already. */
  readonly joins: boolean;
}

/** Serves members from this process. Rejects with a StartFault or ConfigFault that says what to mend. */
export async function serve({ config, log, metrics, readMetrics, root, joins }: ServeOptions): Promise<Serving> {
  // The port first: where it is taken, nothing has been written yet.
  if (!joins) await checkPort(config.port, 'PORT');
  const secrets = secretsOf(config);
  const stores = await openStores(config, (dependency, error) =>
    log.warn({ dependency, err: error }, 'connection lost'),
  );
  let draining = false;
  const { listener, tasks, finish } = await composeApp({
    ...{ config, secrets, stores, clock: systemClock, log, root },
    ...{ measures: metrics, readMetrics, isDraining: () => draining },
  });
  const door = await openDoor(config.port, 'PORT', listener);
  const stopWork = work(tasks, log);
  return {
    async end() {
      draining = true;
      await closeDoor(door, config.drainSeconds);
      // What is being sent is put down as sent, or somebody else sends it again.
      await Promise.race([stopWork(), delay(LONGEST_WORK_MS, undefined, { ref: false })]);
      await finish();
      await stores.close();
    },
  };
}
