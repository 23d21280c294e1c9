import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { Bed } from './bed.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';
import type { Slot } from './slot.ts';

const FREEZER = '/sys/fs/cgroup/freezer';
const groupOf = (slot: Slot): string => `${FREEZER}/${slot.group}`;

/** Why processes cannot be frozen here, which shows them in state D; undefined where they can. */
export const whyNotFrozen = (): string | undefined =>
  existsSync(FREEZER)
    ? undefined
    : `A process in state D needs ${FREEZER}, which this host does not have: mount the freezer of control groups, version 1, there.`;

/** The host's PIDs of the processes of that name in a machine. */
function hostPids(machine: TestMachine, program: string): string[] {
  const namespace = readlinkSync(`/proc/${machine.pid}/ns/pid`);
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readlinkSync(`/proc/${pid}/ns/pid`) === namespace &&
        readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program
      );
    } catch {
      return false;
    }
  });
}

/** Sends etcd of a machine a signal, from outside and so at once. */
export function signalEtcd(machine: TestMachine, signal: NodeJS.Signals): void {
  for (const pid of hostPids(machine, 'etcd')) process.kill(Number(pid), signal);
}

/** Freezes etcd of a machine: it waits in the kernel, and no signal reaches it. */
export function freezeEtcd({ slot }: Bed, machine: TestMachine): void {
  const group = groupOf(slot);
  mkdirSync(group, { recursive: true });
  for (const pid of hostPids(machine, 'etcd')) writeFileSync(`${group}/cgroup.procs`, pid);
  writeFileSync(`${group}/freezer.state`, 'FROZEN');
}

/** Lets all go on. One that was killed while it was frozen dies now, and its group goes only after it. */
export async function thaw({ slot }: Pick<Bed, 'slot'>): Promise<void> {
  const group = groupOf(slot);
  if (!existsSync(group)) return;
  writeFileSync(`${group}/freezer.state`, 'THAWED');
  await until('nothing is frozen any more', async () => {
    try {
      for (const pid of readFileSync(`${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean))
        writeFileSync(`${FREEZER}/cgroup.procs`, pid);
      rmdirSync(group);
      return true;
    } catch {
      return undefined;
    }
  });
}
