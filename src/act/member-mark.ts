import { type Machine, ROOT_ONLY_FILE } from '../node/machine.ts';
import type { Places } from '../node/places.ts';

/**
 * The mark that this node has been a member, kept on both disks: with it, an empty data dir means that data were
 * lost, and not that a cluster is being created.
 */
export async function markMember(machine: Machine, places: Places): Promise<void> {
  for (const path of [places.mark, places.mark2]) {
    if ((await machine.kindOf(path)) === 'none')
      await machine.writeFile(path, 'has been a member\n', ROOT_ONLY_FILE);
  }
}

export async function hasBeenMember(machine: Machine, places: Places): Promise<boolean> {
  const kinds = await Promise.all([machine.kindOf(places.mark), machine.kindOf(places.mark2)]);
  return kinds.some((kind) => kind !== 'none');
}
