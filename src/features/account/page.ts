import type { Page } from '../../http/page.ts';

/** What has just been done, as the page says it that follows. Its words stand under `account.done.<name>`. */
export const DONE = [
  ...(['passkey-added', 'totp-added', 'text-added', 'passkey-removed', 'totp-removed', 'text-removed'] as const),
  ...(['renamed', 'codes-renewed', 'password-changed'] as const),
  ...(['contact-added', 'contact-removed', 'contact-first', 'contact-changed'] as const),
  ...(['session-ended', 'sessions-ended', 'app-disconnected'] as const),
  ...(['closing-asked', 'closing-taken-back', 'language-saved'] as const),
] as const;
type Done = (typeof DONE)[number];

/** The page that says so. */
export const done = (path: string, what: Done): string => `${path}?done=${what}`;

/** A page below `/account`. */
export type AccountPage = Page;
