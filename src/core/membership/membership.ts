/** What a person says of themself, as on the member card. It identifies; it never authenticates (NIST SP 800-63A-4 3.1.1.2). */
export interface Person {
  readonly firstName: string;
  readonly lastName: string;
  /** YYYY-MM-DD. */
  readonly birthDate: string;
  readonly postalCode: string;
}

/** Where the plan reaches a member. A landline is called, a mobile gets a text or a call. */
export interface Contact {
  readonly kind: 'email' | 'mobile' | 'landline';
  /** An email address, or a number in E.164. */
  readonly to: string;
}

/**
 * How a membership stands. `ended` begins the day after `endsOn`; who may still come in then is decided where it is asked.
 * A merged number is none of these: it leads to the membership that it was merged into.
 */
export type Standing = 'active' | 'frozen' | 'deceased';

/** A membership of the plan, as the plan knows it. */
export interface Membership extends Person {
  readonly memberNumber: string;
  /** Numbers that were merged into this one. */
  readonly formerNumbers: readonly string[];
  readonly standing: Standing;
  /** The last day of the membership, YYYY-MM-DD, where it has one. */
  readonly endsOn?: string | undefined;
  /** Those of the plan's own records; codes go nowhere else. */
  readonly contacts: readonly Contact[];
  /** BCP 47. */
  readonly locale: string;
}

/** The plan's membership records: the built-in roster, or the plan's eligibility service. */
export interface MembershipDirectory {
  /**
   * The membership with this number, if these are its person's details; `matching.ts` says which differences do not
   * count. A merged number finds the membership that it was merged into. Undefined for a wrong detail and for a number
   * that is nobody's alike. Rejects with Unavailable('membership') when the records cannot be asked: nobody guesses then.
   */
  match(person: Person, memberNumber: string): Promise<Membership | undefined>;
  /**
   * The membership with this number, for somebody who is known to be its person: where the records can be read by number
   * alone, whatever these details are by now. Rejects as `match` does.
   */
  find(memberNumber: string, person: Person): Promise<Membership | undefined>;
}
