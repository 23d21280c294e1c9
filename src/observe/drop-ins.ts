import type { Machine, TextFile } from '../machine/machine.ts';
import { GATE_DROP_IN, type Places } from '../state/places.ts';

/** Where systemd looks for a unit's drop-ins, the strongest first (systemd.unit(5)). */
const DROP_IN_ROOTS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'];

/** The unit as it stands on the disk, or else its copy: while the one is aside, or its name is masked, the other is there. */
export async function unitOnDisk(machine: Machine, { unitFile, copyUnitFile }: Places) {
  // Read first, and then asked what it is: somebody may mask it in between, and a fence take the mask for the unit.
  const read = (path: string) =>
    machine.readFile(path).catch(async (error: Error): Promise<undefined> => {
      if ((await machine.kindOf(path)) !== 'mask') throw error;
    });
  return (await read(unitFile)) ?? read(copyUnitFile);
}

/**
 * The unit's drop-ins in force by file name, our own gate left out; of the same name the strongest directory's
 * counts.
 */
export async function dropInsOf(machine: Machine, unit: string) {
  const found = new Map<string, TextFile>();
  for (const root of DROP_IN_ROOTS) {
    // /lib is a link to /usr/lib where the two are merged: no link is followed, and /usr/lib has been read already.
    const dir = `${root}/systemd/system/${unit}.d`;
    for (const name of await machine.list(dir).catch(() => [])) {
      if (!name.endsWith('.conf') || found.has(name) || name === GATE_DROP_IN) continue;
      const file = await machine.readFile(`${dir}/${name}`);
      if (file !== undefined) found.set(name, file);
    }
  }
  return found;
}
