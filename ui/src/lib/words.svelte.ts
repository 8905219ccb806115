// The words on the screens, in three catalogues with the same keys. Only the language in use is loaded.
import type en from '../words/en.json';

export type Lang = 'ar' | 'en' | 'fr';
export type Key = keyof typeof en;
type Plural = Partial<Record<Intl.LDMLPluralRule, string>>;
type Catalogue = Record<Key, string | Plural>;
export type Text = Record<string, string>;

const catalogues: Record<Lang, () => Promise<{ default: unknown }>> = {
  ar: () => import('../words/ar.json'),
  en: () => import('../words/en.json'),
  fr: () => import('../words/fr.json'),
};

export const languages: Record<Lang, string> = { ar: 'العربية', en: 'English', fr: 'Français' };

let lang = $state<Lang>('en');
let words = $state.raw<Catalogue>({} as Catalogue);
let latinDigits = $state(read('mithaq-digits') === 'latin');

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export const language = {
  get current() {
    return lang;
  },
  get rtl() {
    return lang === 'ar';
  },
  /** BCP 47 tag with the digits that the reader chose: Arabic-Indic ones unless Latin ones are wanted. */
  get locale() {
    if (lang === 'ar') return latinDigits ? 'ar-u-nu-latn' : 'ar-u-nu-arab';
    return lang === 'en' ? 'en-GB' : lang; // the day before the month, as the two others write it
  },
  /** What another language is called in this one. */
  name(tag: string): string {
    try {
      return new Intl.DisplayNames(lang, { type: 'language' }).of(tag) ?? tag;
    } catch {
      return tag;
    }
  },
  get latinDigits() {
    return latinDigits;
  },
  set latinDigits(on: boolean) {
    latinDigits = on;
    try {
      localStorage.setItem('mithaq-digits', on ? 'latin' : 'arabic');
    } catch {
      // it holds for this page
    }
  },
};

export async function loadWords(wanted: string) {
  const next: Lang = wanted === 'ar' || wanted === 'fr' ? wanted : 'en';
  words = (await catalogues[next]()).default as Catalogue;
  lang = next;
  document.documentElement.lang = next;
  document.documentElement.dir = next === 'ar' ? 'rtl' : 'ltr';
}

/** Switches the language and keeps the choice for a year: the node reads it before it sends the page. */
export async function chooseLanguage(next: Lang) {
  document.cookie = `mithaq-language=${next}; path=/; max-age=31536000; samesite=lax`;
  await loadWords(next);
}

/**
 * The words of a key. {name} is replaced by a parameter; a number is written in the reader's digits, and the parameter n
 * chooses among plural forms.
 */
export function t(key: Key, params?: Record<string, string | number>): string {
  const entry = words[key];
  let text: string;
  if (typeof entry === 'string') text = entry;
  else if (entry) text = entry[kept('plural ' + lang, () => new Intl.PluralRules(lang)).select(Number(params?.n ?? 0))] ?? entry.other ?? key;
  else text = key;
  if (!params) return text;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const v = params[name];
    return typeof v === 'number' ? num(v) : name === 'version' || name === 'label' ? label(v ?? '') : (v ?? '');
  });
}

/** A word for one of a closed list of values, or the value itself where the catalogue has none. */
export function word(prefix: string, value: string | undefined | null): string {
  if (!value) return '';
  const key = `${prefix}.${value}` as Key;
  return typeof words[key] === 'string' ? (words[key] as string) : value;
}

// Making a formatter takes a hundred times as long as using it, and a list has hundreds of numbers in sight.
const formatters = new Map<string, unknown>();
/** The one formatter of a kind for a locale and its options. */
export function kept<T>(what: string, make: () => T): T {
  let made = formatters.get(what) as T | undefined;
  if (!made) formatters.set(what, (made = make()));
  return made;
}

export function num(n: number): string {
  const locale = language.locale;
  return kept('number ' + locale, () => new Intl.NumberFormat(locale)).format(n);
}

/** A share of one in hundredths. */
export function percent(share: number, fraction = 0): string {
  const locale = language.locale;
  return kept(`percent ${locale} ${fraction}`, () => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: fraction })).format(share);
}

/** A label such as 1 or 2.3, which an agreement or its version has, in the reader's digits. */
export function label(text: string): string {
  if (!/^\d+(\.\d+)*$/.test(text)) return text;
  return text.replace(/\d/g, (d) => num(Number(d)));
}

/** The colon after a word, which French sets apart. */
export const colon = () => (lang === 'fr' ? '\u00a0:' : ':');

/** Several words as one list, the way the language joins them. */
export function list(parts: string[]): string {
  return new Intl.ListFormat(language.locale, { type: 'conjunction' }).format(parts);
}

/** Text in the reader's language where there is one, else in another, with the language it is in. */
export function inLanguage(text: Text | null | undefined): { text: string; lang: string } | undefined {
  if (!text) return undefined;
  for (const l of [lang, 'en', 'fr', 'ar', ...Object.keys(text)]) {
    const found = text[l];
    if (found) return { text: found, lang: l };
  }
  return undefined;
}

export function named(text: Text | null | undefined, otherwise = ''): string {
  return inLanguage(text)?.text ?? otherwise;
}
