import type { Measures } from '../core/measures.ts';
import type { Stores } from '../core/storage/stores.ts';

type StoreAnswered = Measures['storeAnswered'];

/** The same stores; how long each operation took is measured under the names of the port and of its method. */
export function measuredStores(stores: Stores, answered: StoreAnswered): Stores {
  const entries = Object.entries(stores).map(([name, port]) => [
    name,
    typeof port === 'function' ? port : measured(port, name, answered),
  ]);
  // Every port is replaced by one of its own type, which fromEntries cannot tell.
  return Object.fromEntries(entries) as Stores;
}

function measured<Port extends object>(port: Port, store: string, answered: StoreAnswered): Port {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get(target, name) {
      if (wrapped.has(name)) return wrapped.get(name);
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const operation = async (...args: unknown[]): Promise<unknown> => {
        const started = performance.now();
        let failed = true;
        try {
          // The port itself as `this`: private fields are not on the proxy.
          const answer: unknown = await Reflect.apply(value, target, args);
          failed = false;
          return answer;
        } finally {
          answered(store, String(name), (performance.now() - started) / 1000, failed);
        }
      };
      wrapped.set(name, operation);
      return operation;
    },
  });
}
