/** What happens to an account, as its owner may read it. Its words stand under `account.activity.what.<name>`. */
export const EVENTS = [
  ...(['signed-in', 'signed-out', 'session-ended', 'sessions-ended'] as const),
  ...(['welcome', 'registration-attempt', 'locked', 'late-success', 'unlocked'] as const),
  ...(['password-changed', 'second-step-added', 'second-step-removed', 'second-steps-removed'] as const),
  ...(['second-step-replaced', 'support-steps-removed'] as const),
  ...(['recovery-code-used', 'recovery-codes-renewed'] as const),
  ...(['recovery-started', 'recovery-ready', 'recovery-stopped', 'not-me'] as const),
  ...(['contact-added', 'contact-removed', 'contact-first', 'contact-changed', 'contacts-confirmed'] as const),
  ...(['app-allowed', 'app-denied', 'app-disconnected'] as const),
  ...(['support-checked', 'support-unlocked', 'support-signed-out', 'support-frozen', 'support-thawed'] as const),
  ...(['support-invited', 'support-letter', 'support-let-in', 'support-removal'] as const),
  ...(['data-downloaded', 'closing-asked', 'closing-taken-back', 'closed'] as const),
] as const;
export type EventName = (typeof EVENTS)[number];
