import type { Agent } from 'node:http';
import type { Contender } from './contenders.ts';
import type { Operation } from './operations.ts';
import { processorTime } from './processor.ts';

/** What a contender took for an operation, over all rounds. */
export interface Result {
  /** Milliseconds of each request. */
  readonly times: number[];
  /** Seconds in which they were made. */
  seconds: number;
  /** Milliseconds of the processor. */
  processor: number;
  hashing: number;
  /** What the database servers took meanwhile. */
  servers: number;
}

export interface Plan {
  readonly seconds: number;
  readonly browsers: number;
  readonly agent: Agent;
  /** Processes of the database servers. */
  readonly servers: readonly number[];
}

/** Seconds of one turn; so short that what else the machine does falls on all alike. */
const TURN = 2;

/** All contenders take turns, each round beginning with another; a first turn of each does not count. */
export async function measure(operation: Operation, contenders: readonly Contender[], plan: Plan): Promise<Result[]> {
  const { seconds, browsers, agent, servers } = plan;
  const runs = await Promise.all(
    contenders.map((contender) =>
      Promise.all(Array.from({ length: browsers }, () => operation.prepare(contender, agent))),
    ),
  );
  const results = contenders.map((): Result => ({ times: [], seconds: 0, processor: 0, hashing: 0, servers: 0 }));
  const rounds = Math.max(1, Math.round(seconds / TURN));
  for (const own of runs) await takeTurn(own, TURN / 2);
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < contenders.length; place += 1) {
      const which = (round + place) % contenders.length;
      const [result, contender, own] = [results[which], contenders[which], runs[which]];
      if (result === undefined || contender === undefined || own === undefined) continue;
      const before = [processorTime(contender.pid), serversTime(servers)] as const;
      const began = performance.now();
      result.times.push(...(await takeTurn(own, seconds / rounds)));
      result.seconds += (performance.now() - began) / 1000;
      const after = processorTime(contender.pid);
      result.processor += after.all - before[0].all;
      result.hashing += after.hashing - before[0].hashing;
      result.servers += serversTime(servers) - before[1];
    }
  }
  return results;
}

const serversTime = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + processorTime(pid).all, 0);

async function takeTurn(runs: readonly (() => Promise<void>)[], seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000;
  const times = await Promise.all(
    runs.map(async (run) => {
      const own: number[] = [];
      for (let began = performance.now(); began < until; began = performance.now()) {
        await run();
        own.push(performance.now() - began);
      }
      return own;
    }),
  );
  return times.flat();
}

export function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.ceil((sorted.length * part) / 100) - 1] ?? Number.NaN;
}
