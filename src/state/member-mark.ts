import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { Places } from './places.ts';

const MAX_BYTES = 1000;

/**
 * The mark that this node has been a member, kept on both disks: with it, an empty data dir means that data were
 * lost, and not that a cluster is being created. It holds the birthmark of the cluster, where that is known.
 * @param birthmark what it is to hold; without it a mark that is there stays as it is
 * @throws when one of them cannot be written; the other is
 */
export async function markMember(machine: Machine, places: Places, birthmark?: string): Promise<void> {
  const text = `has been a member\n${birthmark ? `birthmark=${birthmark}\n` : ''}`;
  const marked = [places.rootDiskMark, places.dataDiskMark].map(async (path) => {
    const there = await machine.readFile(path, MAX_BYTES).catch(() => undefined);
    if (there === undefined || (birthmark !== undefined && there.text !== text))
      await machine.writeFile(path, text, ROOT_ONLY_FILE);
  });
  for (const each of await Promise.allSettled(marked)) if (each.status === 'rejected') throw each.reason;
}

export async function hasBeenMember(machine: Machine, places: Places): Promise<boolean> {
  const kinds = await Promise.all([machine.kindOf(places.rootDiskMark), machine.kindOf(places.dataDiskMark)]);
  return kinds.some((kind) => kind !== 'none');
}

/** The birthmark that this node remembers, empty when none: root's own disk first, for etcd's can be written by etcd. */
export async function rememberedBirthmark(machine: Machine, places: Places): Promise<string> {
  for (const path of [places.rootDiskMark, places.dataDiskMark]) {
    const file = await machine.readFile(path, MAX_BYTES).catch(() => undefined);
    const [, birthmark] = /^birthmark=([0-9a-f]{32})$/m.exec(file?.text ?? '') ?? [];
    if (birthmark !== undefined) return birthmark;
  }
  return '';
}
