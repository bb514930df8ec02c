import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** A phone number as people write it, in E.164; one without a country is of the United States. Undefined when it is none. */
export function e164(text: string): string | undefined {
  const phone = parsePhoneNumberFromString(text.normalize('NFKC'), 'US');
  return phone?.isValid() && phone.ext === undefined ? phone.number : undefined;
}
