/** A fault of the start that its reader can mend: told in words, without a stack. */
export class StartFault extends Error {
  override name = 'StartFault';
}

/** What an error says. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
