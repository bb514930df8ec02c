/**
 * `npm run bench`: our provider beside a bare oidc-provider, in one run, turn by turn, on real MongoDB and Redis. Prints tables in
 * Markdown. Linux only, where processor time is read from. docs/speed.md says what is measured and what came out.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { connections } from './caller.ts';
import { type Contender, settingsOf, startBare, startOurs, startServers } from './contenders.ts';
import { compareGrowth } from './growth.ts';
import { hashesASecond } from './hashRate.ts';
import { addMembers } from './members.ts';
import { OPERATIONS } from './operations.ts';
import { readOptions } from './options.ts';
import { residentMemory } from './processor.ts';
import { timeToReady } from './readiness.ts';
import { measure, type Result } from './rounds.ts';
import { refreshesWhileSigningIn } from './saturation.ts';
import { figure, HEAD, type Row, row, table } from './table.ts';

const options = readOptions();
const wants = (name: string): boolean => options.only.length === 0 || options.only.includes(name);
const MEMBERS = 1_000;

const servers = await startServers();
const settings = settingsOf(servers, 0);
const running: Contender[] = [];
const begin = async (contender: Promise<Contender>): Promise<Contender> => {
  running.push(await contender);
  return contender;
};

try {
  const [processor] = cpus();
  console.log(
    `${new Date().toISOString()}, ${availableParallelism()} cores (${processor?.model}), Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  const ours = await begin(startOurs('ours', settings, MEMBERS, options.profile));
  await addMembers(String(settings.MONGODB_URI), MEMBERS);
  const bare = await begin(startBare('bare', servers, 1, MEMBERS, options.profile));
  const again = await begin(startBare('bare again', servers, 2, MEMBERS));
  const plan = {
    ...{ seconds: options.seconds, browsers: options.browsers, agent: connections(options.browsers) },
    servers: [servers.mongo.pid, servers.redis.pid].map(Number),
  };

  const rows: Row[] = [];
  let signIns: Result | undefined;
  for (const operation of OPERATIONS.filter(({ name }) => wants(name))) {
    const [first, second, third] = await measure(operation, [ours, bare, again], plan);
    if (first === undefined || second === undefined || third === undefined) continue;
    rows.push(row(operation.title, first, second, third));
    if (operation.name !== 'sign-in') continue;
    signIns = first;
    rows.push(row('the same without its hash', first, second, third, first.hashing));
  }
  if (rows.length > 0) console.log(table(HEAD, rows));

  const others: Row[] = [];
  if (wants('memory')) {
    const [own = 0, plain = 0] = [ours, bare].map(({ pid }) => residentMemory(pid));
    others.push([
      'resident memory after that, MB',
      `${figure(own)}; bare ${figure(plain)}; ${figure(own / plain)} times`,
    ]);
  }
  if (wants('saturation')) {
    const workers = availableParallelism();
    const many = await begin(startOurs('many', { ...settings, WORKERS: String(workers) }, MEMBERS));
    for (const [who, contender] of [['one process', ours] as const, [`${workers} workers`, many] as const]) {
      const { idle, loaded, signedIn } = await refreshesWhileSigningIn(contender, options.seconds);
      const told = `${figure(idle)} ms; ${figure(loaded)} ms with ${figure(signedIn)} sign-ins a second; ${figure(loaded / idle)} times`;
      others.push([`p50 of refreshes, idle and while sign-ins saturate the hash, ${who}`, told]);
    }
  }
  if (wants('hash')) {
    const alone = await hashesASecond(options.seconds);
    const rate = signIns && signIns.times.length / signIns.seconds;
    const told = rate === undefined ? '' : `; ${figure(rate)} whole sign-ins, ${figure(rate / alone)} of them`;
    others.push(['Argon2id alone, a second', `${figure(alone)}${told}`]);
  }
  if (wants('ready'))
    others.push(['`npm start` to ready, on a store that exists', `${figure(await timeToReady(settings))} s`]);
  if (others.length > 0) console.log(`\n${table(['besides', 'measured'], others)}`);
  if (wants('growth')) console.log(`\n${await compareGrowth(servers, options.accounts, plan)}`);
} finally {
  await Promise.all(running.map((contender) => contender.stop()));
  await Promise.all([servers.mongo.stop(), servers.redis.stop()]);
}
process.exit(0);
