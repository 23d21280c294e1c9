import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { Places } from './places.ts';

const MAX_BYTES = 1000;

/** What this node remembers of having been a member. */
export type MemberMark = Readonly<Awaited<ReturnType<typeof readMark>>>;

/**
 * Writes the mark on both disks, where it does not stand already.
 * @throws when one of them cannot be written; the other is
 */
export async function markMember(machine: Machine, places: Places, mark: Partial<MemberMark>) {
  const { birthmark = '', birthmarkRevision = 0n, dataDiskId = '' } = mark;
  const at = birthmarkRevision > 0n ? ` at ${birthmarkRevision}` : '';
  const lines = [birthmark && `birthmark=${birthmark}${at}`, dataDiskId && `data-disk=${dataDiskId}`];
  const text = `${['has been a member', ...lines].filter(Boolean).join('\n')}\n`;
  const marked = [places.rootDiskMark, places.dataDiskMark].map(async (path) => {
    const there = await machine.readFile(path, MAX_BYTES).catch(() => undefined);
    if (there?.text !== text) await machine.writeFile(path, text, ROOT_ONLY_FILE);
  });
  for (const each of await Promise.allSettled(marked)) if (each.status === 'rejected') throw each.reason;
}

/** Root's own disk first, for etcd's can be written by etcd; of the data disk's ID root's alone is believed. */
export async function readMark(machine: Machine, places: Places) {
  const [root, data] = await Promise.all(
    [places.rootDiskMark, places.dataDiskMark].map(async (path) => ({
      // Where the data disk has something else in its way, root's own counts.
      there: (await machine.kindOf(path).catch(() => 'none')) !== 'none',
      text: (await machine.readFile(path, MAX_BYTES).catch(() => undefined))?.text ?? '',
    })),
  );
  const [, birthmark = '', revision = 0] =
    [root?.text, data?.text]
      .map((text) => /^birthmark=([0-9a-f]{32})(?: at (\d{1,19}))?$/m.exec(text ?? ''))
      .find(Boolean) ?? [];
  return {
    /** It has been one: with this, an empty data dir means that data were lost, and not that a cluster is created. */
    wasMember: root?.there === true || data?.there === true,
    /** The birthmark of its cluster; empty when none is known. */
    birthmark,
    /** At which revision it was put, so that one that somebody deletes can be told from one that never was; 0 if unknown. */
    birthmarkRevision: BigInt(revision),
    /** The ID of the file system that its data were on (Machine.fileSystemId); empty when none is known. */
    dataDiskId: /^data-disk=(\w{1,40})$/m.exec(root?.text ?? '')?.[1] ?? '',
  };
}

/** Takes the mark away: this node may found a cluster again. */
export async function unmarkMember(machine: Machine, places: Places): Promise<void> {
  await machine.remove(places.dataDiskMark);
  await machine.remove(places.rootDiskMark);
}
