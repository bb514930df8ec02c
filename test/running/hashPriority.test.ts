import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { startProcess } from '../support/startedProcess.ts';

(process.platform === 'linux' ? test : test.skip)('hashes run on threads that let requests go first', async () => {
  const provider = await startProcess();
  await provider.ready();
  const tasks = `/proc/${provider.child.pid}/task`;
  const threads = readdirSync(tasks).map((id) => ({
    name: readFileSync(`${tasks}/${id}/comm`, 'utf8').trim(),
    // The 19th field; the name before it may hold anything but a closing bracket.
    nice: Number(readFileSync(`${tasks}/${id}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
  }));
  await provider.stop();
  const [pool, others] = [true, false].map((inPool) =>
    threads.filter(({ name }) => name.startsWith('libuv-worker') === inPool),
  );
  expect(pool?.map(({ nice }) => nice)).toEqual([19, 19, 19, 19]);
  expect(others?.filter(({ nice }) => nice !== 0)).toEqual([]);
});
