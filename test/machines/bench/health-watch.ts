import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import { until } from '../bed/sh.ts';

/** Looks at one member's `/health` every few milliseconds, from beside the machines, by the same clock for all. */
export class HealthWatch {
  private readonly seen: { atMs: number; healthy: boolean }[] = [];
  private readonly child;

  constructor(bed: Bed, endpoint: string) {
    this.child = bed.inLan(join(import.meta.dirname, 'watch-health.ts'), [endpoint], (line) => {
      const [atMs, state] = line.split(' ');
      this.seen.push({ atMs: Number(atMs), healthy: state === 'healthy' });
    });
  }

  /** When the member was first seen healthy after a time. */
  firstHealthyAfter(ms: number): number {
    return this.seen.find(({ atMs, healthy }) => healthy && atMs > ms)?.atMs ?? Number.NaN;
  }

  /** Waits until it is seen not to answer. */
  async settled(): Promise<void> {
    await until('the member is seen down', async () => this.seen.at(-1)?.healthy === false);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child;
  }
}
