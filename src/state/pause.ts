import * as v from 'valibot';
import type { Machine } from '../machine/machine.ts';
import { jsonFile } from './json-file.ts';
import type { Places } from './places.ts';

const ms = v.number();

/**
 * A pause of this node, in root's own directory, with the sentence that says who has paused it, until when and why. When
 * it ends goes by the time since that boot, which nobody can set; in a later boot by the clock.
 */
const pauseFile = jsonFile(
  v.object({ text: v.string(), bootId: v.string(), sinceMs: ms, forMs: ms, upMs: ms }),
);

/** Keeps heals from being begun on this node for `forMs`. @throws when it cannot be written */
export const pauseNode = (machine: Machine, places: Places, text: string, forMs: number): Promise<void> =>
  pauseFile.write(machine, places.paused, { text, forMs, sinceMs: machine.now(), ...machine.boot() });

/** The sentence of the pause of this node; undefined when there is none, or it is over. */
export async function nodePause(machine: Machine, places: Places): Promise<string | undefined> {
  const pause = await pauseFile.read(machine, places.paused);
  if (pause === undefined) return undefined;
  const { bootId, upMs } = machine.boot();
  // Where the clock has been set back over a boot, what this boot has lasted is what is known to have passed.
  const clockMs = Math.max(upMs, machine.now() - pause.sinceMs);
  const passedMs = bootId === pause.bootId ? upMs - pause.upMs : clockMs;
  return passedMs < pause.forMs ? pause.text : undefined;
}
