import { availableParallelism } from 'node:os';
import { fastestArgon2 } from '../../src/adapters/argon2.ts';
import { MEMBER_PASSWORD } from './clients.ts';

/** How many passwords the cores compare a second when nothing else runs, with the hasher that the provider has. */
export async function hashesASecond(seconds: number): Promise<number> {
  const argon2 = await fastestArgon2();
  const phc = await argon2.hash(MEMBER_PASSWORD);
  const began = performance.now();
  const until = began + seconds * 1000;
  const counts = await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      let count = 0;
      for (; performance.now() < until; count += 1) await argon2.verify(phc, MEMBER_PASSWORD);
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - began) / 1000);
}
