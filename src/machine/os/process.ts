import { readdirSync, readFileSync } from 'node:fs';

/** What a process is doing at one moment (proc(5): /proc/PID/stat, /proc/PID/io). */
export interface ProcessSample {
  /** R running, S sleeping, D waiting for the disk, T stopped, Z ended. */
  readonly state: string;
  readonly cpuTicks: number;
  /** Bytes read and written, of files, sockets and disks. */
  readonly ioBytes: number;
}

/** A sample from the texts of `stat` and `io`; undefined when `stat` is not one. */
export function parseProcess(stat: string, io: string): ProcessSample | undefined {
  // The program's name stands in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  if (!/^[A-Za-z]$/.test(state) || Number.isNaN(cpuTicks)) return undefined;
  const ioBytes = [...io.matchAll(/^(?:rchar|wchar|read_bytes|write_bytes): (\d+)$/gm)].reduce(
    (sum, [, bytes]) => sum + Number(bytes),
    0,
  );
  return { state, cpuTicks, ioBytes };
}

/** Undefined when there is no such process. */
export function sampleProcess(pid: number): ProcessSample | undefined {
  try {
    return parseProcess(readFileSync(`/proc/${pid}/stat`, 'utf8'), readFileSync(`/proc/${pid}/io`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The words of every process's command line (proc(5): /proc/PID/cmdline); anybody may write there what they like. */
export function commandLines(): string[][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').slice(0, 4096).split('\0')];
      } catch {
        return []; // It has just ended.
      }
    });
}
