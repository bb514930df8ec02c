import type { Entry } from '../core/storage/expiring.ts';

/**
 * What one request has read and written of records, by their keys: so that it need not ask for the same again, nor for a version
 * that it knows. It ends with the request; outside of one nothing is remembered. `request`: the request that is being answered.
 */
export function requestMemory(request: () => object | undefined) {
  const memories = new WeakMap<object, Map<string, Entry | undefined>>();
  const here = (): Map<string, Entry | undefined> | undefined => {
    const asking = request();
    if (asking === undefined) return undefined;
    const memory = memories.get(asking) ?? new Map();
    memories.set(asking, memory);
    return memory;
  };
  return {
    /** Whether there is a request to remember for. */
    isOpen: (): boolean => here() !== undefined,
    knows: (key: string): boolean => here()?.has(key) ?? false,
    get: (key: string): Entry | undefined => here()?.get(key),
    keep(key: string, entry: Entry | undefined): Entry | undefined {
      here()?.set(key, entry);
      return entry;
    },
    forget: (key: string): void => void here()?.delete(key),
  };
}
