import { makeSeal } from '../adapters/seal.ts';
import { seconds } from '../core/clock.ts';
import { resealSeeds } from '../core/factors/reseal.ts';
import { hasNext, type KeyRing, MOST_ROTATION_DAYS, rotationIn, stateOf } from '../core/keys/keyRing.ts';
import { wordList } from '../http/words.ts';
import { keyRingOf, loadAtStart } from '../parts.ts';
import { columns, timeOf } from './help.ts';
import { type Answer, type Ground, Misuse, runCommand, subcommand } from './run.ts';

/** The same words as on the page of the console. */
const WHAT_BREAKS = [
  'An emergency rotation takes the old keys away at once; processes that run do so within KEY_POLL_SECONDS. What it breaks:',
  ...wordList('en', 'admin.keys.breaks').map((consequence) => `  - ${consequence}`),
  'Use it when a private key may be known to others; else `rotate` breaks nothing. To go on, say --emergency --yes.',
].join('\n');

const list = subcommand({
  summary: 'the signing keys: which comes next, signs now, or retires',
  options: {},
  async run({ open }) {
    const ground = await open();
    const ring = await (await openRing(ground)).list();
    const keys = described(ring, seconds(ground.clock));
    const rows = keys.map((key) => [key.state, key.alg, key.kid, key.since, key.signsFrom, key.goneAt ?? '-']);
    return { json: keys, lines: columns([['state', 'alg', 'kid', 'since', 'signs from', 'gone at'], ...rows]) };
  },
});

const rotate = subcommand({
  summary: 'make new keys, which sign when every app can know them',
  about: [
    'The new keys are published at once. They sign after JWKS_MAX_AGE_SECONDS and twice KEY_POLL_SECONDS; the old ones stay',
    'published until nothing that they signed is of use any longer. Nothing breaks, and nothing has to be restarted.',
  ],
  options: {
    emergency: {
      type: 'boolean',
      help: 'take the old keys away at once; says what breaks unless --yes stands there too',
    },
    yes: { type: 'boolean', help: 'with --emergency: go on' },
  },
  async run({ values, open }) {
    if (values.yes && !values.emergency) throw new Misuse('--yes goes with --emergency.');
    if (values.emergency && !values.yes) throw new Misuse(WHAT_BREAKS);
    const ground = await open();
    const keys = await openRing(ground);
    if (!values.emergency && hasNext(await keys.list(), seconds(ground.clock))) {
      return rotation(false, await keys.list(), ground, 'New keys are waiting already');
    }
    const ring = values.emergency ? await keys.rotateNow() : await keys.rotate();
    await ground.audit.record({ action: values.emergency ? 'keys-withdrawn' : 'keys-rotated' });
    return rotation(true, ring, ground, values.emergency ? 'The old keys are gone' : 'New keys are published');
  },
});

const schedule = subcommand({
  summary: 'how often new keys come by themselves',
  about: ['It takes the place of KEY_ROTATION_DAYS, in every process within KEY_POLL_SECONDS.'],
  options: {
    days: { type: 'string', value: 'N', help: `1 to ${MOST_ROTATION_DAYS}; 0 for never` },
    default: { type: 'boolean', help: 'as KEY_ROTATION_DAYS says' },
  },
  async run({ values, open }) {
    const days = values.days;
    if ((days === undefined) === (values.default !== true)) throw new Misuse('Give --days or --default.');
    const every = days === undefined ? undefined : rotationIn(days);
    if (days !== undefined && every === undefined)
      throw new Misuse(`--days is a number from 0 to ${MOST_ROTATION_DAYS}.`);
    const ground = await open();
    const keys = await openRing(ground);
    const ring = await keys.schedule(every);
    await ground.audit.record({
      ...{ action: 'keys-scheduled', subject: { kind: 'keys', id: 'signing-keys' } },
      detail: { days: days === undefined ? 'default' : Number(days) },
    });
    const at = keys.rotatesAt(ring);
    const next = at === undefined ? undefined : timeOf(at);
    return {
      json: { rotatesAt: next ?? null },
      lines: [next === undefined ? 'New keys come only when somebody asks for them.' : `New keys come ${next}.`],
    };
  },
});

const reseal = subcommand({
  summary: 'seal with the current KEY_ENCRYPTION_KEY what an older one sealed',
  about: [
    'The signing keys, and the seeds of the authenticator apps in the accounts. It is one command for both, because one',
    'setting seals both: whoever did the half of it and then dropped the older key would lock members out. Put the new key',
    'in front of the old one, restart every node, and run this. It may run beside the provider, be interrupted, and be run',
    'again. Drop the older key a week later: messages and visits that were under way are sealed with it for as long as that.',
  ],
  options: { 'dry-run': { type: 'boolean', help: 'change nothing; count what an older key seals' } },
  async run({ values, open, say }) {
    const dryRun = values['dry-run'] === true;
    const ground = await open();
    const keys = await (await openRing(ground)).reseal(dryRun);
    let unreadable = 0;
    const seeds = await resealSeeds({
      ...{ accounts: ground.stores.accounts, seal: makeSeal(ground.secrets.keyEncryptionKeys), dryRun },
      onUnreadable(accountId) {
        unreadable += 1;
        say(`No key in KEY_ENCRYPTION_KEY opens the seed of the app of ${accountId}: its codes are refused.`);
      },
    });
    if (!dryRun) await ground.audit.record({ action: 'keys-resealed', detail: { seeds, keys, unreadable } });
    const done = dryRun ? 'To be sealed anew' : 'Sealed anew';
    return {
      json: { dryRun, seeds, keys, unreadable },
      lines: [`${done}: seeds of authenticator apps ${seeds}, secrets of the signing keys ${keys}.`],
      refusedInPart: unreadable > 0,
    };
  },
});

/** The ring; made when there is none yet. */
async function openRing({ config, secrets, stores, clock }: Ground) {
  const keys = keyRingOf(config, secrets, stores, clock);
  await loadAtStart(keys);
  return keys;
}

const described = (ring: KeyRing, now: number) =>
  ring.keys
    .map((key) => ({ key, state: stateOf(ring, key, now) }))
    .filter(({ state }) => state !== 'gone')
    .map(({ key, state }) => ({
      ...{ kid: key.kid, alg: key.alg, state, since: timeOf(key.createdAt), signsFrom: timeOf(key.signsFrom) },
      ...(key.goneAt === undefined ? {} : { goneAt: timeOf(key.goneAt) }),
    }));

function rotation(rotated: boolean, ring: KeyRing, { config, clock }: Ground, what: string): Answer {
  const signsFrom = timeOf(Math.max(...ring.keys.map((key) => key.signsFrom)));
  const when = `The new ones begin to sign at ${signsFrom}, in each process up to ${config.keyTimes.poll} s later.`;
  return {
    json: { rotated, signsFrom, keys: described(ring, seconds(clock)) },
    lines: [`${what}. ${when}`],
  };
}

await runCommand({
  name: 'keys',
  summary: 'The keys that ID tokens are signed with, and the key that seals them.',
  subcommands: { list, rotate, schedule, reseal },
});
