import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to Redis on which a command can be lain in wait for: Redis does what it says, and its answer never arrives, because
 * something happens first.
 */
export async function openRedisTap(redisUrl: string) {
  const { port, pathname } = new URL(redisUrl);
  const open = new Set<Socket>();
  let waitedFor: { readonly pattern: RegExp; readonly happens: () => void } | undefined;
  const server = createServer((client) => {
    const inner = connect(Number(port), '127.0.0.1');
    let caught = false;
    for (const one of [client, inner]) {
      open.add(one);
      one.once('close', () => open.delete(one)).on('error', () => undefined);
    }
    client.on('data', (chunk) => {
      if (waitedFor?.pattern.test(chunk.toString('latin1'))) caught = true;
      inner.write(chunk);
    });
    inner.on('data', (chunk) => {
      if (!caught || waitedFor === undefined) return void client.write(chunk);
      const { happens } = waitedFor;
      waitedFor = undefined;
      happens();
    });
    client.once('close', () => inner.destroy());
    inner.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    /** Once: when a command of this form has been carried out. */
    when(pattern: RegExp, happens: () => void): void {
      waitedFor = { pattern, happens };
    },
    close(): void {
      for (const one of open) one.destroy();
      server.close();
    },
  };
}
