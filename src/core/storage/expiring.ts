/**
 * What expires: sessions, tokens, journeys. Every operation is atomic on its own key and touches no other.
 *
 * A deadline is a number of milliseconds since 1970 that the store compares with our clock. A record past its deadline
 * is absent, whether or not the server has thrown it away yet.
 */
export interface Expiring {
  get(key: string): Promise<Entry | undefined>;

  /** Writes the value whatever stood there, at version 1; but a record that was spent stays as it is, and dead. */
  put(key: string, value: object, deadline: number): Promise<boolean>;

  /**
   * Writes the value if the record still has this version; version 0 means that it must be absent. A record that was spent stays
   * as it is.
   */
  swap(key: string, version: number, value: object, deadline: number): Promise<boolean>;

  /** Marks a record as used up. True for the first caller only; false when it is spent already or absent. */
  spend(key: string, at: number): Promise<boolean>;

  /** True for the one that has removed it, of however many callers. */
  remove(key: string): Promise<boolean>;

  /** Adds a member to a set. The set lives as long as its longest member. */
  join(set: string, member: string, deadline: number): Promise<void>;

  members(set: string): Promise<string[]>;
}

export interface Entry {
  readonly value: object;
  readonly version: number;
  /** When it was spent, in the unit that `spend` was given. */
  readonly spentAt?: number;
}
