import catalogue from './catalogue.json';

/** The languages of what is said to a person; the log and `--json` are English. */
export type Language = 'en' | 'zh';

type Rows<T> = Readonly<Record<string, T>>;
type Both<T = string> = Readonly<Record<Language, T>>;
/** What was found, and what a person should do about it, where that is anything. */
type Found = Readonly<{ means: string; advice?: string }>;
/** A code is stable, for whoever looks a message up (docs/messages.md). */
type Code = Readonly<{ code: string }>;
/**
 * `codeAt`: the place whose code is shown, or that of one behind it, where what stands there has one. `fact`: it
 * counts in evidence alone; in a message the same words are a quotation.
 */
export type Row = Code & Readonly<{ zh: string; codeAt?: number; fact?: true }>;

const reasons: Rows<Both<Found> & Code> = catalogue.reasons;
const verdicts: Rows<Both<Partial<Found> & { readonly name?: string }>> = catalogue.verdicts;
const guards: Rows<Both> = catalogue.guards;
const doctor: Rows<{ readonly asks: Both; readonly finds: Both }> = catalogue.doctor;

/**
 * A reason in words; where it has no advice of its own, its verdict's counts.
 * @throws for one that the catalogue lacks: a test asks for all
 */
export function wordsOf(reason: string, language: Language = 'en'): Required<Found> & Code {
  const { code, ...words } = reasons[reason] as Both<Found> & Code;
  const general = verdicts[reason.slice(0, reason.indexOf('/'))]?.[language].advice ?? '';
  return { code, advice: general, ...words[language] };
}

/** What a guard asks, or the doctor. */
export const questionOf = (id: string, language: Language = 'en'): string =>
  (guards[id] ?? doctor[id]?.asks)?.[language] ?? '';

/** What stands in a sentence's places. */
export type Values = readonly (string | number)[];
export const fill = (text: string, values: Values): string =>
  text.replaceAll(/\{(\d)\}/g, (place, n) => String(values[Number(n)] ?? place));

/** What the doctor says with these values where the answer to that question is no; null where there are none: it is yes. */
export const findingOf = (id: string, values?: Values | false): string | null =>
  values ? fill(doctor[id]?.finds.en ?? '', values) : null;

/**
 * `HEAL_LANG` where it says one, else that of the locale: of its variables the first that is set counts (locale(7)).
 */
export function languageOf(set: Language | 'auto', env: Partial<Rows<string>>): Language {
  if (set !== 'auto') return set;
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || '';
  return locale.startsWith('zh') ? 'zh' : 'en';
}
