import base from './jest.config.mjs';

/** `npm run test:long`: what takes minutes. Its last result stands in `docs/long-tests.md`. */
export default {
  ...base,
  roots: ['<rootDir>/test/long'],
  testPathIgnorePatterns: [],
  testTimeout: 1_800_000,
  maxWorkers: 1,
};
