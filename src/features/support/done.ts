/** What has just been done, as the page says it that follows. Its words stand under `support.done.<name>`. */
export const DONE = [
  ...(['checked', 'unlocked', 'invited', 'signed-out', 'frozen', 'thawed', 'letter', 'let-in', 'removal'] as const),
  ...(['removed', 'declined', 'case-closed'] as const),
] as const;

/** The page that says so. */
export const doneAt = (path: string, what: (typeof DONE)[number]): string => `${path}?done=${what}`;
