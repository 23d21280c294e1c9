import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { Places } from './places.ts';

/** etcd's last run; undefined where systemd does not say. */
const lastRun = async (machine: Machine, places: Places) =>
  (await machine.units([places.unit]).catch(() => []))[0];

/**
 * Asks a heal to stop at its next safe point, and keeps one from beginning: from now on, until `unpark`, or until somebody
 * starts etcd another way than by our start hook.
 * @param forMs it ends by itself after so long, for one who may be killed before he can undo it
 */
export async function park(machine: Machine, places: Places, forMs?: number): Promise<void> {
  const lasts = await isStoppedByApp(machine, places);
  const run = await lastRun(machine, places);
  // Where the clock was set back since that run began, what comes after it is told by its process ID alone.
  const since = Math.max(machine.now(), forMs === undefined && run ? run.startedAtSec * 1000 : 0);
  const text = `since=${since}${forMs === undefined ? '' : ` for=${forMs}`}${run ? ` run=${run.exitPid}` : ''}\n`;
  if (!lasts || forMs === undefined) await machine.writeFile(places.parked, text, ROOT_ONLY_FILE);
}

export async function isParked(machine: Machine, places: Places): Promise<boolean> {
  const file = await machine.readFile(places.parked);
  if (file === undefined) return false;
  const [, since, forMs, pid] = /^since=(\d+)(?: for=(\d+))?(?: run=(\d+))?$/m.exec(file.text) ?? [];
  // Set back, the clock would make a moment of it long.
  if (forMs !== undefined) return !(Math.abs(machine.now() - Number(since)) >= Number(forMs));
  const run = await lastRun(machine, places);
  if (run === undefined) return true;
  // systemd says in which second it was started, which may be that of the stop.
  const isAnother = pid !== undefined && run.exitPid > 0 && run.exitPid !== Number(pid);
  return !(isAnother || run.startedAtSec * 1000 > Number(since));
}

/** Whether the app was stopped: what somebody has parked for a time is not. */
export const isStoppedByApp = async (machine: Machine, places: Places): Promise<boolean> =>
  (await isParked(machine, places)) && !/ for=/.test((await machine.readFile(places.parked))?.text ?? '');

export const unpark = (machine: Machine, places: Places): Promise<void> => machine.remove(places.parked);
