import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

/**
 * A proxy that ends TLS as one does in front of a deployment: it keeps the path, and hands on who asked. `to` may be set
 * later, because the provider behind it must know its address first.
 */
export async function startTlsProxy(certificate: { readonly cert: string; readonly key: string }) {
  let target = 0;
  const server: Server = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, outgoing) => {
    const headers = {
      ...incoming.headers,
      host: 'inside',
      'x-forwarded-for': '198.51.100.7',
      'x-forwarded-proto': 'https',
    };
    const { method, url: path } = incoming;
    const onward = request({ port: target, host: 'localhost', method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, () => resolve()));
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    passTo: (port: number) => {
      target = port;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
