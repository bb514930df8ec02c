import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import type { Stores } from '../../src/core/storage/stores.ts';

/** How often each command was sent: those of Redis by their name, those of MongoDB by theirs and the collection. */
export type Counts = Readonly<Record<string, number>>;

/** What real servers are asked while something is done. */
export async function watchServers(mongoUri: string, redisUrl: string) {
  const database = new URL(redisUrl).pathname.slice(1);
  const redis = new Redis(redisUrl);
  const monitor = await redis.monitor();
  const seen: string[] = [];
  let reached: (marker: string) => void = () => undefined;
  monitor.on('monitor', (_time: string, [name = '', argument = '']: string[], source: string, at: string) => {
    if (name === 'echo') reached(argument);
    // What a script does is one trip.
    else if (at === database && source !== 'lua') seen.push(name.toLowerCase());
  });
  const mongo = await createConnection(mongoUri).asPromise();
  const profile = mongo.collection('system.profile');
  const setProfiling = (level: number) => mongo.db?.command({ profile: level });

  /** Everything that was sent before has been seen by then. */
  const caughtUp = async (): Promise<void> => {
    const marker = randomBytes(8).toString('hex');
    const here = new Promise<void>((resolve) => {
      reached = (found) => void (found === marker && resolve());
    });
    await redis.echo(marker);
    await here;
  };

  return {
    /** `settled`: resolves once nothing is under way any more. */
    async during(work: () => Promise<unknown>, settled: () => Promise<void>): Promise<Counts> {
      await settled();
      await setProfiling(0);
      await profile.drop();
      await caughtUp();
      seen.length = 0;
      await setProfiling(2);
      await work();
      await settled();
      await caughtUp();
      await setProfiling(0);
      const asked = await profile.find({ ns: { $not: /system\.profile|\$cmd/ } }).toArray();
      return counted([...seen, ...asked.map(({ op, ns }) => `${op} ${String(ns).split('.')[1]}`)]);
    },
    async close(): Promise<void> {
      monitor.disconnect();
      redis.disconnect();
      await mongo.dropDatabase();
      await mongo.close();
    },
  };
}

function counted(names: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The same stores, and a promise for the moment when none of them has anything to do. */
export function observed(stores: Stores): { readonly stores: Stores; readonly settled: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  const watched = Object.entries(stores).map(([name, port]) => [
    name,
    typeof port === 'function'
      ? port
      : new Proxy(port, {
          get(target, method) {
            const operation: unknown = Reflect.get(target, method);
            if (typeof operation !== 'function') return operation;
            return (...args: unknown[]) => {
              const answer: Promise<unknown> = Reflect.apply(operation, target, args);
              const done: Promise<unknown> = answer.catch(() => undefined).finally(() => underWay.delete(done));
              underWay.add(done);
              return answer;
            };
          },
        }),
  ]);
  return {
    stores: Object.fromEntries(watched) as Stores,
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
