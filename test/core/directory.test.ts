import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientDirectory, ClientRecord } from '../../src/core/client/client.ts';
import { clientDirectory } from '../../src/core/client/directory.ts';
import type { Stored } from '../../src/core/storage/collection.ts';
import { TestClock } from '../support/clock.ts';

const SECOND = 1_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the directory of clients', () => {
  let clock: TestClock;
  let directory: ClientDirectory;
  let reads: string[];
  let held: Map<string, ClientRecord>;
  let down: boolean;

  const put = (id: string, name: string, disabled = false) =>
    held.set(id, {
      metadata: { client_id: id, redirect_uris: [], client_name: name },
      ...{ secrets: [], disabled, createdAt: 1, updatedAt: 1 },
    });
  const nameOf = async (id: string) => (await directory.find(id))?.value.metadata.client_name;

  beforeEach(() => {
    clock = new TestClock();
    reads = [];
    held = new Map();
    down = false;
    const find = async (id: string): Promise<Stored<ClientRecord> | undefined> => {
      reads.push(id);
      if (down) throw new Error('the store is down');
      const value = held.get(id);
      return value && { id, version: 1, value };
    };
    directory = clientDirectory({ find }, clock);
    put('app', 'first');
  });

  test('reads a client once, however many ask at the same time', async () => {
    await Promise.all(Array.from({ length: 50 }, () => nameOf('app')));
    clock.advance(2 * SECOND);
    await nameOf('app');
    expect(reads).toEqual(['app']);
  });

  test('reads it again beside a request that comes late, and before one that comes after five seconds', async () => {
    await nameOf('app');
    put('app', 'second');
    clock.advance(3 * SECOND);
    expect(await nameOf('app')).toBe('first');
    await turn();
    expect(await nameOf('app')).toBe('second');
    put('app', 'third');
    clock.advance(5 * SECOND);
    expect(await nameOf('app')).toBe('third');
    expect(reads).toHaveLength(3);
  });

  test('opens nothing for a client that was disabled, after five seconds at the latest', async () => {
    await nameOf('app');
    put('app', 'first', true);
    clock.advance(5 * SECOND);
    expect(await nameOf('app')).toBeUndefined();
  });

  test('serves its last copy for ten minutes while the store is down, and knows nobody new', async () => {
    await nameOf('app');
    down = true;
    clock.advance(9 * 60 * SECOND);
    expect(await nameOf('app')).toBe('first');
    await expect(nameOf('other')).rejects.toThrow('down');
    clock.advance(60 * SECOND);
    await expect(nameOf('app')).rejects.toThrow('down');
  });

  test('remembers names that nobody registered, and no more of them than fit', async () => {
    for (let i = 0; i < 3; i += 1) await nameOf('made-up');
    expect(reads).toEqual(['made-up']);
    for (let i = 0; i < 2_000; i += 1) await nameOf(`made-up-${i}`);
    await nameOf('made-up');
    expect(reads.filter((id) => id === 'made-up')).toHaveLength(2);
  });

  test('reads a client anew that has just changed here', async () => {
    await nameOf('app');
    put('app', 'second');
    directory.forget('app');
    expect(await nameOf('app')).toBe('second');
  });
});
