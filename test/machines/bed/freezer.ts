import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';

const FREEZER = '/sys/fs/cgroup/freezer';
const GROUP = `${FREEZER}/heal-node-bed`;

/** Whether processes can be frozen here, which shows them in state D (cgroups(7), freezer of version 1). */
export const canFreeze = (): boolean => existsSync(FREEZER);

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

/** Freezes etcd of a machine: it waits in the kernel, and no signal reaches it. */
export function freezeEtcd(machine: TestMachine): void {
  mkdirSync(GROUP, { recursive: true });
  for (const pid of hostPids(machine, 'etcd')) writeFileSync(`${GROUP}/cgroup.procs`, pid);
  writeFileSync(`${GROUP}/freezer.state`, 'FROZEN');
}

/** Lets all go on. One that was killed while it was frozen dies now, and its group goes only after it. */
export async function thaw(): Promise<void> {
  if (!existsSync(GROUP)) return;
  writeFileSync(`${GROUP}/freezer.state`, 'THAWED');
  await until('nothing is frozen any more', async () => {
    try {
      for (const pid of readFileSync(`${GROUP}/cgroup.procs`, 'utf8').split('\n').filter(Boolean))
        writeFileSync(`${FREEZER}/cgroup.procs`, pid);
      rmdirSync(GROUP);
      return true;
    } catch {
      return undefined;
    }
  });
}
