import { at, begin, type Place, type States, signIn } from './place.ts';

/** Sends the sign-in form as it is after a change to it. */
const sendChanged = (change: string) => async (place: Place) => {
  await begin(place);
  await place.page.fill('#username', 'x');
  await place.page.evaluate(change);
  await place.page.click('button#sign-in');
};

export const PROBLEMS: States = {
  'inbox/inbox': ({ page, empty }) => page.goto(`${empty.issuer}/dev/inbox`),
  'problems/membership-down': ({ page, broken }) => page.goto(`${broken}/membership`),
  'problems/expired': at('/interaction/unknown'),
  'problems/locked: locked': async (place) => {
    for (let i = 0; i < 6; i += 1) {
      await begin(place);
      await signIn(place, { username: `locked.${place.page.viewportSize()?.width}`, password: 'wrong' });
    }
  },
  'problems/not-found': at('/nowhere'),
  'problems/refused: form-not-ours': sendChanged("document.querySelector('[name=form_token]').value = 'x'"),
  'problems/refused: form-too-large': sendChanged("document.getElementById('password').value = 'x'.repeat(20000)"),
  'problems/refused: form-unreadable': sendChanged(
    "document.querySelector('main form').enctype = 'multipart/form-data'",
  ),
  'problems/app-mistake': at('/auth?client_id=x'),
  'problems/unavailable': ({ page, broken }) => page.goto(`${broken}/unavailable`),
  'problems/failed': ({ page, broken }) => page.goto(`${broken}/failed`),
  'help/index': at('/help'),
  'help/topic': at('/help/security'),
  'status/status': at('/status'),
};
