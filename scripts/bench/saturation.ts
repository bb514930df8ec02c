import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connections } from './caller.ts';
import type { Contender } from './contenders.ts';
import { OPERATIONS } from './operations.ts';
import { percentile } from './rounds.ts';

/** As many as keep every place for a hash taken on two cores, and fit where chance sends them all to one worker. */
const BROWSERS = 8;
const ROUNDS = 4;
const REFRESHES_A_SECOND = 25;

/** How long a refresh takes, in the middle, while nobody signs in and while members do without a pause, turn by turn. */
export async function refreshesWhileSigningIn(ours: Contender, seconds: number) {
  const refresh = OPERATIONS.find(({ name }) => name === 'refresh');
  if (refresh === undefined) throw new Error('there is no operation to measure');
  const agent = connections(20);
  const runs = await Promise.all(Array.from({ length: 10 }, () => refresh.prepare(ours, agent)));
  const times = { idle: [] as number[], loaded: [] as number[] };
  let signedIn = 0;
  const crowd = fork(join(import.meta.dirname, 'crowd.ts'), [ours.issuer, String(ours.members), String(BROWSERS)], {
    execArgv: ['--no-warnings'],
  });
  await once(crowd, 'message');
  await atSteadyPace(runs, 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    times.idle.push(...(await atSteadyPace(runs, seconds / ROUNDS)));
    crowd.send('begin');
    // Until all of them are under way.
    await delay(500);
    times.loaded.push(...(await atSteadyPace(runs, seconds / ROUNDS)));
    crowd.send('end');
    const [{ aSecond }] = await once(crowd, 'message');
    signedIn += aSecond / ROUNDS;
  }
  crowd.kill();
  return { idle: percentile(times.idle, 50), loaded: percentile(times.loaded, 50), signedIn };
}

/** So many a second, whatever the answers take; a time counts from when the request was due. */
async function atSteadyPace(runs: readonly (() => Promise<void>)[], seconds: number): Promise<number[]> {
  const began = performance.now();
  const last: Promise<void>[] = [];
  return Promise.all(
    Array.from({ length: Math.ceil(seconds * REFRESHES_A_SECOND) }, async (_, i) => {
      const due = began + (i * 1_000) / REFRESHES_A_SECOND;
      await delay(Math.max(0, due - performance.now()));
      const which = i % runs.length;
      // One app has one token, and waits for its successor.
      const own = (last[which] ?? Promise.resolve()).then(runs[which]);
      last[which] = own;
      await own;
      return performance.now() - due;
    }),
  );
}
