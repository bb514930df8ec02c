import { createHash } from 'node:crypto';
import type { Collection } from '../storage/collection.ts';
import { timeKey } from '../storage/newestFirst.ts';
import type { ClientRecord } from './client.ts';

/** One change of a client, as its history shows it. */
export interface ClientChange {
  readonly clientId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Who: the id of an account, of a client with an access token, or of the command line. */
  readonly by: string;
  readonly action: 'registered' | 'changed' | 'disabled' | 'enabled' | 'deleted' | 'secret-rotated' | 'secret-ended';
  readonly reason?: string | undefined;
  /** What is another than before, as JSON; secrets are never in it. */
  readonly fields: readonly { readonly name: string; readonly from?: string; readonly to?: string }[];
}

/** Metadata that is another than before, by name. */
export function differences(
  before: Pick<ClientRecord, 'metadata'> | undefined,
  after: Pick<ClientRecord, 'metadata'> | undefined,
): ClientChange['fields'] {
  const [from, to] = [before?.metadata ?? {}, after?.metadata ?? {}] as Record<string, unknown>[];
  const names = [...new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})])].toSorted();
  const text = (value: unknown) => (value === undefined ? undefined : JSON.stringify(shortened(value)));
  return names.flatMap((name) => {
    const [was, is] = [text(from?.[name]), text(to?.[name])];
    if (was === is) return [];
    return [{ name, ...(was === undefined ? {} : { from: was }), ...(is === undefined ? {} : { to: is }) }];
  });
}

/** A picture in a history says which one it was, and does not show it. */
const shortened = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('data:')
    ? `${value.slice(0, value.indexOf(','))}, ${value.length} characters, sha256 ${digestOf(value)}`
    : value;

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Puts a change down; `id` tells those of one millisecond apart. */
export const recordChange = (changes: Collection<ClientChange>, change: ClientChange, id: string): Promise<unknown> =>
  changes.insert(`${encodeURIComponent(change.clientId)}/${timeKey(change.at)}-${id}`, change);

/** The changes of a client, the newest first. */
export const changesOf = async (
  changes: Collection<ClientChange>,
  clientId: string,
  limit: number,
): Promise<ClientChange[]> => (await changesAfter(changes, clientId, '', limit)).map(({ change }) => change);

/** The same from one place on; each with the place at which those after it begin. */
export async function changesAfter(
  changes: Collection<ClientChange>,
  clientId: string,
  place: string,
  limit: number,
): Promise<{ readonly place: string; readonly change: ClientChange }[]> {
  const prefix = `${encodeURIComponent(clientId)}/`;
  const found = await changes.all(prefix + place, limit);
  return found
    .filter(({ id }) => id.startsWith(prefix))
    .map(({ id, value }) => ({ place: id.slice(prefix.length), change: value }));
}
