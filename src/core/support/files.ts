import type { Clock } from '../clock.ts';
import type { Membership } from '../membership/membership.ts';
import type { Seal } from '../seal.ts';
import type { Expiring } from '../storage/expiring.ts';

/** What an agent has opened, and why: an account, or a membership that may have none. */
export interface DeskFile {
  readonly accountId?: string | undefined;
  /** As it was typed, where it is nobody's account. */
  readonly memberNumber?: string | undefined;
  /** Of a member without an account, once the caller was checked. */
  readonly membership?: Membership | undefined;
  /** Of the case that it was found by. */
  readonly caseNumber?: string | undefined;
  /** In the agent's words. */
  readonly reason: string;
  /** When the caller was checked, in milliseconds since 1970. */
  readonly checkedAt?: number | undefined;
}

export interface OpenFile extends DeskFile {
  readonly handle: string;
  readonly version: number;
}

const MINUTE_MS = 60_000;
/** How long a file stays open, and how long a check of the caller counts. */
const FILE_MS = 30 * MINUTE_MS;
const CHECK_MS = 15 * MINUTE_MS;

export interface FileDependencies {
  readonly expiring: Expiring;
  readonly seal: Seal;
  readonly clock: Clock;
  /** 192 random bits, Base64url. */
  readonly newSecret: () => string;
}

/**
 * The files on the desk. Each lies there for the session of the agent who has searched for it, under a handle that nobody
 * guesses: there is no way to a member but by the search, and none from one agent's desk to another's.
 */
export function deskFiles({ expiring, seal, clock, newSecret }: FileDependencies) {
  const key = (session: string, handle: string) => `desk:${session}:${handle}`;
  const write = (session: string, { handle, version, ...file }: OpenFile): Promise<boolean> => {
    const at = key(session, handle);
    return expiring.swap(at, version, { sealed: seal.seal(JSON.stringify(file), at) }, clock.now() + FILE_MS);
  };
  return {
    /** Returns the handle. `session`: the agent's. */
    async open(session: string, file: DeskFile): Promise<string> {
      const handle = newSecret();
      await write(session, { ...file, handle, version: 0 });
      return handle;
    },

    async find(session: string, handle: string): Promise<OpenFile | undefined> {
      const at = key(session, handle);
      const entry = /^[\w-]{32}$/.test(handle) ? await expiring.get(at) : undefined;
      if (entry === undefined) return undefined;
      const file: DeskFile = JSON.parse(seal.open((entry.value as { sealed: string }).sealed, at));
      return { ...file, handle, version: entry.version };
    },

    /** The caller has answered as the member would. False where the file has changed in between. */
    check: (session: string, file: OpenFile, found: Pick<DeskFile, 'accountId' | 'membership'>): Promise<boolean> =>
      write(session, { ...file, ...found, checkedAt: clock.now() }),

    isChecked: ({ checkedAt = 0 }: DeskFile): boolean => checkedAt + CHECK_MS > clock.now(),
  };
}

export type DeskFiles = ReturnType<typeof deskFiles>;
