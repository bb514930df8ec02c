/** A session as its owner sees it. Times are in seconds since 1970. */
export interface ListedSession {
  readonly handle: string;
  /** What the browser calls itself; empty where it says nothing. */
  readonly agent: string;
  readonly startedAt: number;
  readonly usedAt: number;
  /** It is the one of the browser that asks. */
  readonly isHere: boolean;
  /** Client ids of the apps that it was used for. */
  readonly apps: readonly string[];
}
