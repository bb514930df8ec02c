import type { ClientRecord } from '../../core/client/client.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { Refused } from './problems.ts';

/** The ETag of a client (RFC 9110 8.8.3). Its birth is in it, so that a client of the same id that came later has another. */
export const etagOf = ({ version, value }: Stored<ClientRecord>): string =>
  `"${value.createdAt.toString(36)}-${version}"`;

/** Whether `If-Match` names this client as it stands (RFC 9110 13.1.1: by strong comparison, so that `W/…` never does). */
const matches = (header: string, stored: Stored<ClientRecord>): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => tag.trim() === etagOf(stored));

/** The version that a change may be made to; undefined where any is good. */
export async function versionFor(
  header: string,
  need: 'demanded' | 'optional' | undefined,
  find: () => Promise<Stored<ClientRecord> | undefined>,
): Promise<{ readonly version: number | undefined } | Refused> {
  if (need === undefined) return { version: undefined };
  if (header === '') return need === 'demanded' ? { problem: 'condition-missing' } : { version: undefined };
  const stored = await find();
  if (stored === undefined) return { problem: 'client-unknown' };
  if (!matches(header, stored)) return { problem: 'client-moved-on', headers: { ETag: etagOf(stored) } };
  return { version: header.trim() === '*' ? undefined : stored.version };
}
