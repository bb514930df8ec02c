import { type Account, contactsOf } from '../../core/account/account.ts';
import { seconds } from '../../core/clock.ts';
import { maskedContact, maskedWay, type Way } from '../../core/codes/contacts.ts';
import { countOf, hasSecondStep, methodsOf } from '../../core/factors/factors.ts';
import { hasEnded } from '../../core/membership/lifecycle.ts';
import type { Membership } from '../../core/membership/membership.ts';
import type { Stored } from '../../core/storage/collection.ts';
import type { OpenFile } from '../../core/support/files.ts';
import { type InvitationKind, invitableContacts } from '../../core/support/invitations.ts';
import type { PageContext } from '../../http/context.ts';
import type { DeskDependencies, Member } from './desk.ts';

/** Where a link may go, in the order of the page's choices. Nothing is read out, so that calls are none of them. */
export const linkWays = (
  { post }: Pick<DeskDependencies, 'post'>,
  account: Account,
  kind: InvitationKind,
): (Way & { readonly by: 'sms' | 'email' })[] =>
  post
    .waysTo(invitableContacts(account, kind))
    .flatMap(({ by, to }) => (by === 'sms' || by === 'email' ? [{ by, to }] : []));

const LINK = { link: '…', minutes: '…' };

/** What each action would send, in the member's own language. */
function previews({ post }: Pick<DeskDependencies, 'post'>, locale: string, hasAccount: boolean) {
  const words = (kind: Parameters<typeof post.preview>[1], values = {}) => post.preview(locale, kind, values);
  return {
    unlock: words('support-unlocked'),
    password: words('invite-password', LINK),
    'second-step': words('invite-second-step', LINK),
    'sign-out': words('support-signed-out'),
    freeze: words('support-frozen'),
    thaw: words('support-thawed'),
    letter: words(hasAccount ? 'letter' : 'letter-register', { code: '••••••' }),
    'let-in': words('support-let-in', { at: 0 }),
    removal: words('support-removal'),
  };
}

/** How the membership stands; `unknown` where the plan's records say nothing. */
function standingOf({ today, graceDays }: DeskDependencies, membership: Membership | undefined) {
  if (membership === undefined) return { standing: 'unknown' as const };
  const { standing, endsOn } = membership;
  const ended = standing === 'active' && hasEnded(membership, today(), graceDays);
  return { standing: ended ? ('ended' as const) : standing, endsOn };
}

async function accountView(deps: DeskDependencies, ctx: PageContext, { id, value }: Stored<Account>) {
  const now = seconds(deps.clock);
  const { events } = await deps.trail.of(id, { limit: 20 });
  const masked = (kind: InvitationKind) =>
    linkWays(deps, value, kind).map((way, index) => ({ index, by: way.by, masked: maskedWay(way) }));
  return {
    ...{ username: value.username, since: value.createdAt * 1_000, events },
    contacts: contactsOf(value).map((contact) => ({ kind: contact.kind, masked: maskedContact(contact) })),
    ways: { password: masked('password'), 'second-step': masked('second-step') },
    steps: { count: countOf(value), methods: methodsOf(value) },
    hasSecondStep: hasSecondStep(value),
    sessions: await deps.sessionsOf(ctx, id),
    isFrozen: value.frozenAt !== undefined,
    resetDemanded: value.resetDemanded === true,
    closesAt: value.closesAt === undefined ? undefined : value.closesAt * 1_000,
    readyAt: value.recovery === undefined ? undefined : value.recovery.readyAt * 1_000,
    openUntil: (value.openUntil ?? 0) > now ? (value.openUntil ?? 0) * 1_000 : undefined,
  };
}

/** What an agent sees of a member whose caller was checked: nothing that opens anything, and addresses masked. */
export async function viewOf(deps: DeskDependencies, ctx: PageContext, file: OpenFile, member: Member) {
  const { account, membership } = member;
  const { firstName, lastName, locale } = account?.value ?? membership ?? {};
  return {
    ...{ checked: true, name: [firstName, lastName].join(' '), caseNumber: file.caseNumber },
    memberNumber: account?.value.memberNumber ?? membership?.memberNumber,
    ...standingOf(deps, membership),
    letters: deps.letters,
    language: locale ?? 'en',
    previews: previews(deps, locale ?? 'en', account !== undefined),
    account: account && (await accountView(deps, ctx, account)),
  };
}
