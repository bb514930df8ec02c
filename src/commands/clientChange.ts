import type { ClientRecord } from '../core/client/client.ts';
import { needsSecret } from '../core/client/kinds.ts';
import { withNewSecret } from '../core/client/secret.ts';
import { seconds } from '../core/clock.ts';
import { change } from '../core/storage/collection.ts';
import { SHOWN_ONCE } from './clientMake.ts';
import { newSecret } from './clientMetadata.ts';
import { timeOf } from './help.ts';
import { type Ground, Misuse, Refused, subcommand } from './run.ts';

/** No client of this id. */
export const unknownClient = (id: string): Refused => new Refused(`There is no client ${id}.`);

const HEARD = 'Every process of the provider hears of it within 5 seconds.';

export const disable = switching(true, 'take all access from a client; its record stays');
export const enable = switching(false, 'give a disabled client its access back');

export const rotateSecret = subcommand({
  summary: 'give a client a new secret; the old ones hold for a while',
  argument: 'ID',
  options: {
    overlap: { type: 'string', value: 'TIME', help: 'how long the old secrets hold: 7d (the default), 12h, 30m, 90s' },
    now: { type: 'boolean', help: 'the old secrets end at once' },
  },
  async run({ argument: id, values, open, say }) {
    if (values.now && values.overlap !== undefined) throw new Misuse('--now and --overlap exclude each other.');
    const overlap = values.now ? 0 : duration(values.overlap ?? '7d');
    const ground = await open();
    const now = seconds(ground.clock);
    const client_secret = newSecret();
    const changed = await changeClient(ground, id, say, (record) => {
      if (!needsSecret(record.metadata))
        throw new Refused(`The client ${id} has no secret: it proves itself otherwise.`);
      return { ...record, secrets: withNewSecret(record.secrets, client_secret, overlap, now), updatedAt: now };
    });
    await ground.audit.record({
      ...{ action: 'client-secret-made', subject: { kind: 'client', id }, detail: { overlapSeconds: overlap } },
    });
    const old = changed.secrets.slice(1).map(({ expiresAt }) => expiresAt ?? now);
    const until = old.length === 0 ? undefined : timeOf(Math.max(...old));
    return {
      json: { client_id: id, client_secret, ...(until === undefined ? {} : { old_secrets_end: until }) },
      lines: [
        `New secret of ${id}: ${client_secret}`,
        SHOWN_ONCE,
        until === undefined ? 'It is the only one.' : `The old ones hold until ${until} at the latest.`,
        HEARD,
      ],
    };
  },
});

function switching(disabled: boolean, summary: string) {
  return subcommand({
    summary,
    argument: 'ID',
    options: {},
    async run({ argument: id, open, say }) {
      const ground = await open();
      const updatedAt = seconds(ground.clock);
      await changeClient(ground, id, say, (record) => ({ ...record, disabled, updatedAt }));
      const action = disabled ? 'client-disabled' : 'client-enabled';
      await ground.audit.record({ action, subject: { kind: 'client', id } });
      return { json: { client_id: id, disabled }, lines: [`${id} is ${disabled ? 'disabled' : 'enabled'}.`, HEARD] };
    },
  });
}

/** Changes a client. Says so where the change ends with the next start of the provider. Throws Refused. */
async function changeClient(
  { config, stores }: Ground,
  id: string,
  say: (line: string) => void,
  to: (record: ClientRecord) => ClientRecord,
): Promise<ClientRecord> {
  const changed = await change(stores.clients, id, to);
  if (changed === undefined) throw unknownClient(id);
  if (config.clients.some(({ client_id }) => client_id === id)) {
    say(`Note: CLIENTS_FILE has ${id}, and writes it anew at each start of the provider. Change it there too.`);
  }
  return changed;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A time such as 7d, in seconds. */
function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const each = UNITS[unit];
  if (each === undefined) throw new Misuse(`--overlap ${text} is no time such as 7d, 12h, 30m or 90s.`);
  return Number(count) * each;
}
