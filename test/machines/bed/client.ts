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
  /** Why its last write was not acknowledged. */
  private said = '';
  /** How its process has ended by itself; empty while it runs. */
  private ended = '';
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
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.said = chunk.toString().trim();
    });
    this.child.then(({ exitCode, signal }) => {
      this.ended = `exit ${exitCode ?? signal}`;
    });
  }

  /** The longest pause since this was last asked. */
  takeLongestPause(): number {
    const pauseMs = Math.max(this.longestPauseMs, Date.now() - this.lastMs);
    this.longestPauseMs = 0;
    this.lastMs = Date.now();
    return pauseMs;
  }

  /**
   * Waits until `count` more writes have been acknowledged.
   *
   * @throws where they are not within a minute: with what the writer was told last, or how it has ended
   */
  async writes(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    await until(`${count} more writes`, async () => {
      if (this.ended !== '') throw new Error(`the writer has ended: ${this.ended} ${this.said}`);
      return this.acknowledged.length >= goal;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; the writer: ${this.said || 'nothing'}`);
    });
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child;
  }
}
