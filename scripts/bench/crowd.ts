/**
 * Members who sign in without a pause, in a process of their own and at a low priority: who measures must not wait for them, and
 * on the machine of the provider they are guests. Started by saturation.ts, which says when they begin and end.
 */
import { constants, setPriority } from 'node:os';
import { connections } from './caller.ts';
import { memberName } from './clients.ts';
import { signIn } from './signIn.ts';

const [issuer = '', members, browsers] = process.argv.slice(2);
setPriority(constants.priority.PRIORITY_LOW);
const agent = connections(Number(browsers));
let over = true;

process.on('message', async (message: 'begin' | 'end') => {
  over = message === 'end';
  if (over) return;
  const began = performance.now();
  const counts = await Promise.all(
    Array.from({ length: Number(browsers) }, async () => {
      let count = 0;
      for (; !over; count += 1) await signIn(issuer, agent, memberName(Math.floor(Math.random() * Number(members))));
      return count;
    }),
  );
  const signedIn = counts.reduce((sum, count) => sum + count, 0);
  process.send?.({ aSecond: signedIn / ((performance.now() - began) / 1000) });
});
process.send?.('ready');
