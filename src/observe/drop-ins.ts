import type { Machine, TextFile } from '../machine/machine.ts';
import { GATE_DROP_IN, type Places } from '../state/places.ts';

/** Where systemd looks for a unit's drop-ins, the strongest first (systemd.unit(5)). */
const DROP_IN_ROOTS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];

/** Read first, and then asked what it is: somebody may mask it in between, and a fence take the mask for the unit. */
const unlessMasked = (machine: Machine, path: string): Promise<TextFile | undefined> =>
  machine.readFile(path).catch(async (error: Error): Promise<undefined> => {
    if ((await machine.kindOf(path)) !== 'mask') throw error;
  });

/** The unit as it stands on the disk, or else its copy: while the one is aside, or its name is masked, the other is there. */
export const unitOnDisk = async (machine: Machine, { unitFile, copyUnitFile }: Places) =>
  (await unlessMasked(machine, unitFile)) ?? unlessMasked(machine, copyUnitFile);

/**
 * The unit's drop-ins in force by file name, our own gate left out; of the same name the strongest directory's counts, also
 * where that is a mask, with which a person has switched the others off.
 */
export async function dropInsOf(machine: Machine, unit: string) {
  const [found, names] = [new Map<string, TextFile>(), new Set<string>()];
  for (const root of DROP_IN_ROOTS) {
    // /lib is a link to /usr/lib where the two are merged: no link is followed, and /usr/lib has been read already.
    const dir = `${root}/systemd/system/${unit}.d`;
    for (const name of await machine.list(dir).catch(() => [])) {
      if (!name.endsWith('.conf') || names.has(name) || name === GATE_DROP_IN) continue;
      names.add(name);
      const file = await unlessMasked(machine, `${dir}/${name}`);
      if (file !== undefined) found.set(name, file);
    }
  }
  return found;
}
