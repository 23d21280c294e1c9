import { readFileSync } from 'node:fs';
import type { Bed } from '../bed/bed.ts';
import { cgroups, processesOf } from '../bed/cgroups.ts';

const EVERY_MS = 50;

/** The most that a process has had in memory so far, in MiB (proc_pid_status(5), VmHWM); 0 when it has gone. */
function peakOf(pid: string): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Watches heal-node.service of a machine until it is stopped: how much memory any of its processes has had. */
export class ServiceMemory {
  private peakMiB = 0;
  private readonly timer;

  constructor(bed: Bed, sid: number) {
    const groups = cgroups(bed.slot, sid).map((group) => `${group}/payload/system.slice/heal-node.service`);
    this.timer = setInterval(() => {
      for (const pid of groups.flatMap(processesOf)) this.peakMiB = Math.max(this.peakMiB, peakOf(pid));
    }, EVERY_MS);
  }

  /** So far, in MiB. @throws Error when it was never seen to run */
  peak(): number {
    if (this.peakMiB === 0) throw new Error('heal-node.service was not seen to run');
    return this.peakMiB;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
