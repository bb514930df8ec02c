/** The columns of a roster file; their order in the file is free, and those after the first five may be left out. */
const REQUIRED = ['member_number', 'first_name', 'last_name', 'birth_date', 'postal_code'] as const;
const OPTIONAL = ['email', 'phone', 'phone_kind', 'locale', 'status', 'ends_on', 'merged_into'] as const;

export type RosterColumn = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];

export const ROSTER_COLUMNS: readonly RosterColumn[] = [...REQUIRED, ...OPTIONAL];

/** A roster file cannot be read at all; the message says why, as a sentence. */
export class RosterFileFault extends Error {
  override name = 'RosterFileFault';
}

/** What a row says in each column, without the spaces around it; '' where the file lacks the column. */
export type RosterFields = Readonly<Record<RosterColumn, string>>;

/**
 * Reads rows by the names in the first line of the file. Throws RosterFileFault when columns are missing, unknown or
 * named twice. The answer is undefined for a row with too few or too many columns.
 */
export function fieldsBy(header: readonly string[]): (row: readonly string[]) => RosterFields | undefined {
  const names = header.map((name) => name.trim().toLowerCase());
  const faults = headerFaults(names);
  if (faults.length > 0) throw new RosterFileFault(`The first line must name the columns: ${faults.join('; ')}.`);
  const places = ROSTER_COLUMNS.map((column) => [column, names.indexOf(column)] as const);
  return (row) => {
    if (row.length !== names.length) return undefined;
    // Every column has its place, which fromEntries cannot tell.
    return Object.fromEntries(places.map(([column, place]) => [column, row[place]?.trim() ?? ''])) as RosterFields;
  };
}

function headerFaults(names: readonly string[]): string[] {
  const known: readonly string[] = ROSTER_COLUMNS;
  return [
    ...REQUIRED.filter((column) => !names.includes(column)).map((column) => `${column} is missing`),
    ...names
      .filter((name) => !known.includes(name))
      .map((name) => `${name.slice(0, 40) || 'an empty name'} is not known`),
    ...names.filter((name, place) => names.indexOf(name) !== place).map((name) => `${name} stands there twice`),
  ];
}
