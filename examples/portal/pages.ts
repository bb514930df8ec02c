/** The sample portal's pages: plausible, and made up. */

export interface Section {
  readonly path: string;
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

export const SECTIONS: readonly Section[] = [
  {
    path: '/messages',
    title: 'Messages',
    rows: [
      ['Your primary care team', 'Your blood test results are in. Everything is in the normal range.'],
      ['Pharmacy', 'Your refill is ready to pick up.'],
      ['Member services', 'Your new member card is in the mail.'],
    ],
  },
  {
    path: '/appointments',
    title: 'Appointments',
    rows: [
      ['Yearly check-up', 'Tuesday, 9:30 a.m., Lakeside Clinic'],
      ['Eye exam', 'In three weeks, Monday, 2:00 p.m., Vision Center'],
    ],
  },
  {
    path: '/refills',
    title: 'Refills',
    rows: [
      ['Lisinopril 10 mg', '2 refills left'],
      ['Metformin 500 mg', '1 refill left'],
    ],
  },
  {
    path: '/records',
    title: 'Records',
    rows: [
      ['Blood panel', 'Normal'],
      ['Flu shot', 'Given in October'],
      ['Blood pressure', '124 over 78'],
    ],
  },
];

/** What members agree to when they register. */
export const AGREEMENTS: readonly Section[] = [
  {
    path: '/terms',
    title: 'Terms of use',
    rows: [
      ['Your account', 'It is for you alone. Keep the password to yourself.'],
      ['What it is for', 'Reading and writing about your own care and your own plan.'],
    ],
  },
  {
    path: '/privacy',
    title: 'Privacy notice',
    rows: [
      ['What we keep', 'What is on your member card, how to reach you, and when you signed in.'],
      ['Who sees it', 'You, the plan, and the apps that you allow.'],
    ],
  },
];

const STYLE = `
  body { margin: 0; font: 18px/1.5 system-ui, sans-serif; color: #17211f; background: #f3f6f5 }
  header, main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem }
  header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; justify-content: space-between }
  nav { display: flex; flex-wrap: wrap; gap: 1rem }
  .cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)) }
  .card, table { background: #fff; border: 1px solid #c9d3d0; border-radius: 12px; padding: 1.25rem }
  table { width: 100%; border-spacing: 0 } td, th { padding: .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
  a { color: #0b5f8a } h1 { margin: .5rem 0 1rem }
  .button { display: inline-block; padding: .7rem 1.4rem; border-radius: 8px; background: #0b6b62; color: #fff; text-decoration: none; font-weight: 650 }
  @media (prefers-color-scheme: dark) {
    body { color: #eef3f1; background: #0f1615 } .card, table { background: #18211f; border-color: #33413d } a { color: #86c9f0 }
    .button { background: #4fc3b2; color: #06231f }
  }`;

export const html = (text: unknown): string => String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

interface Member {
  readonly name: string;
  /** Where their account is, at the provider. */
  readonly account: string;
}

/** A whole page. Without a member it shows Sign in. */
export function layout(plan: string, title: string, body: string, member?: Member): string {
  const links = SECTIONS.map(({ path, title: label }) => `<a href="${path}">${label}</a>`).join(' ');
  const menu =
    member === undefined
      ? '<a id="sign-in" class="button" href="/login">Sign in</a>'
      : `${links} <a href="/profile">${html(member.name)}</a> <a id="account" href="${html(member.account)}">Your account</a> <a id="sign-out" href="/logout">Sign out</a>`;
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${html(title)} – ${html(plan)} Member Portal</title><style>${STYLE}</style></head>
<body><header><strong>${html(plan)}</strong><nav>${menu}</nav></header>
<main><h1>${html(title)}</h1>${body}</main></body></html>`;
}

export const welcome = (): string =>
  `<p>Messages from your care team, appointments, refills and records, in one place.</p>
   <p><a class="button" href="/login">Sign in</a></p>
   <p>Also here: <a href="/partner">a partner's walking app</a>, which has to ask before it sees anything.</p>`;

/** Authenticator assurance level 2 of NIST SP 800-63B, as the provider names it. */
const TWO_STEPS = 'http://idmanagement.gov/ns/assurance/aal/2';

export const dashboard = (): string =>
  `<div class="cards">${SECTIONS.map(
    ({ path, title, rows }) =>
      `<div class="card"><h2>${title}</h2><p>${html(rows[0]?.join(': '))}</p><a href="${path}">See all</a></div>`,
  ).join('')}</div>
   <p><a id="second-step" href="/login?acr_values=${encodeURIComponent(TWO_STEPS)}">Protect your account with a second step</a></p>`;

export const table = (rows: readonly (readonly [string, unknown])[]): string =>
  `<table>${rows
    .map(
      ([name, value]) =>
        `<tr><th scope="row">${html(name)}</th><td>${html(typeof value === 'object' ? JSON.stringify(value) : value)}</td></tr>`,
    )
    .join('')}</table>`;
