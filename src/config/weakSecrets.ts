/** What people write where a secret belongs. Six letters or more, so that none turns up in random text. */
const PLACEHOLDERS =
  /changeme|change[-_ ]?this|secret|password|passwort|placeholder|replace|example|default|insecure|development|123456|abcdef|qwerty/i;

/** Fewer different characters than any random text of 32: hexadecimal ones have 14, give or take a few. */
const LEAST_DIFFERENT = 8;

const MAKE_ONE = 'make one with: openssl rand -base64 32';

/** What is wrong with the secrets of production, by setting: guessable ones, and one value in two places. */
export function weakSecrets(secrets: Readonly<Record<string, readonly string[]>>): string[] {
  const all = Object.entries(secrets).flatMap(([name, values]) => values.map((value) => ({ name, value })));
  const weak = new Set(all.filter(({ value }) => isWeak(value)).map(({ name }) => name));
  const faults = [...weak].map((name) => `${name}: is easy to guess; ${MAKE_ONE}`);
  all.forEach(({ name, value }, index) => {
    const twin = all.slice(0, index).find((other) => other.value === value);
    if (twin === undefined) return;
    faults.push(
      twin.name === name
        ? `${name}: holds one secret twice`
        : `${name}: is the same secret as ${twin.name}; ${MAKE_ONE}`,
    );
  });
  return faults;
}

const isWeak = (secret: string): boolean =>
  new Set(secret).size < LEAST_DIFFERENT || PLACEHOLDERS.test(secret) || isRepetition(secret);

/** The same text again and again, also when its last turn is cut short: moved by one turn, it is itself. */
function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  return false;
}
