import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { StartFault, wordsOf } from './startFault.ts';

/**
 * Proxies keep connections to us for a minute. One that we close in the moment in which a form is sent on it is an error to them,
 * and they may not send a form twice: they have to be the ones that close.
 */
const KEEP_ALIVE_MS = 75_000;

/** Takes a port, which is set by this setting. Rejects with a StartFault when it cannot be had. */
export function openDoor(port: number, setting: string, listener: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new StartFault(`Port ${port} is taken. Stop the program that uses it, or set ${setting} to another port.`)
          : new StartFault(`Port ${port} cannot be opened (${wordsOf(error)}). Set ${setting} to another port.`),
      ),
    );
    server.listen(port, () => resolve(server));
  });
}

/**
 * Rejects with a StartFault when a port cannot be had. Nobody listens on it afterwards: a proxy hands a form on to another node
 * only where it is refused the connection.
 */
export async function checkPort(port: number, setting: string): Promise<void> {
  const server = await openDoor(port, setting, (request) => request.destroy());
  await new Promise((resolve) => server.close(resolve));
}

/** Requests in flight may take this long to end. */
const LONGEST_ANSWER_MS = 10_000;

/**
 * Closes a door without turning anybody away: goes on serving for so many seconds, in which whoever sends requests here
 * learns from `/health/ready` and from `Connection: close` to go elsewhere; then takes nothing new, and resolves when
 * the last answer is out, or after ten seconds.
 */
export async function closeDoor(door: Server, seconds: number): Promise<void> {
  door.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  await delay(seconds * 1000);
  const closed = new Promise((resolve) => door.close(resolve));
  // An answer that began before the end was announced leaves its connection open.
  const sweep = setInterval(() => door.closeIdleConnections(), 50);
  await Promise.race([closed, delay(LONGEST_ANSWER_MS, undefined, { ref: false })]);
  clearInterval(sweep);
}
