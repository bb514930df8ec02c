import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { Measures } from '../core/measures.ts';
import type { Logger } from '../observe/logger.ts';
import { headersFor } from './headers.ts';
import { newNonce, newRequestId } from './random.ts';

/** A public document as it is sent, with the headers that it always has. */
interface PublicDocument {
  /** What the metrics call it. */
  readonly endpoint: string;
  /** Its bytes, a character each: such a text goes out with the headers in one piece. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface DocumentsDependencies {
  /** By their paths, as they stand now. */
  readonly documents: () => ReadonlyMap<string, PublicDocument>;
  readonly https: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly measures: Pick<Measures, 'requestAnswered'>;
}

/**
 * Answers for public documents from memory, in front of the whole app: every relying party reads them again and again, and the way
 * through the app costs several times what they do. They have the same security headers, line in the log and measure as all else;
 * a language, which the app finds out for its pages, they have not. Everything that is not exactly such a path, with a query
 * or spelled otherwise, goes to the app and is answered there by oidc-provider.
 */
export function documentsFirst(deps: DocumentsDependencies, app: RequestListener): RequestListener {
  return (request, response) => {
    const { method, url = '' } = request;
    const document = method === 'GET' || method === 'HEAD' ? deps.documents().get(url) : undefined;
    if (document === undefined) return app(request, response);
    const started = performance.now();
    const at = deps.clock.now();
    const id = newRequestId();
    const status = isKnown(request, document) ? 304 : 200;
    const headers = {
      ...headersFor(newNonce(), deps.https),
      ...document.headers,
      'X-Request-Id': id,
      // Any page may read it, and is named as oidc-provider names it (Fetch 3.2.3).
      'access-control-allow-origin': request.headers.origin ?? '*',
    };
    send(request, response, status, headers, document.body);
    deps.log.info({ requestId: id, method, path: url, status, ms: deps.clock.now() - at }, 'request');
    deps.measures.requestAnswered(method ?? '', document.endpoint, status, (performance.now() - started) / 1000);
  };
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  if (status === 304) {
    response.writeHead(status, headers).end();
    return;
  }
  response
    .writeHead(status, { ...headers, 'Content-Length': body.length })
    .end(method === 'HEAD' ? '' : body, 'latin1');
}

/** Whether who asks has this very document already (RFC 9110 13.1.2: weak comparison). */
function isKnown({ headers }: IncomingMessage, document: PublicDocument): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  return known.split(',').some((tag) => ['*', document.headers.ETag].includes(tag.trim().replace(/^W\//, '')));
}
