/**
 * Environment files as systemd reads them (systemd.exec(5), `EnvironmentFile=`; its source: basic/env-file.c): what
 * systemd would hand to etcd is what counts, so neither a shell's rules nor dotenv's apply.
 */

interface Assignment {
  readonly key: string;
  readonly value: string;
  /** Where the assignment stands in the text, without its line end. */
  readonly start: number;
  readonly end: number;
}

const SPACE = /[ \t\r\n]*/y;
const PLAIN_VALUE = /[^'"\\\r\n]*(?=[\r\n]|$)/y;
const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads one value from `at`; returns it with the offset just behind it (a line end, or the text's). */
function readValue(text: string, at: number): { value: string; end: number } {
  // Most values have neither quotes nor backslashes: for the healthy check a fifth of a millisecond.
  PLAIN_VALUE.lastIndex = at;
  const plain = PLAIN_VALUE.exec(text)?.[0];
  if (plain !== undefined) return { value: plain.trim(), end: at + plain.length };
  let value = '';
  let kept = 0; // length of `value` that trailing white space must not eat
  let i = at;
  while (text[i] === ' ' || text[i] === '\t') i++;
  let quote = '';
  for (; i < text.length; i++) {
    const c = text[i] as string;
    if (quote === '') {
      if (c === '\n' || c === '\r') break;
      if (c === "'" || c === '"') {
        quote = c;
        kept = value.length;
      } else if (c === '\\') {
        i++;
        if (i < text.length && text[i] !== '\n') value += text[i];
        kept = value.length;
      } else {
        value += c;
        if (c !== ' ' && c !== '\t') kept = value.length;
      }
    } else if (c === quote) {
      quote = '';
      kept = value.length;
    } else if (c === '\\' && quote === '"') {
      const next = text[i + 1];
      if (next === undefined) break;
      i++;
      if ('"\\`$'.includes(next)) value += next;
      else if (next !== '\n') value += `\\${next}`;
    } else {
      value += c;
    }
  }
  return { value: quote === '' ? value.slice(0, kept) : value, end: Math.min(i, text.length) };
}

/** All assignments of an environment file, in order. Lines that systemd would skip are skipped. */
function readAssignments(text: string): Assignment[] {
  const found: Assignment[] = [];
  let i = 0;
  while (i < text.length) {
    SPACE.lastIndex = i;
    i += SPACE.exec(text)?.[0].length ?? 0;
    const lineEnd = text.indexOf('\n', i) === -1 ? text.length : text.indexOf('\n', i);
    if (text[i] === '#' || text[i] === ';') {
      i = lineEnd;
      continue;
    }
    const equals = text.indexOf('=', i);
    if (equals === -1 || equals > lineEnd) {
      i = lineEnd + 1;
      continue;
    }
    const key = text.slice(i, equals).trim();
    const { value, end } = readValue(text, equals + 1);
    if (KEY.test(key)) found.push({ key, value, start: i, end });
    i = end + 1;
  }
  return found;
}

/** The values in force: of several assignments of a key the last one counts. */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readAssignments(text).map(({ key, value }) => [key, value]));
}

function quoteValue(key: string, value: string): string {
  if (/\p{Cc}/u.test(value))
    throw new Error(`${key} would hold a control character: ${JSON.stringify(value)}`);
  return /^[\w:/,.=@[\]-]*$/.test(value) ? value : `"${value.replace(/["\\`$]/g, '\\$&')}"`;
}

/**
 * The same text with some keys set; every other byte stays. A key that is missing is added at the end.
 * @throws when a value holds a control character.
 */
export function setEnvValues(text: string, values: Readonly<Record<string, string>>): string {
  const assignments = readAssignments(text);
  let result = text;
  for (const { key, start, end } of assignments.toReversed()) {
    const value = values[key];
    if (value !== undefined)
      result = `${result.slice(0, start)}${key}=${quoteValue(key, value)}${result.slice(end)}`;
  }
  const missing = Object.entries(values).filter(([key]) => !assignments.some((a) => a.key === key));
  if (missing.length === 0) return result;
  const gap = result === '' || result.endsWith('\n') ? '' : '\n';
  return `${result}${gap}${missing.map(([key, value]) => `${key}=${quoteValue(key, value)}\n`).join('')}`;
}
