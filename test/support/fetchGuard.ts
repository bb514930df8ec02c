/**
 * Jest's sandbox hides what Node's fetch runs on, and with it oidc-provider's guard against private addresses; a provider
 * in a process of its own has both.
 */
for (const name of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map(Symbol.for)) {
  const outside: object = fetch.constructor('return globalThis')();
  Object.assign(globalThis, { [name]: Reflect.get(outside, name) });
}

export {};
