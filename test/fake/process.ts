import type { FakeNode } from './node.ts';

/** Who runs a process: we, or the app and people, whose processes are not killed with ours. */
export type Owner = 'ours' | 'theirs';

/** A process on a node: when it is killed, nothing that it called comes back, and nothing more is done by it. */
export class Proc {
  private alive = true;
  /** Sleeps since it last changed something on its machine. */
  private idle = 0;

  constructor(
    readonly node: FakeNode,
    readonly what: string,
    readonly owner: Owner = 'ours',
    private readonly killed: () => void = () => undefined,
  ) {
    node.procs.add(this);
  }

  /** A call that takes its time; `what` is done at the end of it. */
  call<T>(latencyMs: number, what: () => T, ended?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      const { world } = this.node;
      world.onCall(this.node, this.what);
      world.clock.after(latencyMs, () => {
        if (!this.alive || ended?.aborted) return false;
        try {
          const result = what();
          if (this.alive) resolve(result);
        } catch (error) {
          if (this.alive) reject(error as Error);
        }
        return true;
      });
    });
  }

  /** The same for a call that changes something: whoever watches the node may strike right before or after it. */
  effect<T>(latencyMs: number, what: () => T): Promise<T> {
    return this.call(latencyMs, () => this.struck(what));
  }

  private struck<T>(what: () => T): T {
    const { node } = this;
    node.onEffect(this.what, 'before');
    if (!this.alive) return undefined as T;
    try {
      return what();
    } finally {
      node.onEffect(this.what, 'after');
    }
  }

  /** A change that is made bit by bit, over so long: a kill in between leaves the rest. */
  async bits(latencyMs: number, bits: readonly (() => void)[]): Promise<void> {
    this.halfDone = bits.length > 1;
    for (const bit of bits) await this.effect(latencyMs, bit);
    this.halfDone = false;
  }
  private halfDone = false;

  /** A call that ends when others say so, by `done` or `failed`, and with `late` after so long at the latest. */
  wait<T>(
    limitMs: number,
    begin: (done: (value: T) => void, failed: (error: Error) => void) => void,
    late: () => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      let open = true;
      const ends = (act: () => void): void => {
        if (!open || !this.alive) return;
        open = false;
        act();
      };
      begin(
        (value) => ends(() => resolve(value)),
        (error) => ends(() => reject(error)),
      );
      this.node.world.clock.after(limitMs, () => {
        if (!open) return false;
        ends(() => {
          try {
            resolve(late());
          } catch (error) {
            reject(error as Error);
          }
        });
        return true;
      });
    });
  }

  /**
   * Waits are stretched, the more the longer nothing has come of them: a story has fewer events then, and every
   * interleaving is still possible.
   */
  sleep(ms: number, ended?: AbortSignal): Promise<void> {
    if (ended === undefined) this.idle++;
    const most = ended === undefined ? Math.min(400 * this.idle, this.node.world.longestSleepMs) : 50;
    return this.call(
      Math.max(ms, this.node.world.random.between(50, Math.max(50, most))),
      () => undefined,
      ended,
    );
  }

  /** It gets on. */
  busy(): void {
    this.idle = 0;
  }

  /** A look at the own machine: at once, as a kill between two looks is one before the next call. */
  look<T>(what: () => T): Promise<T> {
    return this.alive ? new Promise((resolve) => resolve(what())) : new Promise(() => undefined);
  }

  kill(): void {
    if (!this.alive) return;
    if (this.halfDone) this.node.world.happened('a cut inside a recursive remove');
    this.ends();
    this.killed();
  }

  /** It has ended by itself. */
  ends(): void {
    this.alive = false;
    this.node.procs.delete(this);
  }

  get isAlive(): boolean {
    return this.alive;
  }
}
