import { existsSync, statSync } from 'node:fs';
import { attempt } from '../machine/attempt.ts';
import { openFile } from '../machine/os/held-dir.ts';

/** A line of the log for people: time, level where it is not info, caller, sentence. */
export const readableLine = (line: string): string =>
  attempt(() => {
    const { time, level, caller, msg } = JSON.parse(line) as Record<string, unknown>;
    return `${time} ${level === 'info' ? '' : `${String(level).toUpperCase()} `}${caller}: ${msg}`;
  }) ?? line;

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
