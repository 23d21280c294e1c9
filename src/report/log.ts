import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import pino, { type LoggerOptions } from 'pino';
import { attempt } from '../machine/attempt.ts';
import { LOG_FILE } from '../state/places.ts';
import { retell } from '../words/retell.ts';
import { jsonText } from './json-text.ts';

/** Data first, then a sentence for people. */
type Write = (data: { readonly event: string } & Readonly<Record<string, unknown>>, sentence: string) => void;

export type Log = Readonly<Record<'info' | 'warn' | 'error', Write>> & {
  /** What is kept for a report and not shown: in the file alone. A log need not have it. */
  readonly debug?: Write;
};

/** For who only looks. */
export const noLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const ROTATE_BYTES = 4 << 20;
const KEEP = 3;

/** `heal-node.log` → `.1` → `.2` …; looked at when a run begins: what one run logs is little. */
function rotate(path: string): void {
  if (!existsSync(path) || statSync(path).size < ROTATE_BYTES) return;
  for (let n = KEEP; n > 0; n--) {
    const from = n === 1 ? path : `${path}.${n - 1}`;
    if (existsSync(from)) renameSync(from, `${path}.${n}`);
  }
}

/** Writes whole lines. One that cannot be written is lost, and that is said once: a full disk must not end a heal, or fail a check. */
function lines(name: string, append: (line: string) => void): { write(line: string): void } {
  let announced = false;
  return {
    write: (line) => {
      try {
        append(line);
      } catch (error) {
        const text = `heal-node goes on without its log ${name}: ${(error as Error).message}`;
        if (!announced) console.error(attempt(() => retell(text)) ?? text); // the gate, too, writes a log
        announced = true;
      }
    },
  };
}

/** By its name each time: another run may have rotated it, and whoever follows the log looks at the new one. */
function appendTo(path: string): (line: string) => void {
  attempt(() => mkdirSync(dirname(path), { recursive: true, mode: 0o750 }));
  attempt(() => rotate(path)); // a log that stays long is one all the same; a missing directory is told with the first line
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  return (line) => {
    const fd = openSync(path, flags, 0o640);
    try {
      writeSync(fd, line);
    } finally {
      closeSync(fd);
    }
  };
}

/**
 * The log: JSON lines in the file, and the same on standard output where that is the journal (systemd sets
 * JOURNAL_STREAM, systemd.exec(5)).
 */
export function openLog(caller: string, path = LOG_FILE): Log {
  const streams = [
    { level: 'debug', stream: lines(path, appendTo(path)) },
    ...(process.env.JOURNAL_STREAM ? [{ stream: lines('the journal', (line) => writeSync(1, line)) }] : []),
  ];
  const options: LoggerOptions = {
    level: 'debug',
    base: { caller, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: (data) => JSON.parse(jsonText(data)) },
  };
  return pino(options, pino.multistream(streams));
}
