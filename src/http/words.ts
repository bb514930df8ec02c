import i18next from 'i18next';
import en from '../../config/words/en.json' with { type: 'json' };
import es from '../../config/words/es.json' with { type: 'json' };

/** Each language is one file; a new one is added here and nowhere else. */
const WORDS = { en, es } as const;

export type Locale = keyof typeof WORDS;
export const LOCALES = Object.keys(WORDS) as Locale[];

/** Looks up words by their dotted key. Values are put in as they are; the views escape. */
export type Translate = (key: string, values?: Record<string, string | number>) => string;

const instance = i18next.createInstance();
await instance.init({
  resources: Object.fromEntries(LOCALES.map((locale) => [locale, { translation: WORDS[locale] }])),
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
  returnNull: false,
});

/** The words of one language. An unknown key throws: a page never shows a key. */
export function translator(locale: Locale): Translate {
  const made = translators.get(locale) ?? makeTranslator(locale);
  translators.set(locale, made);
  return made;
}

const translators = new Map<Locale, Translate>();

function makeTranslator(locale: Locale): Translate {
  const lookUp = instance.getFixedT(locale);
  const found = (key: string, values: Record<string, string | number>): string => {
    if (!instance.exists(key, { lng: locale, ...values })) throw new Error(`no words for ${key} in ${locale}`);
    return lookUp(key, values);
  };
  // Most words stand alone: they are looked up once. There are no more of them than the file has, as others throw.
  const alone = new Map<string, string>();
  return (key, values) => {
    if (values !== undefined) return found(key, values);
    const words = alone.get(key) ?? found(key, {});
    alone.set(key, words);
    return words;
  };
}

/** The first of these BCP 47 tags that we speak. `ui_locales` (OpenID Connect Core 3.1.2.1) and cookies list them. */
export function pickLocale(tags: readonly string[]): Locale | undefined {
  const languages = tags.map((tag) => tag.toLowerCase().split('-')[0]);
  return languages.find((language): language is Locale => LOCALES.includes(language as Locale));
}

/** A language under its own name, for the language links. */
export const languageName = (locale: Locale): string => WORDS[locale].language;

/** A list of sentences, such as the points of a help page. Throws where the key is none. */
export function wordList(locale: Locale, key: string, values: Record<string, string | number> = {}): string[] {
  const list: unknown = instance.getFixedT(locale)(key, { returnObjects: true, ...values });
  if (!Array.isArray(list)) throw new Error(`no list of words for ${key} in ${locale}`);
  return list.map(String);
}
