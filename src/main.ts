import cluster from 'node:cluster';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigFault } from './config/fault.ts';
import { loadConfig } from './config/load.ts';
import { checkPort, closeDoor, openDoor } from './door.ts';
import { makeLogger } from './observe/logger.ts';
import { measureProcess, prometheusMetrics } from './observe/metrics.ts';
import { greet, hasPortal, samplePortal } from './sample.ts';
import { serve } from './serve.ts';
import { StartFault } from './startFault.ts';
import { beWorker } from './worker.ts';
import { startWorkers } from './workers.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Signals that come twice within this time are one: the terminal sends Ctrl-C to all, and npm hands it on as well. */
const SAME_SIGNAL_MS = 300;

/** Node counts workers from here, also those that replace others. */
const FIRST_WORKER = 1;

async function start(): Promise<void> {
  let end = async (): Promise<void> => undefined;
  if (cluster.isPrimary) endOnSignal(() => end());
  const config = loadConfig(process.env, root);
  const log = makeLogger(config.logLevel);
  if (cluster.isPrimary) for (const warning of config.warnings) log.warn(warning);
  // Ours are all awaited; what a library forgets of a broken connection turns nobody away.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'nobody waited for what failed'));
  const metrics = prometheusMetrics();
  const joins = cluster.worker !== undefined && cluster.worker.id > FIRST_WORKER;
  const here = (readMetrics: () => Promise<string>) => serve({ config, log, metrics, readMetrics, root, joins });
  if (cluster.isWorker) {
    measureProcess(metrics);
    return beWorker(metrics, here);
  }

  if (hasPortal(config)) await checkPort(config.portalPort, 'PORTAL_PORT');
  if (config.workers === 1) measureProcess(metrics);
  const serving =
    config.workers > 1 ? await startWorkers(config.workers, log) : await here(() => metrics.registry.metrics());
  const portal = hasPortal(config)
    ? await openDoor(config.portalPort, 'PORTAL_PORT', await samplePortal(config))
    : undefined;
  end = async () => {
    await Promise.all([serving.end(), portal && closeDoor(portal, 0)]);
  };
  greet(config);
}

/** The first SIGTERM or SIGINT ends gently, the second at once. */
function endOnSignal(end: () => Promise<void>): void {
  let first: number | undefined;
  const hear = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = performance.now();
      end().then(
        () => process.exit(0),
        (error) => fail(error),
      );
    } else if (signal === 'SIGTERM' || performance.now() - first > SAME_SIGNAL_MS) process.exit(1);
  };
  process.on('SIGTERM', hear).on('SIGINT', hear);
}

function fail(error: unknown): never {
  const mendable = error instanceof StartFault || error instanceof ConfigFault;
  console.error(mendable ? `\n${error.message}\n` : error);
  process.exit(1);
}

try {
  await start();
} catch (error) {
  fail(error);
}
