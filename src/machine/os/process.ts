import { readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../attempt.ts';

/** What a process is doing at one moment (proc(5): /proc/PID/stat, /proc/PID/io). */
export type ProcessSample = Readonly<NonNullable<ReturnType<typeof parseProcess>>>;

/** A sample from the texts of `stat` and `io`; undefined when `stat` is not one. */
export function parseProcess(stat: string, io: string) {
  // The program's name stands in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  if (!/^[A-Za-z]$/.test(state) || Number.isNaN(cpuTicks)) return undefined;
  const counts = io.matchAll(/^(?:rchar|wchar|read_bytes|write_bytes): (\d+)$/gm);
  const ioBytes = counts.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return {
    /** R running, S sleeping, D waiting for the disk, T stopped, Z ended. */
    state,
    cpuTicks,
    /** Bytes read and written, of files, sockets and disks. */
    ioBytes,
  };
}

/** The text of a process's file. @throws when there is no such process */
const textOf = (pid: number | string, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');

/** Undefined when there is no such process. */
export const sampleProcess = (pid: number): ProcessSample | undefined =>
  attempt(() => parseProcess(textOf(pid, 'stat'), textOf(pid, 'io')));

/** The IDs of all processes, as text. */
export const processIds = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/**
 * The words of the command line of every process that root has started, and that is root's (proc(5): /proc/PID/status): a
 * process may write there what it likes.
 */
export const commandLines = (): string[][] =>
  processIds()
    .filter((pid) => attempt(() => /^Uid:\t0\t0\t/m.test(textOf(pid, 'status'))))
    .flatMap((pid) => attempt(() => textOf(pid, 'cmdline')) ?? [])
    .map((line) => line.slice(0, 4096).split('\0'));
