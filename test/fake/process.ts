import type { SimNode } from './node.ts';

/** A process on a node: when it is killed, nothing that it called comes back, and nothing more is done by it. */
export class Proc {
  private alive = true;

  constructor(
    private readonly node: SimNode,
    readonly what: string,
    private readonly killed: () => void = () => undefined,
  ) {
    node.procs.add(this);
  }

  call<T>(latencyMs: number, what: () => T, ended?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      this.node.sim.onCall(this.node, this.what);
      this.node.sim.clock.after(latencyMs, () => {
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
    const { node } = this;
    return this.call(latencyMs, () => {
      node.onEffect(this.what, 'before');
      if (!this.alive) return undefined as T;
      try {
        return what();
      } finally {
        node.onEffect(this.what, 'after');
      }
    });
  }

  /** A look at the own machine: at once, as a kill between two looks is one before the next call. */
  look<T>(what: () => T): Promise<T> {
    return this.alive ? new Promise((resolve) => resolve(what())) : new Promise(() => undefined);
  }

  kill(): void {
    if (!this.alive) return;
    this.ends();
    this.killed();
  }

  /** It has ended by itself. */
  ends(): void {
    this.alive = false;
    this.node.procs.delete(this);
  }
}
