type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396 2: null takes a member away, an object is merged, everything else replaces. */
export function mergePatch(target: Json, patch: Json): Json {
  const merged = Object.entries(patch).map(([name, value]): [string, unknown] => {
    if (!isObject(value)) return [name, value];
    const before = target[name];
    return [name, mergePatch(isObject(before) ? before : {}, value)];
  });
  return Object.fromEntries(
    Object.entries({ ...target, ...Object.fromEntries(merged) }).filter(([, value]) => value !== null),
  );
}
