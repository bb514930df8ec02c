import { createServer, type RequestListener, type Server } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from './adapters/systemClock.ts';
import { work } from './background.ts';
import { composeApp, drain } from './compose.ts';
import { developmentSecrets } from './config/developmentSecrets.ts';
import { ConfigFault } from './config/fault.ts';
import { type Config, loadConfig, type Secrets } from './config/load.ts';
import type { Stores } from './core/storage/stores.ts';
import type { Unavailable } from './core/storage/unavailable.ts';
import { makeLogger } from './observe/logger.ts';
import { openEmbeddedStores, openServerStores } from './stores/open.ts';

/** A fault that its reader can mend: told in words, without a stack. */
class StartFault extends Error {}

const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function start(): Promise<void> {
  const config = loadConfig(process.env, root);
  const log = makeLogger(config.logLevel);
  // The ports first: where one is taken, nothing has been written yet.
  const doors = [await openDoor(config.port, 'PORT')];
  if (hasPortal(config)) doors.push(await openDoor(config.portalPort, 'PORTAL_PORT'));
  const secrets = config.secrets ?? prepareSecrets(config.dataDir);
  const stores = await openStores(config, (dependency, error) =>
    log.warn({ dependency, err: error }, 'connection lost'),
  );

  const { app, tasks } = await composeApp({ config, secrets, stores, clock: systemClock, log, root });
  doors[0]?.open(app.callback());
  const stop = work(tasks, log);
  const portalDoor = doors[1];
  if (portalDoor !== undefined) portalDoor.open(await samplePortal(config));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop();
      void drain(doors, stores).then(() => process.exit(0));
    });
  }
  greet(config);
}

/** A port that is ours from now on, and answers 503 until there is something behind it. */
function openDoor(port: number, setting: string): Promise<Server & { open(listener: RequestListener): void }> {
  const server = createServer((_request, response) => response.writeHead(503, { 'Retry-After': '1' }).end());
  const open = (listener: RequestListener) => void server.removeAllListeners('request').on('request', listener);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new StartFault(`Port ${port} is taken. Stop the program that uses it, or set ${setting} to another port.`)
          : new StartFault(`Port ${port} cannot be opened (${words(error)}). Set ${setting} to another port.`),
      ),
    );
    server.listen(port, () => resolve(Object.assign(server, { open })));
  });
}

function prepareSecrets(dataDir: string): Secrets {
  try {
    return developmentSecrets(dataDir);
  } catch (error) {
    throw new StartFault(unusable(dataDir, error));
  }
}

async function openStores(config: Config, onError: Parameters<typeof openServerStores>[3]): Promise<Stores> {
  const { servers, dataDir } = config;
  try {
    return servers === undefined
      ? openEmbeddedStores(dataDir, systemClock)
      : await openServerStores(servers.mongoUri, servers.redisUrl, systemClock, onError);
  } catch (error) {
    throw new StartFault(servers === undefined ? unusable(dataDir, error) : unanswered(error));
  }
}

const hasPortal = ({ portalPort, clients }: Config): boolean =>
  portalPort !== 0 && clients.some(({ client_id }) => client_id === 'member-portal');

/** The sample relying party. It is no part of the provider, and not there in production. */
async function samplePortal({ issuer, clients, portalPort, plan }: Config): Promise<RequestListener> {
  const { makePortal } = await import('../examples/portal/portal.ts');
  return makePortal({ issuer, clients, url: `http://localhost:${portalPort}`, plan: plan.name }).callback();
}

function greet(config: Config): void {
  const { production, issuer, members, portalPort, servers } = config;
  if (production) return;
  const portalOut = portalPort !== 0 && !hasPortal(config);
  const [member] = members;
  console.log(
    [
      '',
      `  The identity provider runs at ${issuer} on ${servers === undefined ? 'the embedded store' : 'MongoDB and Redis'}.`,
      ...(hasPortal(config) ? [`  Open http://localhost:${portalPort} and choose "Sign in".`] : []),
      ...(portalOut ? ['  The sample portal is left out: CLIENTS_FILE has no client "member-portal".'] : []),
      ...(member === undefined
        ? []
        : [`  Sign in as ${member.username} with the password ${member.password ?? '(imported)'}`]),
      '',
    ].join('\n'),
  );
}

const unusable = (dataDir: string, error: unknown): string =>
  `The data folder ${dataDir} cannot be used (${words(error)}). Mend or remove it, or set DATA_DIR to another.`;

const unanswered = (error: unknown): string => {
  const { dependency, cause } = error as Partial<Unavailable>;
  const [name, setting] = dependency === 'redis' ? ['Redis', 'REDIS_URL'] : ['MongoDB', 'MONGODB_URI'];
  return `${name} does not answer (${words(cause ?? error)}). Start it, or check ${setting}.`;
};

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  await start();
} catch (error) {
  const mendable = error instanceof StartFault || error instanceof ConfigFault;
  console.error(mendable ? `\n${error.message}\n` : error);
  process.exit(1);
}
