import { createHash } from 'node:crypto';
import { type Clock, seconds } from '../clock.ts';
import { methodsOf } from '../factors/factors.ts';
import type { Contact } from '../membership/membership.ts';
import { type Collection, change } from '../storage/collection.ts';
import { type Account, contactsOf } from './account.ts';

const HOUR = 3_600;
/** Seconds in which the owner may stop it. */
export const RECOVERY_DELAY = 24 * HOUR;
/** Seconds after that in which it can be used. */
const RECOVERY_OPEN = 7 * 24 * HOUR;

/**
 * A way back in for a member who reaches none of the account's contacts any more. It opens a day after it was asked for, and
 * until then, and as long as it is open, whoever has one of the account's contacts can stop it. Times are in seconds since
 * 1970.
 */
export interface Recovery {
  /** Where codes go once it is open: a contact that the plan has on file, and that a code has reached. */
  readonly contact: Contact;
  readonly readyAt: number;
  readonly until: number;
  /** Digest of what the link holds that stops it. */
  readonly stop: string;
  /** The message in the outbox that will say that it is open. Without it nobody was told yet, and it does not open. */
  readonly message?: string;
}

export const stopDigest = (secret: string): string => createHash('sha256').update(`stop:${secret}`).digest('base64url');

const lives = (account: Account, clock: Clock): Recovery | undefined =>
  account.recovery !== undefined && account.recovery.until > seconds(clock) ? account.recovery : undefined;

/** Seconds after which one that nobody was told of, because a process died, is begun anew. */
const TOLD_WITHIN = 60;

/** Begins one. With one that is on its way already, that one goes on, and `began` is false. */
export async function beginRecovery(
  accounts: Collection<Account>,
  clock: Clock,
  id: string,
  { contact, secret }: { readonly contact: Contact; readonly secret: string },
): Promise<{ readonly recovery: Recovery; readonly began: boolean } | undefined> {
  const readyAt = seconds(clock) + RECOVERY_DELAY;
  const mine: Recovery = { contact, readyAt, until: readyAt + RECOVERY_OPEN, stop: stopDigest(secret) };
  const account = await change(accounts, id, (now) => {
    const other = lives(now, clock);
    const isUntold = other?.message === undefined && (other?.readyAt ?? 0) < readyAt - TOLD_WITHIN;
    return other === undefined || isUntold ? { ...now, recovery: mine } : undefined;
  });
  const recovery = account && lives(account, clock);
  return recovery && { recovery, began: recovery.stop === mine.stop };
}

/** Takes it away if it is the one that this secret stops. Returns what was stopped. */
export async function stopRecovery(
  accounts: Collection<Account>,
  id: string,
  secret: string,
): Promise<{ readonly account: Account; readonly recovery: Recovery } | undefined> {
  let stopped: Recovery | undefined;
  const account = await change(accounts, id, ({ recovery, ...rest }) => {
    stopped = recovery?.stop === stopDigest(secret) ? recovery : undefined;
    return stopped && rest;
  });
  return account && stopped && { account, recovery: stopped };
}

/** Where codes to an account may go besides its own contacts: first, since the others are out of reach. */
export function recoveryContacts(account: Account, clock: Clock): Contact[] {
  const recovery = lives(account, clock);
  const isOpen = recovery?.message !== undefined && recovery.readyAt <= seconds(clock);
  return recovery !== undefined && isOpen ? [recovery.contact] : [];
}

/** The account's contacts, but for a phone that is its only second step: that one has to come besides the code. */
export function resetContacts(account: Account): Contact[] {
  const phone = account.factors?.phone?.to;
  const others = methodsOf(account, phone).filter((method) => method !== 'recovery-code');
  return contactsOf(account).filter(({ to }) => to !== phone || others.length > 0);
}
