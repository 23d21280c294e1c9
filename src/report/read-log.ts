import { existsSync, statSync } from 'node:fs';
import { styleText } from 'node:util';
import * as v from 'valibot';
import { attempt } from '../machine/attempt.ts';
import { openFile } from '../machine/os/held-dir.ts';
import { LOG_FILE } from '../state/places.ts';
import { retell } from '../words/retell.ts';
import { plainText } from './plain-text.ts';

const texts = ['level', 'caller', 'event', 'msg', 'healId', 'step', 'verdict'] as const;
const schema = v.object({
  ...v.entriesFromList([...texts, 'command', 'at', 'result'], v.optional(v.string(), '')),
  time: v.pipe(v.string(), v.isoTimestamp()),
  durationMs: v.optional(v.number(), 0),
  pid: v.optional(v.number()),
  evidence: v.optional(v.array(v.object({ source: v.string(), text: v.string(), at: v.string() })), []),
});

/** `raw` is the line as it stands in the file. Of commands: src/act/heal/recorded-world.ts. */
export type LogLine = Readonly<v.InferOutput<typeof schema>> & { readonly raw: string };

/** Those that can be read: one that a full disk has torn is left out. */
export const parseLines = (lines: readonly string[]): LogLine[] =>
  lines.flatMap((raw) => attempt(() => ({ ...v.parse(schema, JSON.parse(raw)), raw })) ?? []);

const COLOURS = { debug: 'dim', info: 'reset', warn: 'yellow', error: 'red' } as const;

/**
 * A line for people: time, level where it is not info, caller, sentence; in colour on a terminal that wants it.
 * @param width it is cut off there
 */
export function readableLine({ time, level, caller, msg }: LogLine, width = 1e9): string {
  let sentence = `${level === 'info' ? '' : `${level.toUpperCase()} `}${caller}: ${retell(plainText(msg))}`;
  // A Chinese character takes two columns.
  while (Bun.stringWidth(sentence) >= Math.max(1, width - time.length)) sentence = sentence.slice(0, -1);
  return `${styleText('dim', time)} ${styleText(COLOURS[level as keyof typeof COLOURS] ?? 'reset', sentence)}`;
}

/**
 * A reader of what is added to a file from now on, or of all from `at` on; each call returns the new whole lines, none
 * where there is no file.
 */
export function tailOf(path: string, at = existsSync(path) ? statSync(path).size : 0): () => string[] {
  let rest = '';
  return () => {
    using file = openFile(path);
    if (file === undefined) return [];
    if (file.size < at) at = 0; // rotated
    const bytes = Buffer.alloc(file.size - at);
    at += file.read(bytes, at);
    const lines = (rest + bytes.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    return lines;
  };
}

/** All lines that are still there, those that were rotated away first. @param newest reads the log's present file */
export const wholeLog = (newest = tailOf(LOG_FILE, 0)): LogLine[] =>
  parseLines([...[3, 2, 1].flatMap((n) => tailOf(`${LOG_FILE}.${n}`, 0)()), ...newest()]);

/** After so long without a line what comes next is another matter: AppCenter calls its action about once a minute. */
const QUIET_MS = 10 * 60_000;

/** Lines about a heal and what led to it: back to the last quiet, to the last time that it was found healthy, or to the end of the heal before. */
export function linesOfHeal(lines: readonly LogLine[], healId: string): readonly LogLine[] {
  const first = lines.findIndex((line) => line.healId === healId);
  const last = lines.findLastIndex((line) => line.healId === healId);
  const before = lines.slice(0, Math.max(0, first)).findLastIndex(({ time, event, verdict }, at) => {
    const quietMs = Date.parse(lines[at + 1]?.time ?? '') - Date.parse(time);
    return event === 'healed' || verdict === 'healthy' || quietMs > QUIET_MS;
  });
  return lines.slice(before + 1, last + 1);
}
