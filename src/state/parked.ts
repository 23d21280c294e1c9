import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { Places } from './places.ts';

/**
 * Asks a heal to stop at its next safe point, and keeps one from beginning; undone by `unpark`.
 * @param forMs it ends by itself after so long, for one who may be killed before he can undo it
 * @returns whether it was so already
 */
export async function park(machine: Machine, places: Places, forMs?: number): Promise<boolean> {
  const already = await isParked(machine, places);
  const text = forMs === undefined ? 'until the next start\n' : `since=${machine.now()} for=${forMs}\n`;
  if (!already) await machine.writeFile(places.parked, text, ROOT_ONLY_FILE);
  return already;
}

export async function isParked(machine: Machine, places: Places): Promise<boolean> {
  const file = await machine.readFile(places.parked);
  const [, sinceMs, forMs] = /^since=(\d+) for=(\d+)$/m.exec(file?.text ?? '') ?? [];
  // Set back, the clock would make a moment of it long.
  return file !== undefined && !(Math.abs(machine.now() - Number(sinceMs)) >= Number(forMs));
}

export const unpark = (machine: Machine, places: Places): Promise<void> => machine.remove(places.parked);
