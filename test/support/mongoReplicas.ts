import { createConnection } from 'mongoose';
import { freePort, startMongo } from '../../scripts/servers.mjs';
import { within } from './within.ts';

export type MongoServer = Awaited<ReturnType<typeof startMongo>>;

/** A replica set of three, with the times that MongoDB has by itself. */
export async function startReplicaSet(program: string) {
  const settings = ['--replSet', 'rs0'];
  const servers: MongoServer[] = [];
  for (let i = 0; i < 3; i += 1) servers.push(await startMongo(program, { port: await freePort(), settings }));
  const [first] = servers as [MongoServer];
  const members = servers.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` }));
  await admin(first, { replSetInitiate: { _id: 'rs0', members } });

  const isPrimary = (server: MongoServer) =>
    admin(server, { hello: 1 }).then(
      ({ isWritablePrimary }) => isWritablePrimary === true,
      () => false,
    );
  const primary = async () => {
    const are = await Promise.all(servers.map(isPrimary));
    return servers.find((_, i) => are[i]);
  };
  await within(60, async () => (await primary()) !== undefined);
  return {
    uri: (database: string) =>
      `mongodb://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${database}?replicaSet=rs0&w=majority`,
    primary,
    /** Makes the primary step down, as an operator does; it stays away for so many seconds. */
    async stepDown(seconds: number) {
      await admin((await primary()) as MongoServer, { replSetStepDown: seconds, force: true });
    },
    async restart(server: MongoServer) {
      const { port, directory } = server;
      servers[servers.indexOf(server)] = await startMongo(program, { port, directory, settings });
    },
    async stop() {
      await Promise.all(servers.map((one) => one.stop()));
    },
  };
}

async function admin(server: MongoServer, command: Record<string, unknown>): Promise<Record<string, unknown>> {
  const options = { directConnection: true, serverSelectionTimeoutMS: 1_000 };
  const connection = await createConnection(`${server.uri}/admin`, options).asPromise();
  try {
    return (await connection.db?.command(command)) ?? {};
  } finally {
    await connection.close();
  }
}
