import { z } from 'zod';
import { withLook } from '../core/client/brand.ts';
import type { ClientMetadata } from '../core/client/client.ts';
import { seconds } from '../core/clock.ts';
import { LOOK_OPTIONS, lookIn } from './clientMetadata.ts';
import {
  administrationFor,
  asking,
  done,
  noteFile,
  noteRights,
  REASON,
  SHOWN_ONCE,
  unknownClient,
} from './clientUse.ts';
import { readJson } from './files.ts';
import { timeOf } from './help.ts';
import { providerOf } from './provider.ts';
import { Misuse, subcommand } from './run.ts';

const HEARD = 'Every process of the provider hears of it within 5 seconds.';

export const disable = switching(true, 'take all access from a client; its record stays');
export const enable = switching(false, 'give a disabled client its access back');

export const rotateSecret = subcommand({
  summary: 'give a client a new secret; the old ones hold for a while',
  argument: 'ID',
  options: {
    overlap: { type: 'string', value: 'TIME', help: 'how long the old secrets hold: 7d (the default), 12h, 30m, 90s' },
    now: { type: 'boolean', help: 'the old secrets end at once' },
    ...REASON,
  },
  async run({ argument: id, values, open, say }) {
    if (values.now && values.overlap !== undefined) throw new Misuse('--now and --overlap exclude each other.');
    const overlap = values.now ? 0 : duration(values.overlap ?? '7d');
    const ground = await open();
    const ruling = await administrationFor(ground).rotateSecret(id, overlap, asking(values));
    const { client, secret: client_secret } = done(ruling, id);
    noteFile(ground, id, say);
    const old = client.value.secrets.slice(1).map(({ expiresAt }) => expiresAt ?? seconds(ground.clock));
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

export const endOldSecrets = subcommand({
  summary: 'end the secrets before the newest at once',
  argument: 'ID',
  options: REASON,
  async run({ argument: id, values, open, say }) {
    const ground = await open();
    done(await administrationFor(ground).endOldSecrets(id, asking(values)), id);
    noteFile(ground, id, say);
    return { json: { client_id: id }, lines: [`Only the newest secret of ${id} holds.`, HEARD] };
  },
});

const NewMetadata = z.looseObject({
  client_id: z.string().optional(),
  client_secret: z.never('has no place here: use rotate-secret').optional(),
  redirect_uris: z.array(z.string()).default([]),
});

export const change = subcommand({
  summary: 'give a client other metadata; its id and its secrets stay',
  argument: 'ID',
  options: {
    from: {
      type: 'string',
      value: 'FILE',
      help: 'all of its OpenID registration metadata in JSON',
    },
    ...REASON,
  },
  async run({ argument: id, values, open, say }) {
    if (values.from === undefined) throw new Misuse('--from FILE is missing.');
    const metadata = readJson(values.from, NewMetadata);
    if (metadata.client_id !== undefined && metadata.client_id !== id)
      throw new Misuse(`${values.from} is about the client ${metadata.client_id}.`);
    const ground = await open();
    const administration = administrationFor(ground, await providerOf(ground));
    const { value } = done(await administration.change(id, undefined, metadata as ClientMetadata, asking(values)), id);
    noteFile(ground, id, say);
    noteRights(value.metadata, say);
    return { json: value.metadata, lines: [`${id} is changed.`, HEARD] };
  },
});

export const look = subcommand({
  summary: 'change the colour and the logo of its sign-in pages and emails',
  argument: 'ID',
  options: {
    ...LOOK_OPTIONS,
    'no-color': { type: 'boolean', help: "the plan's own colour" },
    'no-logo': { type: 'boolean', help: 'no logo' },
    ...REASON,
  },
  async run({ argument: id, values, open, say }) {
    for (const name of ['color', 'logo'] as const)
      if (values[name] !== undefined && values[`no-${name}`])
        throw new Misuse(`--${name} and --no-${name} exclude each other.`);
    const { color = values['no-color'] ? null : undefined, logo = values['no-logo'] ? null : undefined } =
      lookIn(values);
    const ground = await open();
    const administration = administrationFor(ground, await providerOf(ground));
    const stored = await administration.find(id);
    if (stored === undefined) throw unknownClient(id);
    const metadata = withLook(stored.value.metadata, { color, logo });
    const { value } = done(await administration.change(id, stored.version, metadata, asking(values)), id);
    noteFile(ground, id, say);
    return { json: value.metadata, lines: [`The look of ${id} is changed.`, HEARD] };
  },
});

export const remove = subcommand({
  summary: 'delete a client for good; its history stays',
  argument: 'ID',
  options: REASON,
  async run({ argument: id, values, open, say }) {
    const ground = await open();
    done(await administrationFor(ground).remove(id, asking(values)), id);
    noteFile(ground, id, say);
    return { json: { client_id: id, deleted: true }, lines: [`${id} is deleted.`, HEARD] };
  },
});

function switching(disabled: boolean, summary: string) {
  return subcommand({
    summary,
    argument: 'ID',
    options: REASON,
    async run({ argument: id, values, open, say }) {
      const ground = await open();
      done(await administrationFor(ground).switch(id, disabled, asking(values)), id);
      noteFile(ground, id, say);
      return { json: { client_id: id, disabled }, lines: [`${id} is ${disabled ? 'disabled' : 'enabled'}.`, HEARD] };
    },
  });
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A time such as 7d, in seconds. */
function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const each = UNITS[unit];
  if (each === undefined) throw new Misuse(`--overlap ${text} is no time such as 7d, 12h, 30m or 90s.`);
  return Number(count) * each;
}
