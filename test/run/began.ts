import { readFileSync } from 'node:fs';

/** Of the times in /proc (proc(5): USER_HZ is 100 on every Linux that runs here). */
const TICKS_PER_S = 100;

/** When a process was started, in ticks since the machine was booted. */
const startOf = (pid: number | 'self'): number =>
  // Its name, in brackets, may have blanks in it; the start is field 22.
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);

/** How long this run has been going, in milliseconds: under `npm test` with the set-up before it. */
export function runningMs(): number {
  const ownMs = process.uptime() * 1000;
  if (process.env.npm_lifecycle_event !== 'test') return ownMs;
  return ownMs + ((startOf('self') - startOf(process.ppid)) / TICKS_PER_S) * 1000;
}
