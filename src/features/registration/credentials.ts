import { type Account, registerAccount } from '../../core/account/account.ts';
import { judgePassword, type PasswordRules } from '../../core/account/newPassword.ts';
import { normalizePassword, type PasswordHasher } from '../../core/account/password.ts';
import { type Clock, seconds } from '../../core/clock.ts';
import type { Facts } from '../../core/journey/journey.ts';
import { proven, type Refusal, refused } from '../../core/refusal.ts';
import type { Collection } from '../../core/storage/collection.ts';
import type { Post } from '../../http/post.ts';
import { type ErrandContext, step } from '../../http/step.ts';

interface Typed {
  readonly username: string;
  readonly password: string;
}

export interface CredentialsDependencies {
  readonly accounts: Collection<Account>;
  readonly hasher: PasswordHasher;
  readonly rules: PasswordRules;
  readonly clock: Clock;
  readonly post: Post;
  /** Every sign-in takes two steps. */
  readonly needsSecond: boolean;
}

const ABOUT_USERNAME: readonly Refusal[] = ['username-missing', 'username-malformed', 'username-taken'];

/** Username and password: the account is opened. */
export const credentialsStep = (deps: CredentialsDependencies) =>
  step<Typed, ErrandContext>({
    name: 'credentials',
    view: 'registration/credentials',

    show: async (_context, typed) => ({ username: typed?.get('username') ?? '', values: { least: deps.rules.least } }),

    parse(form) {
      const [username, password] = [(form.get('username') ?? '').trim(), form.get('new-password') ?? ''];
      if (username === '') return refused('username-missing');
      if (!/^[A-Za-z0-9._-]{3,64}$/.test(username)) return refused('username-malformed');
      return password === '' ? refused('new-password-missing') : proven({ username, password });
    },

    async advise({ username, password }, { journey }) {
      return {
        ...judgePassword(deps.rules, memberOf(username, journey.facts), password),
        values: { least: deps.rules.least },
      };
    },

    async submit({ username, password }, { journey, locale }) {
      const { facts } = journey;
      const { found, accountId } = facts.member ?? {};
      if (found === undefined || accountId === undefined) throw new Error('nobody is there to open an account for');
      const member = memberOf(username, facts);
      const { refusal } = judgePassword(deps.rules, member, password);
      if (refusal !== undefined) return refused(refusal);
      const at = seconds(deps.clock);
      const kind = found.contacts.find(({ to }) => to === member.phone)?.kind;
      const account: Account & { readonly memberNumber: string } = {
        ...{ ...member, postalCode: found.postalCode, locale, agreed: facts.contacts?.agreed },
        // An address that no code has reached was confirmed by a code of its own.
        ...{ emailConfirmed: member.email !== undefined, phoneConfirmed: member.phone === facts.code?.way.to },
        ...(kind === 'landline' ? { isLandline: true } : {}),
        ...{ deviceEpoch: 0, createdAt: at, updatedAt: at },
        password: await deps.hasher.hash(normalizePassword(password)),
      };
      const outcome = await registerAccount(deps.accounts, accountId, account, found.formerNumbers);
      if (outcome === 'membership-taken') return refused('details-unmatched');
      if (outcome !== 'opened') return refused('username-taken');
      return proven({ credentials: { at, accountId, ...(deps.needsSecond ? { needsSecond: true } : {}) } });
    },

    async conclude({ credentials }, { journey }) {
      const account = (await deps.accounts.find(credentials?.accountId ?? ''))?.value;
      if (credentials === undefined || account === undefined) return;
      const also = journey.facts.member?.found?.contacts ?? [];
      await deps.post.tellOwner(credentials.accountId, account, 'welcome', { username: account.username }, { also });
    },

    fieldOf: (refusal) => (ABOUT_USERNAME.includes(refusal) ? 'username' : 'new-password'),
    pageOf: (refusal) => (refusal === 'details-unmatched' ? 'registration/unmatched' : undefined),
  });

/** What the account will say of the member, as the plan's records have it. */
function memberOf(username: string, { member, contacts }: Facts) {
  const found = member?.found;
  if (found === undefined) throw new Error('nobody is there to open an account for');
  const { memberNumber, firstName, lastName, birthDate } = found;
  return { username, memberNumber, firstName, lastName, birthDate, email: contacts?.email, phone: contacts?.phone };
}
