import type { Agreements } from '../journey/journey.ts';
import type { Plan } from '../plan.ts';

/** What a member agrees to today. `texts`: that text messages may come as well. */
export const agreedNow = ({ terms, privacy, sms }: Plan['agreements'], texts: boolean): Agreements => ({
  ...{ terms: terms.version, privacy: privacy.version },
  ...(texts ? { sms: sms.version } : {}),
});

/**
 * Whether the texts have changed since the member agreed to them here. Who has agreed elsewhere, before their account was
 * taken over, is not asked.
 */
export function hasToAgreeAgain(agreed: Agreements | undefined, { terms, privacy, sms }: Plan['agreements']): boolean {
  if (agreed === undefined) return false;
  const smsChanged = agreed.sms !== undefined && agreed.sms !== sms.version;
  return agreed.terms !== terms.version || agreed.privacy !== privacy.version || smsChanged;
}
