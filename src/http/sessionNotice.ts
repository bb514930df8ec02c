import { SESSION_WARNING } from '../core/session/limits.ts';
import { EXTEND_SESSION, type FormGuard } from './csrf.ts';

/** What a page needs to warn before the session ends (seconds since 1970), and to come back to itself after "Stay signed in". */
export const sessionNotice = (endsAt: number, guard: FormGuard, back: string) => ({
  ...{ endsAt, warning: SESSION_WARNING, formToken: guard.token(EXTEND_SESSION), back },
});
