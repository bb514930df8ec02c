import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { statusOf } from './startedProcess.ts';

/** What a proxy shows by itself when a node died over a request: the link asks for the same address again, by GET. */
const PAGE = `<!doctype html><html lang="en"><title>Sign-in is not working right now</title>
<h1>Sign-in is not working right now</h1><p><a id="try-again" href="">Try again</a></p></html>`;

/**
 * A load balancer as nginx is one: it asks each node whether it is ready, and sends requests to those that are, in turn. What
 * only reads goes to another node when one dies over it; a form is not sent twice, and is answered by a page.
 */
export function balance(ports: readonly number[]) {
  const ready = new Set<number>();
  let turn = 0;
  let broken = 0;
  const check = async (port: number) => {
    if ((await statusOf(`http://localhost:${port}/health/ready`)) === 200) ready.add(port);
    else ready.delete(port);
  };
  const checking = setInterval(() => void Promise.all(ports.map(check)), 100);

  const hand = (asked: IncomingMessage, answer: ServerResponse, tried: ReadonlySet<number>): void => {
    const left = [...ready].filter((port) => !tried.has(port));
    turn += 1;
    const port = left[turn % left.length];
    if (port === undefined) return void answer.writeHead(502, { 'content-type': 'text/html' }).end(PAGE);
    const { method, url, headers } = asked;
    const handed = request({ port, method, path: url, headers, agent: false }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.once('error', () => answer.destroy());
      got.pipe(answer);
    });
    handed.once('error', (error: NodeJS.ErrnoException) => {
      broken += 1;
      if (answer.headersSent) answer.destroy();
      // Who refuses the connection has heard nothing yet.
      else if (method === 'GET' || error.code === 'ECONNREFUSED') hand(asked, answer, new Set([...tried, port]));
      else answer.writeHead(502, { 'content-type': 'text/html' }).end(PAGE);
    });
    asked.pipe(handed);
  };

  const server = createServer((asked, answer) => hand(asked, answer, new Set())).listen(0);
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    ready,
    /** How many requests met a node that died over them, or was not there. */
    broken: () => broken,
    close() {
      clearInterval(checking);
      server.close();
      server.closeAllConnections();
    },
  };
}
