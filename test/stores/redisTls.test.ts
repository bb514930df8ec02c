import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/adapters/systemClock.ts';
import { connectRedis } from '../../src/stores/redis/connect.ts';
import { RedisExpiring } from '../../src/stores/redis/expiring.ts';
import { trustedCertificate } from '../support/appServer.ts';
import { freshServers, STORE_PAIRS } from '../support/stores.ts';

(STORE_PAIRS[1].available ? describe : describe.skip)('Redis behind TLS', () => {
  let port: number;
  let close: () => void;
  beforeAll(async () => {
    const { redisUrl } = await freshServers();
    const open = new Set<TLSSocket>();
    const server = createServer(trustedCertificate(), (socket) => {
      open.add(socket);
      const inner = connect(Number(new URL(redisUrl).port), '127.0.0.1');
      socket.pipe(inner).pipe(socket);
      for (const side of [socket, inner]) side.on('error', () => [socket, inner].map((one) => one.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    port = (server.address() as AddressInfo).port;
    close = () => {
      for (const socket of open) socket.destroy();
      server.close();
    };
  });
  afterAll(() => close());

  test('is asked under a name that its certificate has', async () => {
    const redis = connectRedis(`rediss://localhost:${port}/9`, () => undefined);
    await redis.connect();
    const expiring = new RedisExpiring(redis, systemClock);
    await expiring.put('behind tls', { a: 1 }, systemClock.now() + 1_000);
    expect((await expiring.get('behind tls'))?.value).toEqual({ a: 1 });
    await expiring.remove('behind tls');
    redis.disconnect();
  });

  test('is not asked under any other', async () => {
    const told: string[] = [];
    const redis = connectRedis(`rediss://127.0.0.1:${port}`, ({ message }) => void told.push(message));
    await expect(redis.connect()).rejects.toThrow();
    redis.disconnect();
    expect(told.join()).toContain("does not match certificate's altnames");
  });
});
