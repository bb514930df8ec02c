import { Redis } from 'ioredis';
import { freePort, startRedis, startSentinel } from '../../scripts/servers.mjs';
import { within } from './within.ts';

export type RedisServer = Awaited<ReturnType<typeof startRedis>>;

/** Several servers that are one Redis. */
export interface RedisForm {
  /** For REDIS_URL. */
  readonly url: string;
  readonly servers: RedisServer[];
  /** The ones that take writes now. */
  primaries(): Promise<RedisServer[]>;
  /**
   * Resolves when all servers run, as many of them primaries as at first, and every replica has acknowledged all that its primary
   * has written by then. (A replica that says that its link is up may not be sent anything for another second.)
   */
  whole(): Promise<void>;
  /** Starts one again that was stopped, with its data. */
  restart(server: RedisServer): Promise<void>;
  flush(): Promise<void>;
  /** Closes the connections of all that asks a primary. */
  hangUp(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a server has to be silent before another takes its place. */
const SILENT_MS = '2000';

/** A replica that has just begun otherwise waits five seconds for others. */
const FOLLOW_AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** Asks one server; the connection is closed again. */
async function askServer<T>(port: number, ask: (redis: Redis) => Promise<T>, password?: string): Promise<T> {
  const known = password === undefined ? {} : { password };
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    commandTimeout: 1_000,
    enableReadyCheck: false,
    retryStrategy: () => null,
    ...known,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

export interface ClusterForm extends RedisForm {
  /** Whether all that run say that every key has a primary. */
  serves(): Promise<boolean>;
}

/** A Cluster of three primaries, with as many replicas of each. */
export async function startCluster(program: string, replicas: 0 | 1): Promise<ClusterForm> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', SILENT_MS, ...FOLLOW_AT_ONCE];
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3 * (1 + replicas); i += 1)
    servers.push(await startRedis(program, { port: await portForCluster(), settings }));
  const ids = await Promise.all(
    servers.map((one) => askServer(one.port, (redis) => redis.cluster('MYID') as Promise<string>)),
  );
  const [first, ...others] = servers as [RedisServer, ...RedisServer[]];
  for (const other of others) await askServer(first.port, (redis) => redis.cluster('MEET', '127.0.0.1', other.port));
  const share = Math.ceil(16_384 / 3);
  for (const [i, primary] of servers.slice(0, 3).entries()) {
    const slots = Array.from({ length: share }, (_, n) => i * share + n).filter((slot) => slot < 16_384);
    await askServer(primary.port, (redis) => redis.cluster('ADDSLOTS', ...slots));
  }
  for (const [i, replica] of servers.slice(3).entries()) {
    await within(20, async () => (await clusterInfo(replica)).includes(`cluster_known_nodes:${servers.length}`));
    await within(20, () =>
      askServer(replica.port, (redis) => redis.cluster('REPLICATE', String(ids[i]))).then(
        () => true,
        () => false,
      ),
    );
  }
  const serves = async () => {
    const said = await Promise.allSettled(servers.map(clusterInfo));
    return said.every((one) => one.status === 'rejected' || one.value.includes('cluster_state:ok'));
  };
  await within(30, serves);
  const url = servers.map(({ uri }) => uri).join(',');
  const made = form(program, servers, settings, url, 3);
  await made.whole();
  return { ...made, serves };
}

const [SERVERS, SENTINELS] = ['of the servers', 'of the sentinels'];

export interface SentinelForm extends RedisForm {
  readonly sentinels: readonly RedisServer[];
  /** The Sentinels put the replica in the primary's place, which has done nothing; resolves when they have begun. */
  failOver(): Promise<void>;
}

/** A primary, a replica, and three Sentinels that know it as `main`; all with passwords. */
export async function startSentinels(program: string): Promise<SentinelForm> {
  const settings = ['--requirepass', SERVERS, '--masterauth', SERVERS, ...FOLLOW_AT_ONCE];
  const primary = await startRedis(program, { settings });
  const replica = await startRedis(program, {
    settings: [...settings, '--replicaof', `127.0.0.1 ${primary.port}`],
  });
  const lines = [
    `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
    ...[`sentinel auth-pass main "${SERVERS}"`, `requirepass "${SENTINELS}"`, `sentinel sentinel-pass "${SENTINELS}"`],
    ...[`sentinel down-after-milliseconds main ${SILENT_MS}`, 'sentinel failover-timeout main 4000'],
  ];
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(program, lines)));
  const knowsAll = ({ port }: RedisServer) =>
    askServer(
      port,
      async (redis) => {
        const text = JSON.stringify(await redis.call('SENTINEL', 'MASTER', 'main'));
        return text.includes('"num-slaves","1"') && text.includes('"num-other-sentinels","2"');
      },
      SENTINELS,
    );
  await within(30, async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean));
  const places = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const url = `redis+sentinel://:${encodeURIComponent(SERVERS)}@${places}/main?sentinel-password=${encodeURIComponent(SENTINELS)}`;
  const made = form(program, [primary, replica], settings, url, 1, SERVERS);
  await made.whole();
  return {
    ...made,
    sentinels,
    failOver: () =>
      askServer(
        Number(sentinels[0]?.port),
        async (redis) => void (await redis.call('SENTINEL', 'FAILOVER', 'main')),
        SENTINELS,
      ),
    async stop() {
      await Promise.all([made.stop(), ...sentinels.map((one) => one.stop())]);
    },
  };
}

function form(
  program: string,
  servers: RedisServer[],
  settings: readonly string[],
  url: string,
  expected: number,
  password?: string,
): RedisForm {
  const asked = <T>({ port }: RedisServer, ask: (redis: Redis) => Promise<T>) => askServer(port, ask, password);
  const said = (server: RedisServer) =>
    asked(server, (redis) => redis.info('replication')).catch(() => 'it does not answer');
  const primaries = async () => {
    const all = await Promise.all(servers.map(said));
    return servers.filter((_, i) => all[i]?.includes('role:master'));
  };
  const whole = async () => {
    const primary = (await Promise.all(servers.map(said))).filter((info) => info.includes('role:master'));
    const inStep = primary.reduce((all, info) => all + replicasInStep(info), 0);
    return primary.length === expected && inStep === servers.length - expected;
  };
  return {
    ...{ url, servers, primaries },
    whole: () => within(90, whole),
    async restart(server) {
      const { port, directory } = server;
      servers[servers.indexOf(server)] = await startRedis(program, { port, directory, settings: [...settings] });
    },
    async flush() {
      for (const primary of await primaries()) await asked(primary, (redis) => redis.flushall());
    },
    async hangUp() {
      for (const primary of await primaries())
        await asked(primary, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES'));
    },
    async stop() {
      await Promise.all(servers.map((one) => one.stop()));
    },
  };
}

const clusterInfo = (one: RedisServer) => askServer(one.port, (redis) => redis.cluster('INFO') as Promise<string>);

/** How many replicas have acknowledged all that this primary has written, by its INFO. */
function replicasInStep(info: string): number {
  const written = Number(/^master_repl_offset:(\d+)/m.exec(info)?.[1]);
  const acknowledged = [...info.matchAll(/^slave\d+:.*state=online,offset=(\d+)/gm)].map(([, offset]) =>
    Number(offset),
  );
  return acknowledged.filter((offset) => offset >= written).length;
}

/** The nodes of a Cluster talk on another port, which is 10,000 higher. */
async function portForCluster(): Promise<number> {
  const port = await freePort();
  return port <= 55_535 ? port : portForCluster();
}
