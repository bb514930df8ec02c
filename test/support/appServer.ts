import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { makeCertificate } from './certificates.ts';

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
let certificate: Certificate | undefined;

/** A certificate for localhost, in PEM, that this process trusts from now on; the same at each call. */
export function trustedCertificate(): Certificate {
  if (certificate !== undefined) return certificate;
  // A name of its own: of two with one name a verifier may try the wrong one.
  const made = makeCertificate({ commonName: `localhost ${randomUUID()}`, dnsName: 'localhost' });
  certificate = {
    key: String(made.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: made.certificate.toString(),
  };
  setDefaultCACertificates([...getCACertificates('default'), certificate.cert]);
  return certificate;
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
