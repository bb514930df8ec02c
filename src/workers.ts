import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import type { Logger } from './observe/logger.ts';
import type { Serving } from './serve.ts';
import { StartFault, wordsOf } from './startFault.ts';
import type { FromWorker, ToWorker } from './workerMessages.ts';

/** A worker that dies before is likely to die again: the next one waits longer. */
const SETTLED_AFTER_MS = 60_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Begins so many workers, which share the port, and resolves when all of them serve. The first starts alone, so that
 * what is wrong is told once and what has to be in the store is put there once. From then on a worker that dies is
 * replaced, later and later while its successors die young, or do not start because a server is away.
 * Rejects with a StartFault when a worker cannot start at the beginning.
 */
export async function startWorkers(count: number, log: Logger): Promise<Serving> {
  let started = false;
  let ending = false;
  let youngDeaths = 0;

  const replace = (lived: number) => {
    youngDeaths = lived < SETTLED_AFTER_MS ? youngDeaths + 1 : 0;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, youngDeaths - 1), LONGEST_WAIT_MS);
    setTimeout(() => {
      if (!ending) begin().catch((error) => log.error({ reason: wordsOf(error) }, 'a worker could not start'));
    }, wait);
  };

  const begin = () =>
    new Promise<void>((resolve, reject) => {
      const worker = cluster.fork();
      // One that was just killed takes no message any more; its exit is what counts.
      worker.on('error', (error) => log.warn({ pid: worker.process.pid, err: error }, 'a worker does not listen'));
      const began = performance.now();
      let served = false;
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'unstartable') reject(new StartFault(message.words));
        if (message.type !== 'serving') return;
        served = true;
        log.info({ pid: worker.process.pid }, 'a worker serves');
        resolve();
      });
      worker.once('exit', (code, signal) => {
        reject(new StartFault('A worker ended before it served; what it said stands above.'));
        if (ending || !(started || served)) return;
        log.error({ pid: worker.process.pid, code, signal }, 'a worker ended and is replaced');
        replace(performance.now() - began);
      });
    });

  answerForAll();
  await begin();
  await Promise.all(Array.from({ length: count - 1 }, begin));
  started = true;

  return {
    async end() {
      ending = true;
      await Promise.all(living().map(endOne));
    },
  };
}

const living = (): Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

const tell = (worker: Worker, message: ToWorker) => {
  if (worker.isConnected()) worker.send(message);
};

/** Tells a worker to end gently and waits until it has. */
function endOne(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    tell(worker, { type: 'end' });
  });
}

/** Any worker may be asked for the metrics: only we know them all. */
function answerForAll(): void {
  const all = new AggregatorRegistry();
  cluster.on('message', async (worker, message: FromWorker) => {
    if (message.type !== 'metrics wanted') return;
    const text = await all.clusterMetrics().catch(() => undefined);
    tell(worker, { type: 'metrics', id: message.id, text });
  });
}
