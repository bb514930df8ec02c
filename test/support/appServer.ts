import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request that an app was sent. */
interface Heard {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; everything else as JSON. */
  readonly body?: string | object;
}

type Answer = (heard: Heard) => Reply | Promise<Reply>;

/** An app's own server: it remembers what it was sent, and answers as it is told to, or else by 200. */
export interface AppServer {
  readonly origin: string;
  readonly heard: Heard[];
  /** From now on it answers so. */
  answer(how: Answer): void;
  close(): Promise<void>;
}

export const openAppServer = (): Promise<AppServer> => open((listener) => createServer(listener), 'http');

/** The same behind TLS. */
export async function openSecureAppServer(): Promise<AppServer> {
  const certificate = trustedCertificate();
  return open((listener) => createTlsServer(certificate, listener), 'https');
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
}
/** The certificate for localhost, in PEM, that `npm test` has made and every process of the tests trusts. */
export function trustedCertificate(): Certificate {
  const read = (name: string) => readFileSync(String(process.env[name]), 'utf8');
  return { key: read('TEST_CERTIFICATE_KEY'), cert: read('TEST_CERTIFICATE') };
}

async function open(serve: (listener: RequestListener) => ReturnType<typeof createServer>, scheme: string) {
  let how: Answer = () => ({});
  const heard: Heard[] = [];
  const server = serve((request, response) => {
    void hear(request).then(async (one) => {
      heard.push(one);
      const { status = 200, headers = {}, body = '' } = await how(one);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return {
    ...{ origin: `${scheme}://localhost:${(server.address() as AddressInfo).port}`, heard },
    answer(next: Answer) {
      how = next;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const hear = async (request: IncomingMessage): Promise<Heard> => ({
  ...{ method: request.method, path: request.url, contentType: request.headers['content-type'] },
  body: await text(request),
});
