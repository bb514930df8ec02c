/** 2286-11-20, so that a time has 13 digits. */
const LATEST = 9_999_999_999_999;

/** What the ids of a time, in milliseconds since 1970, begin with: in their order the newest comes first. */
export const timeKey = (at: number): string => String(LATEST - at).padStart(13, '0');

/** The time that an id begins with. */
export const timeOfId = (id: string): number => LATEST - Number(id.slice(0, 13));
