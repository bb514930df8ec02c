import { z } from 'zod';
import { type ClientChange, changesOf } from '../core/client/changes.ts';
import { exportClients, type ImportedClient, importClients, type TransferredClient } from '../core/client/transfer.ts';
import { administrationFor, asking, REASON, SHOWN_ONCE, unknownClient } from './clientUse.ts';
import { readJson } from './files.ts';
import { columns, timeOf } from './help.ts';
import { providerOf } from './provider.ts';
import { subcommand } from './run.ts';

/** As many changes as anybody reads at once. */
const CHANGES = 200;

export const history = subcommand({
  summary: 'what was changed about a client, by whom and why; also of one that is deleted',
  argument: 'ID',
  options: {},
  async run({ argument: id, open }) {
    const { stores } = await open();
    const changes = await changesOf(stores.clientChanges, id, CHANGES);
    if (changes.length === 0 && (await stores.clients.find(id)) === undefined) throw unknownClient(id);
    return { json: changes.map(asJson), lines: changes.flatMap(inWords) };
  },
});

export const exportAll = subcommand({
  summary: 'all clients in JSON, without their secrets, as import takes them',
  options: {},
  async run({ open }) {
    const { stores } = await open();
    const json = { clients: await exportClients(stores.clients) };
    return { json, lines: [JSON.stringify(json, undefined, 2)] };
  },
});

const ImportFile = z.strictObject({
  clients: z.array(
    z.strictObject({
      client_id: z.string().regex(/^[\x21-\x7e]{1,200}$/, 'is 1 to 200 visible ASCII characters'),
      disabled: z.boolean().default(false),
      metadata: z.looseObject({
        redirect_uris: z.array(z.string()).default([]),
        client_id: z.never().optional(),
        client_secret: z.never('has no place here: new clients get new secrets').optional(),
      }),
    }),
  ),
});

export const importAll = subcommand({
  summary: 'bring clients to what an export says: all of them or, where one is refused, none; others stay',
  argument: 'FILE',
  options: { 'dry-run': { type: 'boolean', help: 'only tell what would change' }, ...REASON },
  async run({ argument: path, values, open }) {
    const entries = readJson(path, ImportFile).clients as readonly TransferredClient[];
    const ground = await open();
    const administration = administrationFor(ground, await providerOf(ground));
    const { written, clients } = await importClients(
      administration,
      entries,
      asking(values),
      values['dry-run'] === true,
    );
    const secrets = clients.some(({ secret }) => secret !== undefined);
    return {
      json: { written, clients: clients.map(importedJson) },
      lines: [
        ...clients.flatMap(importedWords),
        written ? 'Done.' : 'Nothing was written.',
        ...(secrets ? [SHOWN_ONCE.replace('The secret is', 'Secrets are')] : []),
      ],
      refusedInPart: clients.some(({ outcome }) => outcome === 'refused'),
    };
  },
});

const asJson = ({ at, by, action, reason, fields }: ClientChange) => ({
  ...{ at: timeOf(at / 1_000), by, action },
  ...(reason === undefined ? {} : { reason }),
  fields,
});

/** A field as it was and as it is, in JSON. */
const difference = ({ name, from = '-', to = '-' }: ClientChange['fields'][number]): string =>
  `  ${name}: ${from} → ${to}`;

const inWords = ({ at, by, action, reason, fields }: ClientChange): string[] => [
  ...columns([[timeOf(at / 1_000), action, `by ${by}`, reason ?? '']]),
  ...fields.map(difference),
];

const importedJson = ({ id, outcome, fields, faults, secret }: ImportedClient) => ({
  ...{ client_id: id, outcome, fields, faults },
  ...(secret === undefined ? {} : { client_secret: secret }),
});

const importedWords = ({ id, outcome, fields, faults, secret }: ImportedClient): string[] => [
  `${id}: ${outcome}`,
  ...(outcome === 'changed' ? fields.map(difference) : []),
  ...faults.map((fault) => `  ${fault}`),
  ...(secret === undefined ? [] : [`  client_secret: ${secret}`]),
];
