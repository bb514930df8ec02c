import type { ClientRecord } from '../core/client/client.ts';
import { everyDocument } from '../core/storage/collection.ts';
import { change, disable, enable, endOldSecrets, look, remove, rotateSecret } from './clientChange.ts';
import { make } from './clientMake.ts';
import { exportAll, history, importAll } from './clientRecords.ts';
import { unknownClient } from './clientUse.ts';
import { columns, timeOf } from './help.ts';
import { providerOf } from './provider.ts';
import { Misuse, Refused, runCommand, subcommand } from './run.ts';

const list = subcommand({
  summary: 'the registered apps',
  options: {},
  async run({ open }) {
    const { stores } = await open();
    const all: ReturnType<typeof inShort>[] = [];
    for await (const { value } of everyDocument(stores.clients)) all.push(inShort(value));
    const rows = all.map((one) => [one.client_id, one.client_name, one.token_endpoint_auth_method, stateOf(one)]);
    return { json: all, lines: columns([['client_id', 'name', 'proves itself by', 'state'], ...rows]) };
  },
});

const show = subcommand({
  summary: 'all about one app, but for its secrets',
  argument: 'ID',
  options: {},
  async run({ argument: id, open }) {
    const { stores } = await open();
    const record = (await stores.clients.find(id))?.value;
    if (record === undefined) throw unknownClient(id);
    const described = inFull(record);
    const rows = Object.entries(described).map(([name, value]) => [
      name,
      typeof value === 'string' ? inALine(value) : JSON.stringify(value),
    ]);
    return { json: described, lines: columns(rows) };
  },
});

const initialToken = subcommand({
  summary: 'a token with which apps register themselves (OpenID Connect Dynamic Client Registration)',
  options: {
    days: { type: 'string', value: 'N', help: 'it holds this long: 1 to 365, 7 unless told' },
    'without-pkce': { type: 'boolean', help: 'confidential apps that register with it need no PKCE' },
  },
  async run({ values, open }) {
    const days = Number(values.days ?? '7');
    if (!(Number.isInteger(days) && days >= 1 && days <= 365)) throw new Misuse('--days is a number from 1 to 365.');
    const ground = await open();
    if (ground.config.dynamicRegistration === 'off') {
      throw new Refused('Apps cannot register themselves here: DYNAMIC_REGISTRATION is off.');
    }
    const { InitialAccessToken } = await providerOf(ground);
    const policies = [values['without-pkce'] ? 'without-pkce' : 'member'];
    const token = await new InitialAccessToken({ expiresIn: days * 86_400, policies }).save();
    await ground.audit.record({ action: 'initial-token-made', detail: { days, policy: String(policies[0]) } });
    const expires = timeOf(ground.clock.now() / 1000 + days * 86_400);
    return {
      json: { initial_access_token: token, expires, policies },
      lines: [token, `It is shown this once, and holds until ${expires}. Apps send it as their bearer token.`],
    };
  },
});

/** A picture fills no screen. */
const inALine = (value: string): string => (value.startsWith('data:') ? `${value.slice(0, 40)}…` : value);

const inShort = ({ metadata, disabled }: ClientRecord) => ({
  client_id: metadata.client_id,
  client_name: metadata.client_name ?? '',
  token_endpoint_auth_method: String(metadata.token_endpoint_auth_method ?? 'client_secret_basic'),
  disabled,
});

const stateOf = ({ disabled }: { disabled: boolean }): string => (disabled ? 'disabled' : 'enabled');

const inFull = ({ metadata, secrets, disabled, createdAt, updatedAt }: ClientRecord) => ({
  ...metadata,
  ...{ disabled, created: timeOf(createdAt), updated: timeOf(updatedAt) },
  secrets: secrets.map((secret) => ({
    created: timeOf(secret.createdAt),
    ...(secret.expiresAt === undefined ? {} : { ends: timeOf(secret.expiresAt) }),
  })),
});

await runCommand({
  name: 'clients',
  summary: 'The apps that members sign in to (relying parties).',
  subcommands: {
    ...{ make, list, show, change, look, disable, enable, delete: remove },
    ...{ 'rotate-secret': rotateSecret, 'end-old-secrets': endOldSecrets },
    ...{ history, export: exportAll, import: importAll, 'initial-token': initialToken },
  },
});
