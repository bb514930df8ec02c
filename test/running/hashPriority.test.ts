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
  // The thread that has made the first hash; another is started when it is needed.
  expect(threads.filter(({ nice }) => nice === 10)).toHaveLength(1);
  // Requests, and the pool that signs tokens.
  expect(threads.filter(({ nice }) => ![0, 10].includes(nice))).toEqual([]);
  expect(threads.filter(({ name, nice }) => name.startsWith('libuv-worker') && nice === 0)).toHaveLength(4);
});
