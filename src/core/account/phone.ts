import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** A phone number as a member types it, in E.164; undefined where it is none. Without a country it is American. */
export function readPhone(typed: string): string | undefined {
  const number = parsePhoneNumberFromString(typed.normalize('NFKC'), 'US');
  return number?.isPossible() ? number.number : undefined;
}

/** A number as people write it: in their own country without its code. */
export const phoneText = (e164: string): string => {
  const number = parsePhoneNumberFromString(e164);
  return number === undefined ? e164 : number.country === 'US' ? number.formatNational() : number.formatInternational();
};

/** The country of a number in E.164 (ISO 3166-1); with several behind one code, the largest where it is not certain. */
export const countryOf = (e164: string): string | undefined => {
  const number = parsePhoneNumberFromString(e164);
  return number?.country ?? (number?.countryCallingCode === '1' ? 'US' : undefined);
};
