import catalogue from './catalogue.json';
import { fill, type Language, languageOf, type Row, type Values, wordsOf } from './words.ts';

/**
 * What the catalogue has of a text: the codes of its messages in their order, and how many of its characters stand in
 * rows. What no row has is shown as it is.
 */
type Understood = Readonly<{ zh: string; codes: readonly string[]; known: number }>;

/** What is between two parts of a text, each of them a text of its own. */
const MARK = /\.$|(?<=\.) |[;:] /g;
const MARKS: Record<string, string> = { '.': '{0}。{1}', ' ': '{0} {1}', '; ': '{0}；{1}', ': ': '{0}：{1}' };
/**
 * How long a text of ours may be, and how many characters are looked at for it, each time anew: one that was made to cost
 * time is shown as it is.
 */
const [MOST_CHARACTERS, MOST_LOOKED_AT] = [3000, 4e7];

/**
 * Finds the English text of a row, and what stands in its places, without ever going back: a text may be hostile. With a
 * value in front a row does not reach back over `: `, before which another text ends.
 */
const patternOf = (en: string): RegExp => {
  const text = `^${RegExp.escape(en)}$`;
  const source = text.replace(/\\\{(\d)\\\}(.*?)(?=\\\{\d|$)/gs, '(?=(?<_$1>.*?)$2)\\k<_$1>$2');
  return new RegExp(source.replace('^(?=(?<_0>.', '^(?=(?<_0>(?:(?!: ).)'), 's');
};

const allRows = () => {
  const rows: [en: string, row: Row][] = Object.entries(catalogue.sentences);
  for (const [id, { zh }] of Object.entries(catalogue.verdicts))
    rows.push([id, { code: '', zh: `${zh.name} ${id}` }]);
  for (const [en, zh] of Object.entries(catalogue.evidence)) rows.push([en, { code: '', zh, fact: true }]);
  for (const { finds } of Object.values(catalogue.doctor)) rows.push([finds.en, finds]);
  for (const reason of Object.keys(catalogue.reasons)) {
    const [{ code, ...en }, zh] = [wordsOf(reason), wordsOf(reason, 'zh')];
    rows.push([en.means, { code, zh: zh.means }], [en.advice, { code: '', zh: zh.advice }]);
  }
  // What a text of the row must have in it is looked for first: most patterns are never needed.
  return rows.map(([en, row]) => {
    const [part = ''] = en.split(/\{\d\}/).sort((a, b) => b.length - a.length);
    return { row, en, part, pattern: undefined as RegExp | undefined };
  });
};
let rows: ReturnType<typeof allRows> | undefined;

/**
 * What is found on the way, of which rows a text and its parts may be, and what may be looked at yet.
 * @param evidence the rows of evidence count, too: in a message such words are a quotation
 */
export function readingOf(text: string, evidence = false) {
  rows ??= allRows();
  const done = new Map<string, Understood>();
  const mayBe = rows.filter(({ part, row }) => text.includes(part) && (evidence || !row.fact));
  return { done, rows: mayBe, left: MOST_LOOKED_AT };
}

/**
 * Reads an English text as a row of the catalogue, or as several one after the other, and what stands in their places in
 * the same way. Of all ways to read it that one counts by which most of it is known, and shows most codes.
 */
export function understand(text: string, by = readingOf(text)): Understood {
  let best: Understood = { zh: text, codes: [], known: 0 };
  if (by.left < 0 || text.length > MOST_CHARACTERS) return best;
  const found = by.done.get(text);
  if (found) return found;
  by.done.set(text, best);
  by.left -= text.length * by.rows.length;
  const take = (values: readonly string[], { zh, code, codeAt }: Row): void => {
    by.left -= text.length;
    const parts = values.map((value) => understand(value, by));
    const known = parts.reduce((sum, part) => sum + part.known, text.length - values.join('').length);
    const inner = parts.slice(codeAt ?? parts.length).flatMap((part) => part.codes);
    const codes = inner.length > 0 ? inner : [code];
    const more = known - best.known || codes.length - best.codes.length;
    // A mark alone says nothing, nor is what is not known cut at a colon.
    if (known < 3 || more <= 0 || (code === '' && codeAt === 1 && parts[1]?.known === 0)) return;
    best = { zh: zh.replace(/\{(\d)\}/g, (_, i) => parts[i]?.zh ?? ''), codes, known };
  };
  for (const each of by.rows) {
    if (!text.includes(each.part)) continue;
    each.pattern ??= patternOf(each.en);
    const [whole, ...values] = each.pattern.exec(text) ?? [];
    if (whole !== undefined) take(values, each.row);
  }
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    if (by.left < 0) break;
    const row = { zh: MARKS[mark] ?? '', code: '', codeAt: mark === ': ' ? 1 : 0 };
    take([text.slice(0, index), text.slice(index + mark.length)], row);
  }
  by.done.set(text, best);
  return best;
}

/** In which all is said. */
export let language = languageOf('auto', process.env);

/** What is said from now on is said in the language of these settings; the log and `--json` stay English. */
export function speak<T extends { readonly language: Language | 'auto' }>(settings: T): T {
  language = languageOf(settings.language, process.env);
  return settings;
}

/** An English text, its values put in for `{0}`, `{1}` …, as a person is shown it. */
export function tell(sentence: string, ...values: Values): string {
  const text = fill(sentence, values);
  return language === 'en' ? text : understand(text).zh.replace(/(?<=[。）]) |。+(?=[；。])/g, '');
}

/** Evidence of a diagnosis as a person is shown it; what etcd has logged stays as it is. */
export function tellEvidence<T extends { source: string; text: string }>({ source, text, ...rest }: T) {
  const shown = (text: string) => (language === 'en' ? text : understand(text, readingOf(text, true)).zh);
  return { ...rest, source: shown(source), text: /^log of /.test(source) ? text : shown(text) };
}

/** The same for what was made, stored and logged in English, with the codes of its messages behind it (docs/messages.md). */
export function retell(sentence: string, ...values: Values): string {
  const text = fill(sentence, values);
  const codes = [...new Set(understand(text).codes)].filter(Boolean).join(', ');
  return codes ? `${tell(text)} [${codes}]`.replace('。 [', '。[') : tell(text);
}
