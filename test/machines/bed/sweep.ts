import { existsSync, readdirSync, rmSync } from 'node:fs';
import { cgroups, processesOf, removeGroup } from './cgroups.ts';
import { thaw } from './freezer.ts';
import { leftLogs } from './machine-logs.ts';
import { isMounted } from './mounts.ts';
import { endProcess, sh, trySh, until } from './sh.ts';
import { type Slot, slots, tryLock } from './slot.ts';

/** Ends all processes of a machine, and removes its control groups. */
async function endMachine(slot: Slot, sid: number): Promise<void> {
  for (const group of cgroups(slot, sid).filter(existsSync)) {
    // Deepest first; a control group is removed like a directory, and only when no process is in it.
    await until(`${group} is removed`, async () => {
      const pids = processesOf(group);
      for (const pid of pids) endProcess(Number(pid));
      removeGroup(group);
      return !existsSync(group);
    });
  }
}

/** The slot's network namespaces that exist. */
function namespaces(slot: Slot): string[] {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  return names.filter((name) => name.startsWith(slot.netns(0).slice(0, -1)));
}

async function endNetwork(slot: Slot): Promise<void> {
  for (const name of namespaces(slot)) {
    const pids = ((await trySh('ip', 'netns', 'pids', name)) ?? '').split('\n').filter(Boolean);
    for (const pid of pids) endProcess(Number(pid));
  }
  // A namespace goes late, and its cables with it; the bridge and both ends of a cable go at once.
  const links = (await trySh('ip', '-n', slot.lan, '-brief', 'link')) ?? '';
  for (const [, name] of links.matchAll(/^(v\d+)@/gm))
    await trySh('ip', '-n', slot.lan, 'link', 'del', `${name}`);
  for (const name of namespaces(slot)) await trySh('ip', 'netns', 'del', name);
}

/**
 * Ends what a bed in this slot has made, this one or one whose run was killed, by its ID. Does nothing where there
 * is nothing. The slot's lock must be held.
 */
export async function sweep(slot: Slot): Promise<void> {
  const sids = existsSync(slot.dir) ? readdirSync(slot.dir).filter((name) => /^\d+$/.test(name)) : [];
  // What is frozen cannot be killed.
  await thaw({ slot });
  await Promise.all(sids.map((sid) => endMachine(slot, Number(sid))));
  await endNetwork(slot);
  if (isMounted(slot.dir)) {
    let said = '';
    await until(
      `${slot.dir} is unmounted`,
      async () => (await sh('umount', '-R', slot.dir).catch((error: Error) => (said = error.message))) === '',
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${said}`);
    });
  }
  rmSync(slot.dir, { recursive: true, force: true });
}

/**
 * Sweeps every slot that a run has left without its lock, in this checkout or another.
 *
 * @returns the last lines of what its machines had logged
 */
export async function sweepLeftovers(): Promise<string> {
  const logs: string[] = [];
  for (const slot of slots) {
    if (!existsSync(slot.dir) && namespaces(slot).length === 0) continue;
    const release = await tryLock(slot);
    if (release === undefined) continue;
    logs.push(await leftLogs(slot.dir).catch((error: Error) => error.message));
    await sweep(slot).finally(release);
  }
  return logs.join('\n');
}
