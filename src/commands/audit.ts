import { ACTIONS, type AuditAction } from '../core/audit/event.ts';
import type { AuditFilter } from '../core/audit/history.ts';
import type { Fault, Verdict } from '../core/audit/verify.ts';
import { progressBar } from './progress.ts';
import { type Call, Misuse, runCommand, subcommand } from './run.ts';

const verify = subcommand({
  summary: 'prove that nothing on record was changed, removed, put in or moved',
  about: [
    'It reads all seals and all events, a million in one to two minutes. May run beside the provider. Where something is not as it was',
    'put down, it names the first such event by its chain and its sequence there, and the exit code is 3. Keep the number and the',
    'digest of the newest seal away from the database: nothing else shows that the end of everything was cut off.',
  ],
  options: {},
  async run({ open }) {
    const { audit } = await open();
    const bar = progressBar(['Seals', 'Events']);
    const verdict = await audit.verify((pass, lines, part) => bar.show({ pass, lines, read: part, size: 1 }));
    bar.clear();
    const { faults, events, chains, seals, newest } = verdict;
    await audit.record({
      action: 'audit-verified',
      outcome: faults > 0 ? 'failed' : 'done',
      detail: { events, faults },
    });
    const counted = `${events} events in ${chains} chains, under ${seals} seals`;
    return {
      json: { intact: faults === 0, ...verdict, first: verdict.first && toldFault(verdict.first) },
      lines: [
        faults === 0 ? `Nothing was changed: ${counted}.` : `${wordsOfFaults(verdict)} Read were ${counted}.`,
        ...(newest === undefined ? [] : [`Newest seal: ${newest.number} ${newest.digest}`]),
        ...verdict.otherKeys.map(
          (other) =>
            `Note: ${other.seals} seals up to ${other.newest} are by a key that KEY_ENCRYPTION_KEY no longer has (${other.key}).`,
        ),
      ],
      refusedInPart: faults > 0,
    };
  },
});

const FOUND: Readonly<Record<Fault['kind'], string>> = {
  changed: 'was changed',
  removed: 'was removed',
  inserted: 'was put in',
  reordered: 'was moved',
  rewritten: 'or one before it since the last good seal was written anew by somebody else',
  unproven: 'is by a key that KEY_ENCRYPTION_KEY does not have',
};

const toldFault = ({ at, ...fault }: Fault) => ({ ...fault, at: new Date(at).toISOString() });

function wordsOfFaults({ faults, first }: Verdict): string {
  if (first === undefined) return '';
  const { what, kind, node, sequence, to, at } = first;
  const place = `${what} ${to === undefined ? sequence : `${sequence} to ${to}`}`;
  const where = node === undefined ? '' : ` of chain ${node}`;
  const others = faults === 1 ? '' : ` ${faults - 1} more faults follow from it or stand beside it.`;
  return `The ${place}${where}, of about ${new Date(at).toISOString()}, ${FOUND[kind]}.${others}`;
}

const EXPORT_OPTIONS = {
  from: { type: 'string', value: 'TIME', help: 'not before: 2026-11-25, or 2026-11-25T14:30:00Z; a day begins in UTC' },
  to: { type: 'string', value: 'TIME', help: 'before' },
  actor: {
    type: 'string',
    value: 'ID',
    help: 'who did it: an account id, a client id or the name of who typed a command',
  },
  subject: { type: 'string', value: 'ID', help: 'to whom: an account id or a client id' },
  action: { type: 'string', value: 'ACTION', help: 'what, such as signed-in or step.password' },
} as const;

const exportEvents = subcommand({
  summary: 'print what is on record as lines of JSON, the newest first',
  about: [
    'Each line is an event as it is digested (RFC 8785), but for escapes. With options it prints what fits all of them. It reads',
    'everything of the time between --from and --to, whatever else is asked for, and proves nothing: verify does. --json changes nothing.',
  ],
  options: EXPORT_OPTIONS,
  async run({ values, open, print }) {
    const filter = filterOf(values);
    const { audit } = await open();
    await audit.record({ action: 'audit-exported', detail: { ...values } as Record<string, string> });
    for await (const event of audit.history.every(filter)) await print(event);
    return { json: undefined, lines: [] };
  },
});

function filterOf({ from, to, actor, subject, action }: Call<typeof EXPORT_OPTIONS>['values']): AuditFilter {
  return { from: momentOf('from', from), to: momentOf('to', to), actor, subject, action: actionOf(action) };
}

function momentOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(moment))
    throw new Misuse(`--${option} ${text} is no time such as 2026-11-25 or 2026-11-25T14:30:00Z.`);
  return moment;
}

function actionOf(text: string | undefined): AuditAction | undefined {
  const action = ACTIONS.find((one) => one === text);
  if (text !== undefined && action === undefined)
    throw new Misuse(`--action ${text} is none of: ${ACTIONS.join(', ')}.`);
  return action;
}

await runCommand({
  name: 'audit',
  summary: 'What is on record: who did what, when, to whom and with what outcome.',
  subcommands: { verify, export: exportEvents },
});
