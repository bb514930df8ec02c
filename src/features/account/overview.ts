import { countOf } from '../../core/factors/factors.ts';
import type { AccountPage } from './page.ts';

/** What there is to see and to change, each with how it stands. */
export const overviewPage = (): AccountPage => ({
  path: '',
  view: 'account/overview',
  show: async ({ account: { value } }) => ({
    name: value.firstName,
    secondSteps: countOf(value),
  }),
});
