import { systemClock } from './adapters/systemClock.ts';
import { developmentSecrets } from './config/developmentSecrets.ts';
import type { Config, Secrets } from './config/load.ts';
import type { Stores } from './core/storage/stores.ts';
import type { Unavailable } from './core/storage/unavailable.ts';
import { StartFault, wordsOf } from './startFault.ts';
import { openEmbeddedStores } from './stores/embedded/open.ts';
import type { OnStoreError } from './stores/open.ts';

/** The secrets of the settings; in development those of the data folder. Throws a StartFault when these are damaged. */
export function secretsOf({ secrets, dataDir }: Config): Secrets {
  try {
    return secrets ?? developmentSecrets(dataDir);
  } catch (error) {
    throw new StartFault(unusable(dataDir, error));
  }
}

/** The stores that the settings name. Rejects with a StartFault that says which does not answer. */
export async function openStores(config: Config, onError: OnStoreError): Promise<Stores> {
  const { servers, dataDir } = config;
  try {
    if (servers === undefined) return openEmbeddedStores(dataDir, systemClock);
    // Loading the drivers takes longer than all else; the embedded store does without.
    const { openServerStores } = await import('./stores/open.ts');
    return await openServerStores(servers.mongoUri, servers.redisUrl, systemClock, onError);
  } catch (error) {
    throw new StartFault(servers === undefined ? unusable(dataDir, error) : unanswered(error));
  }
}

const unusable = (dataDir: string, error: unknown): string =>
  `The data folder ${dataDir} cannot be used (${wordsOf(error)}). Mend or remove it, or set DATA_DIR to another.`;

const unanswered = (error: unknown): string => {
  const { dependency, cause } = error as Partial<Unavailable>;
  const [name, setting] = dependency === 'redis' ? ['Redis', 'REDIS_URL'] : ['MongoDB', 'MONGODB_URI'];
  return `${name} does not answer (${wordsOf(cause ?? error)}). Start it, or check ${setting}.`;
};
