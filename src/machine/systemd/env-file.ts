/**
 * Environment files as systemd reads them (systemd.exec(5), `EnvironmentFile=`; its source: basic/env-file.c): what
 * systemd would hand to etcd is what counts, so neither a shell's rules nor dotenv's apply.
 */
import type { Machine } from '../machine.ts';

interface Assignment {
  readonly key: string;
  readonly value: string;
  /** Where the assignment stands in the text, without its line end. */
  readonly start: number;
  readonly end: number;
}

const BLANKS = /[ \t]*/y;
/** A part of a value: plain text, text in quotes, which only the end of the file may leave open, or what is escaped. */
const PART = /([^'"\\\r\n]+)|'([^']*)'?|"([^"\\]*(?:\\.[^"\\]*)*)"?|\\(.?)/sy;
const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** In double quotes a backslash stands for itself but before these, and before a line end. */
const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (all, next) => ('"\\`$'.includes(next) ? next : next === '\n' ? '' : all));

/** Reads one value from `at`; returns it with the offset just behind it (a line end, or the text's). */
function readValue(text: string, at: number): { value: string; end: number } {
  let value = '';
  let kept = 0; // length of `value` that trailing white space must not eat
  BLANKS.lastIndex = at;
  BLANKS.test(text);
  PART.lastIndex = BLANKS.lastIndex;
  for (let end = PART.lastIndex; ; end = PART.lastIndex) {
    const [part, plain, single, double, escaped = ''] = PART.exec(text) ?? [];
    if (part === undefined) return { value: value.slice(0, kept), end };
    const quoted = single ?? double;
    if (plain !== undefined) value += plain;
    else if (quoted === undefined) value += escaped === '\n' ? '' : escaped;
    else value += single ?? unescaped(quoted);
    if (quoted !== undefined && part.length < quoted.length + 2) return { value, end: text.length };
    const trailing = plain === undefined ? 0 : plain.length - (/^.*[^ \t]/s.exec(plain)?.[0].length ?? 0);
    if (trailing < part.length) kept = value.length - trailing;
  }
}

/**
 * All assignments of an environment file, in order. Lines that systemd would skip are skipped. This and `parseEnvFile`
 * are on the healthy check's way (docs/design.md).
 */
function readAssignments(text: string): Assignment[] {
  const found: Assignment[] = [];
  for (let i = 0, end = 0; i < text.length; i = end + 1) {
    end = i;
    const first = text.charAt(i);
    if (' \t\r\n'.includes(first)) continue;
    const newline = text.indexOf('\n', i);
    end = newline === -1 ? text.length : newline;
    const equals = text.indexOf('=', i);
    if (first === '#' || first === ';' || equals === -1 || equals > end) continue;
    const key = text.slice(i, equals).trim();
    const read = readValue(text, equals + 1);
    if (KEY.test(key)) found.push({ key, ...read, start: i });
    end = read.end;
  }
  return found;
}

/** The values in force: of several assignments of a key the last one counts. */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { key, value } of readAssignments(text)) values[key] = value;
  return values;
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

/** Whether a file of settings is missing, or says nothing. */
export const isBlank = async ({ readFile }: Pick<Machine, 'readFile'>, path: string): Promise<boolean> =>
  ((await readFile(path))?.text ?? '').trim() === '';
