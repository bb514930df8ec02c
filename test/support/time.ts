import { jest } from '@jest/globals';

/** Lets a test move the date. Timers stay real; our clock and oidc-provider read the same date. */
export function movableDate() {
  jest.useFakeTimers({
    doNotFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
      ...(['nextTick', 'queueMicrotask', 'performance', 'hrtime'] as const),
    ],
    now: Date.now(),
  });
  return {
    advance: (seconds: number) => void jest.setSystemTime(Date.now() + seconds * 1000),
    restore: () => void jest.useRealTimers(),
  };
}
