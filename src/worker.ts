import { AggregatorRegistry } from 'prom-client';
import { ConfigFault } from './config/fault.ts';
import { Unavailable } from './core/storage/unavailable.ts';
import type { Metrics } from './observe/metrics.ts';
import type { Serving } from './serve.ts';
import { StartFault } from './startFault.ts';
import type { FromWorker, ToWorker } from './workerMessages.ts';

/**
 * Serves as one of several workers. It ends when the process that began it says so: a signal that reaches the whole
 * group (Ctrl-C, systemd) would otherwise come twice.
 */
export async function beWorker(
  metrics: Metrics,
  start: (readMetrics: () => Promise<string>) => Promise<Serving>,
): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
  // Before all else, so that a worker that still starts answers for itself when all are asked.
  AggregatorRegistry.setRegistries([metrics.registry]);
  new AggregatorRegistry();

  let serving: Serving | undefined;
  process.on('message', async (message: ToWorker) => {
    if (message.type !== 'end') return;
    await serving?.end();
    process.exit(0);
  });
  try {
    serving = await start(metricsOfAll());
    await tell({ type: 'serving' });
  } catch (error) {
    if (!(error instanceof StartFault || error instanceof ConfigFault)) throw error;
    await tell({ type: 'unstartable', words: error.message });
    process.exit(1);
  }
}

/** Resolves when the message is out: a process that exits takes along what it has not sent. */
const tell = (message: FromWorker): Promise<void> => new Promise((resolve) => process.send?.(message, () => resolve()));

/** Asks the process that knows all workers. Throws Unavailable when one of them did not answer in time. */
function metricsOfAll(): () => Promise<string> {
  const waiting = new Map<number, (text: string | undefined) => void>();
  let last = 0;
  process.on('message', (message: ToWorker) => {
    if (message.type !== 'metrics') return;
    waiting.get(message.id)?.(message.text);
    waiting.delete(message.id);
  });
  return async () => {
    last += 1;
    const id = last;
    const answer = new Promise<string | undefined>((resolve) => waiting.set(id, resolve));
    await tell({ type: 'metrics wanted', id });
    const text = await answer;
    if (text === undefined) throw new Unavailable('metrics', 'a worker does not answer');
    return text;
  };
}
