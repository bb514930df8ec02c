import { CLIENT_OPERATIONS } from './clients.ts';
import type { Operation } from './operation.ts';
import { RECORD_OPERATIONS } from './records.ts';

/** Everything that the API does. */
export const OPERATIONS: readonly Operation[] = [...CLIENT_OPERATIONS, ...RECORD_OPERATIONS];

/** The operation for a path below `/api/v1`, and the client that it names; or the methods that this path takes. */
export function findOperation(
  method: string,
  path: string,
): { readonly operation: Operation; readonly id: string } | { readonly allowed: readonly string[] } {
  const fitting = OPERATIONS.flatMap((operation) => {
    const id = match(operation.path, path);
    return id === undefined ? [] : [{ operation, id }];
  });
  const asked = method === 'HEAD' ? 'GET' : method;
  return (
    fitting.find(({ operation }) => operation.method === asked) ?? {
      allowed: fitting.flatMap(({ operation }) => (operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method])),
    }
  );
}

/** The client that a path names, '' where its template has none; undefined where they do not fit. */
function match(template: string, path: string): string | undefined {
  const [before = '', after] = template.split('{client_id}');
  if (after === undefined) return template === path ? '' : undefined;
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
  const part = path.slice(before.length, path.length - after.length);
  return part === '' || part.includes('/') ? undefined : decoded(part);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
