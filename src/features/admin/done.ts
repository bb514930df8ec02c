/** What has just been done, as the page says it that follows. Its words stand under `admin.done.<name>`. */
export const DONE = [
  ...(['roles-set', 'client-changed', 'client-disabled', 'client-enabled', 'client-deleted'] as const),
  ...(['secrets-ended', 'keys-rotated', 'keys-withdrawn', 'keys-scheduled'] as const),
] as const;

/** The page that says so. */
export const doneAt = (path: string, what: (typeof DONE)[number]): string => `${path}?done=${what}`;
