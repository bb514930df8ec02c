import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Config } from './config/load.ts';
import type { Account } from './core/account/account.ts';
import type { PasswordRules } from './core/account/newPassword.ts';
import { objections } from './core/account/objections.ts';
import type { PasswordHash, PasswordHasher } from './core/account/password.ts';
import { countryOf } from './core/account/phone.ts';
import { recoveryContacts } from './core/account/recovery.ts';
import type { Audit } from './core/audit/event.ts';
import { trail } from './core/audit/trail.ts';
import { type Clock, seconds } from './core/clock.ts';
import { codes, letterPurpose } from './core/codes/codes.ts';
import { LETTER, type Way } from './core/codes/contacts.ts';
import { addressPurpose, codePurpose, confirmationPurpose, letterSubject, subjectOf } from './core/codes/purposes.ts';
import { hasSecondStep } from './core/factors/factors.ts';
import type { Course } from './core/journey/errand.ts';
import type { Facts } from './core/journey/journey.ts';
import { hasEnded } from './core/membership/lifecycle.ts';
import type { Contact, MembershipDirectory } from './core/membership/membership.ts';
import type { Channel, Outbox } from './core/messages/message.ts';
import { type Outcome, proven, refused } from './core/refusal.ts';
import type { Seal } from './core/seal.ts';
import type { Stores } from './core/storage/stores.ts';
import { addressStep, confirmAddress, sendToAddress } from './features/account/address.ts';
import { codeStep } from './features/code/code.ts';
import { ownPasswordStep } from './features/login/ownPassword.ts';
import { delayStep } from './features/recovery/delay.ts';
import { nameStep, sendToNamed } from './features/recovery/name.ts';
import { replacementStep, unlockNamesOf } from './features/recovery/replacement.ts';
import { contactStep } from './features/registration/contact.ts';
import { contactsStep } from './features/registration/contacts.ts';
import { credentialsStep } from './features/registration/credentials.ts';
import { accountOf, memberStep } from './features/registration/member.ts';
import { personStep } from './features/registration/person.ts';
import type { Unlock } from './http/lockout.ts';
import { messageComposer } from './http/messageText.ts';
import { type Post, post } from './http/post.ts';
import type { ErrandContext } from './http/step.ts';

export interface ErrandSurroundings {
  readonly config: Config;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly digest: (text: string) => string;
  readonly outbox: Outbox;
  readonly channels: ReadonlySet<Channel>;
  readonly seal: Seal;
  readonly audit: Audit;
}

/** Codes of six digits from a generator that cannot be foretold (NIST SP 800-63B-4 4.2.1.2). */
export function makeCodes({ stores, clock, digest }: Pick<ErrandSurroundings, 'stores' | 'clock' | 'digest'>) {
  const randomCode = () => String(randomInt(1_000_000)).padStart(6, '0');
  return codes({ expiring: stores.expiring, clock, randomCode, digest });
}

/** What members are written to, and the codes in it. */
export function makePost({ config, stores, clock, digest, outbox, channels, seal, audit }: ErrandSurroundings) {
  const ourCodes = makeCodes({ stores, clock, digest });
  const reachesNumber = (e164: string) => config.smsCountries.includes(countryOf(e164) ?? '');
  const ourTrail = trail(stores.trail, clock, newMessageId, audit);
  const ourObjections = objections({ expiring: stores.expiring, seal, clock, newSecret: newLinkSecret });
  const ourPost = post({
    ...{ trail: ourTrail, objections: ourObjections, issuer: config.issuer },
    ...{ outbox, compose: messageComposer(config.plan, config.issuer), codes: ourCodes },
    ...{ attempts: stores.attempts, digest, reach: { channels, reachesNumber }, clock },
  });
  return { codes: ourCodes, post: ourPost, trail: ourTrail, objections: ourObjections };
}

export interface ErrandParts extends ErrandSurroundings {
  readonly codes: ReturnType<typeof codes>;
  readonly post: Post;
  readonly directory: MembershipDirectory;
  readonly hasher: PasswordHasher;
  readonly rules: PasswordRules;
  /** Compared where there is no account. */
  readonly decoy: PasswordHash;
  readonly endSessions: (accountId: string) => Promise<void>;
  readonly unlock: Unlock;
  readonly today: () => string;
}

/** The steps of registration, of what was forgotten, and of unlocking. */
export function errandSteps(parts: ErrandParts) {
  const { config, stores, clock, channels, codes, post, directory, hasher, rules, unlock } = parts;
  const { accounts } = stores;
  const named = { accounts, clock, post };
  const confirm = (email: string, { journey, locale, network, app }: ErrandContext) =>
    post.sendCode({
      purpose: confirmationPurpose(journey.id, { contacts: { email } }),
      subject: subjectOf(journey.facts),
      ...{ contacts: [{ kind: 'email', to: email }], locale, network, app },
    });

  const unlockNamed = async (context: ErrandContext): Promise<void> => {
    const account = await accounts.find(context.journey.facts.name?.accountId ?? '');
    if (account === undefined) return;
    await unlockNamesOf(account, context, unlock);
    await post.tellOwner(account.id, account.value, 'unlocked');
  };

  const right = async (context: ErrandContext, way: Way): Promise<Outcome<Facts>> => {
    const { course, facts } = context.journey;
    // Before the journey knows of the code: the page that follows says that it was done.
    if (course === 'unlock') await unlockNamed(context);
    const { found } = facts.member ?? {};
    // Who has only shown the details is not told how the membership stands; who has typed the code is.
    if (course === 'register' && found !== undefined && hasEnded(found, parts.today(), config.graceDays))
      return refused('membership-ended');
    const isWayIn = course === 'forgot-password' || course === 'letter' || course === 'lost-contact';
    const accountId = facts.name?.accountId ?? facts.member?.accountId ?? '';
    const account = isWayIn ? (await accounts.find(accountId))?.value : undefined;
    // Whoever it is that the account was paused for gets nothing ready for the day on which it opens.
    if (account?.frozenAt !== undefined) return refused('account-frozen');
    // A letter counts for the account as it stands now: what ends all that is under way ends this.
    const epoch = course === 'letter' ? account?.deviceEpoch : undefined;
    if (course !== 'forgot-password')
      return proven({ code: { at: seconds(clock), way, ...(epoch === undefined ? {} : { epoch }) } });
    const resetFrom = account?.resetFrom ?? 0;
    if (resetFrom > seconds(clock)) return refused('reset-waits', resetFrom * 1_000);
    // Who has waited a day for another way in has lost the second step as well.
    const recovers = account !== undefined && recoveryContacts(account, clock).some(({ to }) => to === way.to);
    const needsSecond = account !== undefined && hasSecondStep(account) && !recovers;
    return proven({ code: { at: seconds(clock), way, ...(needsSecond ? { needsSecond } : {}) } });
  };

  return {
    person: personStep({ clock, leastAge: config.registrationAge }),
    member: memberStep({ directory, accounts, clock, post, newId: randomUUID }),
    contact: contactStep({ post, clock }),
    contacts: contactsStep({ clock, agreements: config.plan.agreements, confirm }),
    credentials: credentialsStep({
      accounts,
      hasher,
      rules,
      clock,
      post,
      needsSecond: config.mfaPolicy === 'required',
    }),
    name: nameStep(named),
    delay: delayStep({ accounts, clock, post, issuer: config.issuer }),
    replacement: replacementStep({
      ...{ accounts, hasher, rules, clock, schedule: stores.outbox, endSessions: parts.endSessions, unlock, post },
    }),

    code: codeStep(
      { codes, clock, channels },
      {
        name: 'code',
        purpose: ({ journey: { id, course, facts } }) =>
          isByLetter(course, facts)
            ? letterPurpose(
                parts.digest,
                facts.member?.found?.memberNumber ?? '',
                course === 'letter' ? 'contact' : undefined,
              )
            : codePurpose(id, facts),
        subject: ({ journey }) => subjectOf(journey.facts),
        letter: ({ journey: { course, facts } }) => (isByLetter(course, facts) ? letterSubject(facts) : undefined),
        shown: ({ journey: { course, facts } }) => (isByLetter(course, facts) ? LETTER : facts.contact?.way),
        changeUrl: ({ journey }) =>
          journey.facts.contact === undefined ? undefined : `/journey/${journey.id}/contact`,
        send: (context, by) => resend(named, context, by),
        right,
      },
    ),

    ownPassword: ownPasswordStep({ accounts, hasher, clock, decoy: parts.decoy }),
    address: addressStep({ clock, post }),
    addressCode: codeStep(
      { codes, clock, channels },
      {
        name: 'addressCode',
        purpose: ({ journey, account }) =>
          addressPurpose(journey.id, account?.id ?? '', journey.facts.address?.contact.to ?? ''),
        subject: ({ account }) => `account:${account?.id}`,
        typed: ({ account }) => `account:${account?.id}`,
        shown: ({ journey }) => wayOfContact(post, journey.facts.address?.contact),
        changeUrl: ({ journey }) => `/journey/${journey.id}/address`,
        send: (context) => sendToAddress(post, context, context.journey.facts.address?.contact),
        right: (context) => confirmAddress({ accounts, clock, post }, context),
      },
    ),

    confirmation: codeStep(
      { codes, clock, channels },
      {
        name: 'confirmation',
        purpose: ({ journey: { id, facts } }) => confirmationPurpose(id, facts),
        subject: ({ journey }) => subjectOf(journey.facts),
        shown: ({ journey }) => ({ by: 'email', to: journey.facts.contacts?.email ?? '' }),
        send: (context) => confirm(context.journey.facts.contacts?.email ?? '', context),
        right: async () => proven({ confirmation: { at: seconds(clock) } }),
      },
    ),
  };
}

/** Whether the code has come in a letter, and not in a message that this journey has asked for. */
const isByLetter = (course: Course, facts: Facts): boolean => course === 'letter' || facts.contact?.way.by === 'letter';

/** The first way to a contact. */
const wayOfContact = (post: Post, contact: Contact | undefined): Way | undefined =>
  contact && post.waysTo([contact])[0];

async function resend(
  named: Parameters<typeof sendToNamed>[0],
  context: ErrandContext,
  by: Exclude<Channel, 'letter'> | undefined,
): Promise<void> {
  const { id, facts } = context.journey;
  const { name, member, contact } = facts;
  if (name !== undefined) return sendToNamed(named, context, name, by);
  const contacts = member?.found?.contacts ?? [];
  // Who registers has chosen where codes go; who has forgotten something is not shown what there is.
  const chosen = contact === undefined ? contacts : contacts.filter(({ to }) => to === contact.way.to);
  const channel = contact === undefined || contact.way.by === 'letter' ? by : contact.way.by;
  const { locale, network, app } = context;
  const purpose = codePurpose(id, facts);
  await named.post.sendCode({
    purpose,
    subject: subjectOf(facts),
    contacts: chosen,
    by: channel,
    locale,
    network,
    app,
  });
}

/** The username that the last page of an errand shows: of the new account, or the one that was forgotten. */
export const usernameOf =
  ({ accounts }: Stores) =>
  async ({ credentials, member }: Facts): Promise<string | undefined> => {
    const account =
      credentials !== undefined
        ? await accounts.find(credentials.accountId)
        : member?.found && (await accountOf(accounts, member.found));
    return (account?.value as Account | undefined)?.username;
  };

/** What a link in a message holds: 192 random bits, Base64url. */
export const newLinkSecret = (): string => randomBytes(24).toString('base64url');

export const newMessageId = (): string => randomBytes(16).toString('base64url');
