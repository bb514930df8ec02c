/** What the plan's staff may be. One person may be several. */
export const ROLES = ['administrator', 'support', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** What staff do here, each with who may. Whatever is not named here nobody may. */
export const MAY = {
  'clients.read': ['administrator', 'auditor'],
  'clients.change': ['administrator'],
  'keys.read': ['administrator', 'auditor'],
  'keys.rotate': ['administrator'],
  'staff.read': ['administrator', 'auditor'],
  'staff.change': ['administrator'],
  'audit.read': ['auditor'],
  'members.read': ['support'],
  'members.help': ['support'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type Action = keyof typeof MAY;

/** Whether one of these roles may do this: least privilege, with no role above all others. */
export const may = (roles: readonly Role[], action: Action): boolean =>
  (MAY[action] as readonly Role[]).some((role) => roles.includes(role));
