import { join } from 'node:path';
import { execa } from 'execa';
import { until } from '../bed/sh.ts';

/** Looks at one member's `/health` every few milliseconds, from beside the machines, by the same clock for all. */
export class HealthWatch {
  private readonly seen: { atMs: number; healthy: boolean }[] = [];
  private readonly child;

  constructor(endpoint: string) {
    const words = [
      'netns',
      'exec',
      'hn-lan',
      process.execPath,
      join(import.meta.dirname, 'watch-health.ts'),
      endpoint,
    ];
    this.child = execa('ip', words, { stdin: 'ignore', buffer: false, reject: false });
    this.child.stdout.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        const [atMs, state] = line.split(' ');
        this.seen.push({ atMs: Number(atMs), healthy: state === 'healthy' });
      }
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
