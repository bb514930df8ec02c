import type { Collection, Stored } from '../storage/collection.ts';
import { samePerson } from './matching.ts';
import type { Membership, MembershipDirectory } from './membership.ts';
import type { RosterCipher, RosterRecord } from './rosterCipher.ts';

/** Merges that lead from one number to the next; a longer way, or one in a circle, leads nowhere. */
export const LONGEST_WAY = 8;

/** What the built-in roster stands on. */
export interface Roster {
  readonly roster: Collection<RosterRecord>;
  readonly cipher: RosterCipher;
  /** Hears of each membership that a row changes, before it is written. */
  readonly onChange?: (membership: Membership) => Promise<void>;
}

/** A membership that is nobody's. It is opened and compared where there is none, so that the work is the same. */
const DECOY: Membership = {
  ...{ firstName: 'Nobody', lastName: 'At All', birthDate: '1900-01-01', postalCode: '00000' },
  ...{ memberNumber: 'NONE-000-0000', formerNumbers: [], standing: 'active', locale: 'en' },
  contacts: [{ kind: 'email', to: 'nobody@example.invalid' }],
};

/** The plan's membership records as they were imported. */
export function rosterDirectory({ roster, cipher }: Roster): MembershipDirectory {
  const decoy = cipher.seal(DECOY, 'decoy');
  return {
    async match(person, memberNumber) {
      const found = await endOfMerges(roster, cipher.ids(memberNumber));
      const membership = openedFrom(cipher, found);
      const same = samePerson(person, membership ?? cipher.open(decoy, 'decoy'));
      return same ? membership : undefined;
    },
    find: (memberNumber) => inRoster({ roster, cipher }, memberNumber),
  };
}

/** The membership that a number leads to, whoever asks: for staff. */
export const inRoster = async ({ roster, cipher }: Roster, memberNumber: string): Promise<Membership | undefined> =>
  openedFrom(cipher, await endOfMerges(roster, cipher.ids(memberNumber)));

/**
 * The record that a number leads to: its own, or that of the membership that it was merged into, however often. Undefined
 * when there is none. `ids`: where the number may stand, the first that is there counts.
 */
export async function endOfMerges(
  roster: Collection<RosterRecord>,
  ids: readonly string[],
): Promise<Stored<RosterRecord> | undefined> {
  let next = ids;
  for (let step = 0; step <= LONGEST_WAY; step += 1) {
    const found = firstOf(await roster.findMany(next), next);
    if (found?.value.mergedInto === undefined) return found;
    next = [found.value.mergedInto];
  }
  return undefined;
}

/** Of the records that were found, the one whose id stands first. */
export function firstOf(
  found: readonly Stored<RosterRecord>[],
  ids: readonly string[],
): Stored<RosterRecord> | undefined {
  const byId = new Map(found.map((one) => [one.id, one]));
  return ids.map((id) => byId.get(id)).find((one) => one !== undefined);
}

/** The membership of a record; undefined when there is none, or the number was merged into another. */
export function openedFrom(cipher: RosterCipher, stored: Stored<RosterRecord> | undefined): Membership | undefined {
  return stored?.value.sealed === undefined ? undefined : cipher.open(stored.value.sealed, stored.id);
}
