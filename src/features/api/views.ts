import type { Ruling } from '../../core/client/administration.ts';
import type { ClientChange } from '../../core/client/changes.ts';
import type { ClientMetadata, ClientRecord } from '../../core/client/client.ts';
import type { ImportedClient } from '../../core/client/transfer.ts';
import type { Stored } from '../../core/storage/collection.ts';
import { etagOf } from './conditions.ts';
import type { Fault, Refused, Reply } from './problems.ts';

const BASE = '/api/v1';

export const addressOf = (issuer: string, path: string): string => `${issuer}${BASE}${path}`;

const timeOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();

/** The metadata of a client without its id, which stands beside it. */
export function metadataOf({ metadata }: ClientRecord): Omit<ClientMetadata, 'client_id'> {
  const { client_id: _, ...rest } = metadata;
  return rest as Omit<ClientMetadata, 'client_id'>;
}

/** A client as the API shows it. */
export const clientView = ({ id, value }: Stored<ClientRecord>) => ({
  client_id: id,
  disabled: value.disabled,
  created_at: timeOf(value.createdAt),
  updated_at: timeOf(value.updatedAt),
  secrets: value.secrets.map(({ createdAt, expiresAt }) => ({
    created_at: timeOf(createdAt),
    ...(expiresAt === undefined ? {} : { expires_at: timeOf(expiresAt) }),
  })),
  metadata: metadataOf(value),
});

/** The answer that shows a client, with the ETag for the next change. */
export const clientReply = (stored: Stored<ClientRecord>, secret?: string): Reply => ({
  status: 200,
  headers: { ETag: etagOf(stored) },
  body: { ...clientView(stored), ...(secret === undefined ? {} : { client_secret: secret }) },
});

/** What is another than before; the history keeps the values as JSON. */
const fieldsView = (fields: ClientChange['fields']) =>
  fields.map(({ name, from, to }) => ({
    name,
    ...(from === undefined ? {} : { from: JSON.parse(from) }),
    ...(to === undefined ? {} : { to: JSON.parse(to) }),
  }));

export const changeView = ({ at, by, action, reason, fields }: ClientChange) => ({
  at: new Date(at).toISOString(),
  by,
  action,
  ...(reason === undefined ? {} : { reason }),
  fields: fieldsView(fields),
});

export const importedView = ({ id, outcome, fields, faults, secret }: ImportedClient) => ({
  client_id: id,
  outcome,
  fields: fieldsView(fields),
  faults: [...faults],
  ...(secret === undefined ? {} : { client_secret: secret }),
});

/** The refusal of a use case, with all that it finds wrong. */
export function refusedBy({ refusal, faults }: Extract<Ruling<never>, { ok: false }>): Refused {
  const errors: Fault[] = faults.map((detail) => ({ detail, pointer: '/metadata' }));
  return { problem: refusal, ...(errors.length > 0 ? { errors } : {}) };
}

/** One page of a list, and where the next one is: in the body, and as a link (RFC 8288). One more than the page holds was read. */
export function page<T>(
  found: readonly T[],
  {
    limit,
    address,
    placeOf,
  }: { readonly limit: number; readonly address: string; readonly placeOf: (one: T) => string },
) {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (found.length <= limit || last === undefined) return { shown, next: null, headers: {} };
  const next = `${address}?${new URLSearchParams({ limit: String(limit), after: placeOf(last) })}`;
  return { shown, next, headers: { Link: `<${next}>; rel="next"` } };
}
