import { existsSync, readFileSync, statSync } from 'node:fs';
import { attempt } from '../machine/attempt.ts';
import { openFile } from '../machine/os/held-dir.ts';

/** A line of the log for people: time, level where it is not info, caller, sentence. */
export const readableLine = (line: string): string =>
  attempt(() => {
    const { time, level, caller, msg } = JSON.parse(line) as Record<string, unknown>;
    return `${time} ${level === 'info' ? '' : `${String(level).toUpperCase()} `}${caller}: ${msg}`;
  }) ?? line;

/** The last `count` lines of a file; none when there is no file. */
export function lastLines(path: string, count: number): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).slice(-count);
}

/** A reader of what is added to a file from now on; each call returns the new whole lines. */
export function tailOf(path: string): () => string[] {
  let at = existsSync(path) ? statSync(path).size : 0;
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
