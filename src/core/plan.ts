/** The plan as its members know it; `config/plan.json`. */
export interface Plan {
  readonly name: string;
  readonly phone: string;
  readonly tty: string;
  readonly website: string;
  /** IANA name of the time zone in which times are told. */
  readonly timeZone: string;
  /** By language. */
  readonly phoneHours: Readonly<Record<string, string>>;
}
