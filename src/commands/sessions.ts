import { seconds } from '../core/clock.ts';
import { endAll, HEARS_WITHIN } from '../core/session/everybody.ts';
import { timeOf } from './help.ts';
import { Misuse, runCommand, subcommand } from './run.ts';

const WHAT_BREAKS = [
  'This ends everything that is open. What it breaks:',
  '  - Everybody who is signed in, staff too, has to sign in again; a sign-in that is under way begins anew.',
  '  - Every refresh token is dead, also those that outlive a session: apps send their members to sign in once more.',
  '  - JWTs for APIs stay good for the five minutes that they live.',
  'Nothing takes it back. To go on, say --yes.',
].join('\n');

const end = subcommand({
  summary: 'end the sessions of everybody, and every token that apps hold',
  about: [
    'A step of each restore, because a back-up may bring back what was ended since; and the answer to sessions or tokens that were',
    `stolen in bulk. It is one write. Processes that run have heard of it ${HEARS_WITHIN / 1_000} seconds later, those that start now know it.`,
    'Apps hear that their sessions are over when these would have ended by themselves.',
  ],
  options: { yes: { type: 'boolean', help: 'go on; without it, it says what breaks' } },
  async run({ values, open }) {
    if (!values.yes) throw new Misuse(WHAT_BREAKS);
    const { stores, clock, audit } = await open();
    const now = seconds(clock);
    await audit.record({ action: 'sessions-ended', detail: { whose: 'everybody' } });
    await endAll(stores.endings, now);
    return { json: { before: timeOf(now) }, lines: [`All that was opened until ${timeOf(now)} is over.`] };
  },
});

await runCommand({ name: 'sessions', summary: 'The sessions of members and staff.', subcommands: { 'end-all': end } });
