import { attempt } from '../attempt.ts';
import type { UnitFacts } from '../systemd/systemctl.ts';

/** Fields of a zap line that say nothing of what happened. */
const ASIDE = new Set(['level', 'ts', 'caller', 'msg', 'stacktrace', 'logger']);
const MAX_LINE_CHARS = 16_384;

const record = (line: string): Record<string, unknown> | undefined =>
  line.startsWith('{') ? attempt(() => JSON.parse(line) as Record<string, unknown>) : undefined;

/**
 * One line of etcd's log as text, whichever of its two formats it has: capnslog's is text already, zap's (the only
 * one since 3.5, `ETCD_LOGGER=zap` in 3.4) is JSON and becomes `message key=value …`.
 */
export function plainLine(line: string): string {
  const short = line.slice(0, MAX_LINE_CHARS);
  const fields = record(short);
  if (fields === undefined) return short;
  const rest = Object.entries(fields)
    .filter(([key]) => !ASIDE.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [fields.msg, ...rest].join(' ');
}

/** capnslog's `TIME LEVEL | PACKAGE: text`. */
const CAPNSLOG = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([A-Z]) \| ([\w/.-]+): /;

/** Of the highest level, after which etcd ends; or of its main program, which ends when something fails there. */
function isFatal(line: string): boolean {
  const [, level, from] = CAPNSLOG.exec(line) ?? [];
  if (level !== undefined) return level === 'C' || (level === 'E' && from === 'etcdmain');
  const fields = record(line.slice(0, MAX_LINE_CHARS)) ?? {};
  return ['fatal', 'panic'].includes(String(fields.level)) || String(fields.caller).startsWith('etcdmain/');
}

/** How the server says that it stops for an error of its own, as a removed member does (etcdserver/server.go, run). */
function isServerError(line: string): boolean {
  const [, level, from] = CAPNSLOG.exec(line) ?? [];
  return level === 'E' ? from === 'etcdserver' : record(line)?.msg === 'server error';
}

/** The lines of Go's report of a panic after its first one. journald drops empty lines, and blanks before 235. */
const TRACE =
  /^(?:|goroutine \d+ \[.*\]:|\[signal .*\]|\S+\(.*\)|\t?\S+:\d+(?: \+0x[0-9a-f]+)?(?: fp=0x[0-9a-f]+ sp=0x[0-9a-f]+ pc=0x[0-9a-f]+)?|created by \S+(?: in goroutine \d+)?|\.\.\.additional frames elided\.\.\.)$/;
const GOROUTINE = /^goroutine \d+ \[running.*\]:$/;

/**
 * The one panic of etcd 3.4 that quotes what a client sent: a v2 key that looks like a member's attributes
 * (etcdserver/apply_v2.go, applierV2store.Put).
 */
const QUOTES_CLIENT = /^(?:failed to )?unmarshal\b/;

/** The text of the panic with whose report the log ends (runtime/panic.go, printpanics), and which line that is. */
function panicOf(lines: readonly string[]): { readonly at: number; readonly text: string } | undefined {
  const at = lines.findLastIndex((line) => !TRACE.test(line));
  const text = lines[at]?.startsWith('panic: ') ? lines[at]?.slice('panic: '.length) : undefined;
  const next = lines.slice(at + 1).find((line) => line !== '');
  return text !== undefined && GOROUTINE.test(next ?? '') ? { at, text } : undefined;
}

/** A panic's text is logged before it is printed: with the fields of the error by zap, as it is by capnslog. */
function wordsOfPanic(lines: readonly string[]): string[] {
  const panic = panicOf(lines);
  if (panic === undefined || QUOTES_CLIENT.test(panic.text)) return [];
  const logged = lines.slice(0, panic.at).findLast(isFatal);
  const same = logged !== undefined && record(logged)?.msg === panic.text;
  return [...(same ? [plainLine(logged)] : []), panic.text];
}

const lastOne =
  (is: (line: string) => boolean) =>
  (lines: readonly string[]): string[] =>
    lines.filter(is).slice(-1).map(plainLine);

/** By etcd's exit code: it ends itself with 1 after a fatal line, Go ends it with 2 after a panic (os.Exit, runtime). */
const WORDS: Readonly<Record<number, (lines: readonly string[]) => string[]>> = {
  0: lastOne(isServerError),
  1: lastOne(isFatal),
  2: wordsOfPanic,
};

/**
 * The words with which a run ended, as `plainLine` has them; none while a process runs, nor of one that was killed,
 * as it says nothing any more.
 *
 * What a client sends can stand in any line, and capnslog does not quote all of it: the name of a role may hold a
 * whole line of a log, or a report of a panic. So a line counts only where etcd must have written it: every exit code
 * has a last word of its own, which stands after everything that a client has sent.
 */
export function lastWords(
  lines: readonly string[],
  { mainPid, exitKind, exitStatus }: Pick<UnitFacts, 'mainPid' | 'exitKind' | 'exitStatus'>,
): string[] {
  return mainPid === 0 && exitKind === 1 ? (WORDS[exitStatus]?.(lines) ?? []) : [];
}

/** The lines of a log file that were written since a time: only zap writes to files, and its lines carry one. */
export function linesSince(text: string, sinceMs: number): string[] {
  const lines = text.split('\n').filter(Boolean);
  const first = lines.findIndex((line) => Date.parse(String(record(line)?.ts ?? '')) >= sinceMs);
  return first < 0 ? [] : lines.slice(first);
}
