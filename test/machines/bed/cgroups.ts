import { existsSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Slot } from './slot.ts';

/** The hierarchy in which disks can be slowed down, where it is one of its own (cgroups(7), version 1). */
const BLKIO = '/sys/fs/cgroup/blkio';

/** Why a disk cannot be slowed down here; undefined where it can. */
export const whyNotSlowed = (): string | undefined =>
  existsSync(BLKIO)
    ? undefined
    : `A slow disk needs ${BLKIO}, which this host does not have: mount the blkio hierarchy of control groups, version 1, there.`;

/** A machine's control groups: one in each hierarchy that systemd uses here, and one for its disk. */
export function cgroups(slot: Slot, sid: number): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, , type, options]) => type === 'cgroup2' || (type === 'cgroup' && options?.includes('name=systemd')),
    )
    .concat(existsSync(BLKIO) ? [['', BLKIO]] : [])
    .map(([, mount]) => `${mount}/${slot.group}-${sid}`);
}

/** Lets a machine write to the disk that is mounted there only so many times a second. */
export function slowDown(slot: Slot, sid: number, mount: string, writesPerSec: number): void {
  // makedev(3): of a loop device the minor number is below 256.
  const { dev } = statSync(mount);
  const device = `${(dev >> 8) & 0xfff}:${dev & 0xff}`;
  writeFileSync(
    `${BLKIO}/${slot.group}-${sid}/blkio.throttle.write_iops_device`,
    `${device} ${writesPerSec}`,
  );
}

/** The processes in a control group and in those below it. */
export function processesOf(group: string): string[] {
  const below = (dir: string): string[] => {
    try {
      const own = readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
      const dirs = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      return [...own, ...dirs.flatMap(({ name }) => below(join(dir, name)))];
    } catch {
      // It has gone meanwhile.
      return [];
    }
  };
  return below(group);
}

/** Removes a control group and those below it, as far as no process is in them. */
export function removeGroup(group: string): void {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    rmdirSync(group);
  } catch {
    // Somebody is still in it, or it has gone meanwhile.
  }
}
