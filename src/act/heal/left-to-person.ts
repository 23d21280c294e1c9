import { basename } from 'node:path';
import type { Situation } from '../../diagnose/situation.ts';
import type { World } from '../../observe/world.ts';
import type { Settings } from '../../settings/settings-table.ts';
import { healRecordFile } from '../../state/heal-record.ts';

/** `systemctl show` is how heal-node itself looks at units; whoever works on one calls something else. */
const looks = ([program = '', ...words]: readonly string[]): boolean =>
  basename(program) === 'systemctl' && words.includes('show');

/**
 * Why a half-done swap is not ours to take up unasked: a person has begun it by hand, and either `HEAL_MODE` is manual
 * or somebody may be at it still. Undefined where a heal of ours has left it, or nobody has touched it for
 * `HEAL_TAKE_OVER_AFTER`.
 * @returns a sentence without its full stop
 */
export async function whyLeftToPerson(world: World, settings: Settings, { observed }: Situation) {
  const { machine, places } = world;
  const { swap, atMs } = observed;
  const { copyUnit, copyUnitFile, copyEnv } = places;
  const ours = swap.originals || (await healRecordFile.read(machine, places.journal)) !== undefined;
  if (ours) return undefined;
  const traces = [swap.copyUnitFile !== 'none' && copyUnitFile, swap.copyEnv && copyEnv].filter(Boolean);
  const begun = `a runbook has been begun by hand (${traces.join(' and ') || 'etcd runs on the copy'})`;
  const finish = 'finish it, or run `heal-node resume` or `heal-node restore`';
  if (settings.mode !== 'auto') return `${begun}, and HEAL_MODE is ${settings.mode}; ${finish}`;
  // systemctl(1) takes a unit's name without its suffix too.
  const names = [copyUnit, copyUnit.replace(/\.service$/, ''), basename(copyEnv)];
  const busy = (await machine.commandLines()).find(
    (words) => !looks(words) && words.some((word) => names.includes(basename(word))),
  );
  if (busy) return `${begun}, and \`${busy.join(' ').trim().slice(0, 100)}\` is at work on it; ${finish}`;
  const ageMs = swap.changedMs === undefined ? Number.POSITIVE_INFINITY : Math.abs(atMs - swap.changedMs);
  return ageMs < settings.takeOverAfterMs
    ? `${begun} and touched ${Math.round(ageMs / 1000)} s ago; it is taken up when nobody has touched it for ${settings.takeOverAfterMs / 1000} s. To go on now, ${finish}`
    : undefined;
}
