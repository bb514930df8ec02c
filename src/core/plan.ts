/** The plan as its members know it; `config/plan.json`. */
export interface Plan {
  readonly name: string;
  readonly phone: string;
  readonly tty: string;
  readonly website: string;
  /** IANA name of the time zone in which times are told. */
  readonly timeZone: string;
  /** "Help in your language, call …" in languages that the pages do not speak. */
  readonly taglines: readonly { readonly lang: string; readonly dir: 'ltr' | 'rtl'; readonly text: string }[];
  /** What the operator wants told on every page, by language; for planned work and outages. */
  readonly banner?: Readonly<Record<string, string>> | undefined;
  /** What who registers agrees to. A new version is shown again at the next sign-in. */
  readonly agreements: {
    readonly terms: { readonly version: string; readonly url: string };
    readonly privacy: { readonly version: string; readonly url: string };
    readonly sms: { readonly version: string };
  };
  /** Whom to tell of a hole: addresses in the order of preference, and the page that says what may be tried. */
  readonly security?: { readonly contact: readonly string[]; readonly policy?: string | undefined } | undefined;
  /** By language. */
  readonly phoneHours: Readonly<Record<string, string>>;
}
