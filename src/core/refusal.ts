/**
 * Every way in which we say no to a person. A refusal is a value: it is worded in each language, logged, and seen in a
 * test. Only bugs and dependencies that do not answer throw.
 */
export const REFUSALS = [
  /** The name is unknown or the password wrong; which of them is never told. */
  'credentials-rejected',
  /** The password is right, but the owner has said that somebody else got in. */
  'reset-demanded',
  /** Second steps went with an objection: a code alone opens the reset only after a day. */
  'reset-waits',
  /** Too many attempts; `until` says from when on there is another. */
  'locked',
  'username-missing',
  'password-missing',
  'decision-missing',
  'new-password-missing',
  'password-too-short',
  'password-too-long',
  /** It is, or is made of, passwords that many people use. */
  'password-common',
  /** It is made of what others know about the member or the plan. */
  'password-personal',
  /** Repetitions, sequences, keyboard walks, dates. */
  'password-pattern',
  'password-reused',
  'name-missing',
  'first-name-missing',
  'last-name-missing',
  'birth-date-missing',
  'birth-date-wrong',
  'postal-code-wrong',
  /** Under the age from which one may register alone. */
  'too-young',
  'member-number-missing',
  /** No match, a wrong detail, claimed already, frozen: one answer for all. */
  'details-unmatched',
  'details-locked',
  'membership-ended',
  'way-missing',
  'code-malformed',
  'code-wrong',
  'code-expired',
  'code-used',
  'code-locked',
  /** It is the code of another time: the clock of the phone is wrong. */
  'clock-wrong',
  'app-code-wrong',
  'app-code-used',
  'passkey-failed',
  /** It was removed here, and its manager still offers it. */
  'passkey-unknown',
  'recovery-code-malformed',
  'recovery-code-wrong',
  'method-missing',
  /** Two steps are demanded at each sign-in, and this is the last second one. */
  'last-second-step',
  'passkey-name-missing',
  /** An account has to have one way to be reached. */
  'last-contact',
  'too-many-contacts',
  'last-administrator',
  'staff-unknown',
  'client-kind-missing',
  'client-id-malformed',
  /** What was typed to confirm is not the id. */
  'client-id-wrong',
  'client-unknown',
  'client-exists',
  /** Somebody else has changed it since the page was shown. */
  'client-moved-on',
  /** Its registration has faults, which are told one by one. */
  'client-refused',
  'client-has-no-secret',
  /** Nobody has exactly this name, number or case. */
  'member-unknown',
  'identifier-missing',
  'too-many-searches',
  'too-many-messages',
  /** Our support desk helps neither itself, nor its family, nor other staff. */
  'own-account',
  'relative',
  'staff-account',
  /** The caller has said something that is not in the records. */
  'caller-wrong',
  'caller-locked',
  /** The caller was not checked, or too long ago. */
  'caller-not-checked',
  'no-contact',
  'no-account',
  'nothing-to-remove',
  'removal-asked',
  /** Somebody else has settled it, or the account has changed since. */
  'removal-gone',
  /** Two people: who has asked for it does not approve it. */
  'own-request',
  'membership-holds',
  /** Our support desk, or the plan, has closed the account. */
  'account-frozen',
  'membership-over',
  'password-wrong',
  'address-wrong',
  'reason-missing',
  'not-sure',
  'sent-before',
  'schedule-malformed',
  'closing-not-understood',
  'username-wrong',
  /** The recovery codes are shown once. */
  'codes-not-saved',
  'email-wrong',
  'phone-wrong',
  /** Neither an email address nor the phone that the code went to. */
  'contact-missing',
  'terms-not-accepted',
  'username-malformed',
  'username-taken',
  'device-code-missing',
  'device-code-unknown',
  'device-code-used',
  /** The form was not sent by our own page, or long ago. */
  'form-not-ours',
  'form-too-large',
  /** It is no form, or was cut off on the way. */
  'form-unreadable',
] as const;

export type Refusal = (typeof REFUSALS)[number];

/** What a step answers: the facts that it has proven, or why not. */
export type Outcome<Proven> =
  /** `missed`: the step goes on as if, and the attempt counts as a failure; nobody is told. */
  | { readonly ok: true; readonly proven: Proven; readonly missed?: true }
  /** `until`: milliseconds since 1970, where the refusal has an end. */
  | { readonly ok: false; readonly refusal: Refusal; readonly until?: number };

export const proven = <Proven>(facts: Proven): Outcome<Proven> => ({ ok: true, proven: facts });
export const missed = <Proven>(facts: Proven): Outcome<Proven> => ({ ok: true, proven: facts, missed: true });
export const refused = (refusal: Refusal, until?: number): Outcome<never> => ({
  ...{ ok: false, refusal },
  ...(until === undefined ? {} : { until }),
});
