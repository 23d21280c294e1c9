import type { Bed } from './bed.ts';
import { bedScript } from './in-lan.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';

export interface ClientOptions {
  /** All machines of the bed when left out. */
  readonly to?: readonly TestMachine[];
  /** Of its keys, and nobody else's. */
  readonly prefix?: string;
  /** After every write. */
  readonly pauseMs?: number;
}

/** A client beside the machines that writes all the time; see writer.ts. */
export class Client {
  readonly acknowledged: string[] = [];
  /** The longest time between two acknowledgements so far, in milliseconds. */
  longestPauseMs = 0;
  private lastMs = 0;
  private readonly child;

  constructor(bed: Bed, { to = bed.machines, prefix = 'w/', pauseMs = 80 }: ClientOptions) {
    const endpoints = to.map(({ endpoint }) => endpoint);
    const words = [prefix, String(pauseMs), bed.clientCertificates() ?? '', bed.user, ...endpoints];
    this.child = bed.inLan(bedScript('writer.ts'), words, (key) => {
      const nowMs = Date.now();
      if (this.lastMs > 0) this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - this.lastMs);
      this.lastMs = nowMs;
      this.acknowledged.push(key);
    });
  }

  /** The longest pause since this was last asked. */
  takeLongestPause(): number {
    const pauseMs = Math.max(this.longestPauseMs, Date.now() - this.lastMs);
    this.longestPauseMs = 0;
    this.lastMs = Date.now();
    return pauseMs;
  }

  /** Waits until `count` more writes have been acknowledged. */
  async writes(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    await until(`${count} more writes`, async () => this.acknowledged.length >= goal);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child;
  }
}
