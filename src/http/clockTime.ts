import type { Plan } from '../core/plan.ts';
import type { Locale } from './words.ts';

const written = (at: number, locale: Locale, plan: Plan, parts: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(`${locale}-US`, {
    ...{ hour: 'numeric', minute: '2-digit', timeZone: plan.timeZone, timeZoneName: 'longGeneric' },
    ...parts,
  }).format(at);

/** A moment (milliseconds since 1970) as the plan's members tell the time. */
export const clockTime = (at: number, locale: Locale, plan: Plan): string => written(at, locale, plan, {});

/** The day alone, with its year. */
export const day = (at: number, locale: Locale, { timeZone }: Plan): string =>
  new Intl.DateTimeFormat(`${locale}-US`, { dateStyle: 'long', timeZone }).format(at);

/** A day as it stands in a calendar (YYYY-MM-DD), such as a date of birth. */
export const calendarDay = (date: string, locale: Locale): string =>
  new Intl.DateTimeFormat(`${locale}-US`, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date));

/** The same with the day. */
export const dayAndTime = (at: number, locale: Locale, plan: Plan): string =>
  written(at, locale, plan, { weekday: 'long', month: 'long', day: 'numeric' });
