import type { Collection } from '../storage/collection.ts';
import { everyDocument } from '../storage/collection.ts';
import type { Asking, ClientAdministration } from './administration.ts';
import { type ClientChange, differences } from './changes.ts';
import type { ClientMetadata, ClientRecord } from './client.ts';
import { withDefaults } from './newClient.ts';

/** A client as it goes from one installation to another: without its secrets, which are no installation's to give away. */
export interface TransferredClient {
  readonly client_id: string;
  readonly disabled: boolean;
  readonly metadata: Omit<ClientMetadata, 'client_id'>;
}

/** What becomes, or would become, of one client of an import. */
export interface ImportedClient {
  readonly id: string;
  readonly outcome: 'registered' | 'changed' | 'unchanged' | 'refused';
  readonly fields: ClientChange['fields'];
  /** Why it is refused, one sentence each. */
  readonly faults: readonly string[];
  /** Of one that was registered and proves itself by a secret: shown this once. */
  readonly secret?: string | undefined;
}

export interface Import {
  /** False for a dry run, and where one is refused: then nothing was written. */
  readonly written: boolean;
  readonly clients: readonly ImportedClient[];
}

/** Every client, in the order of their ids. */
export async function exportClients(clients: Collection<ClientRecord>): Promise<TransferredClient[]> {
  const all: TransferredClient[] = [];
  for await (const { id, value } of everyDocument(clients)) {
    const { client_id: _, ...metadata } = value.metadata;
    all.push({ client_id: id, disabled: value.disabled, metadata: metadata as TransferredClient['metadata'] });
  }
  return all;
}

interface Judged extends ImportedClient {
  readonly entry: TransferredClient;
  /** Of the client as it stood when it was judged; undefined for a new one. */
  readonly version: number | undefined;
  readonly switched: boolean;
}

/**
 * Brings the clients to what an export says; those that are not in it stay. All of them are judged before one is written, so that a
 * file with a fault changes nothing.
 */
export async function importClients(
  administration: ClientAdministration,
  entries: readonly TransferredClient[],
  asking: Asking,
  dryRun: boolean,
): Promise<Import> {
  const judged: Judged[] = [];
  for (const entry of entries) {
    const isTwice = judged.some(({ id }) => id === entry.client_id);
    judged.push(await judgeEntry(administration, entry, isTwice ? ['It stands in the file twice.'] : []));
  }
  if (dryRun || judged.some(({ outcome }) => outcome === 'refused')) return { written: false, clients: judged };
  const clients: ImportedClient[] = [];
  for (const one of judged) clients.push(await take(administration, one, asking));
  return { written: true, clients };
}

async function judgeEntry(
  administration: ClientAdministration,
  entry: TransferredClient,
  known: readonly string[],
): Promise<Judged> {
  const { client_id: id, disabled } = entry;
  const metadata = withDefaults({ ...entry.metadata, client_id: id } as ClientMetadata);
  const stored = await administration.find(id);
  const before = stored?.value;
  const switched = disabled !== (before?.disabled ?? false);
  const fields = [
    ...differences(before, { metadata }),
    ...(switched ? [{ name: 'disabled', from: String(!disabled), to: String(disabled) }] : []),
  ];
  const faults = [...known, ...administration.judge(metadata)];
  const change = before === undefined ? 'registered' : fields.length > 0 ? 'changed' : 'unchanged';
  return {
    id,
    outcome: faults.length > 0 ? 'refused' : change,
    fields,
    faults,
    entry,
    version: stored?.version,
    switched,
  };
}

async function take(administration: ClientAdministration, judged: Judged, asking: Asking): Promise<ImportedClient> {
  const { id, entry, outcome, fields, version, switched } = judged;
  if (outcome === 'unchanged') return judged;
  const metadata = { ...entry.metadata, client_id: id } as ClientMetadata;
  const isNew = version === undefined;
  const isMoved = isNew || fields.length > (switched ? 1 : 0);
  const put = isNew
    ? await administration.register(metadata, asking)
    : isMoved
      ? await administration.change(id, version, metadata, asking)
      : undefined;
  if (put?.ok === false)
    return { id, outcome: 'refused', fields, faults: [WHY[put.refusal] ?? '', ...put.faults].filter(Boolean) };
  if (switched) await administration.switch(id, entry.disabled, asking);
  const secret = put !== undefined && 'secret' in put.done ? put.done.secret : undefined;
  return { id, outcome, fields, faults: [], secret };
}

/** What can still come between, after all were judged. */
const WHY: Readonly<Record<string, string>> = {
  'client-exists': 'Somebody else has registered it meanwhile.',
  'client-moved-on': 'Somebody else has changed it meanwhile.',
  'client-unknown': 'Somebody else has deleted it meanwhile.',
};
