import type { FakeNode } from './node.ts';
import type { FakeWorld } from './world.ts';

const HOSTS = '10.0.0.';
export const addressOf = (sid: number): string => `${HOSTS}${sid}`;
export const nodeUrl = (sid: number, port: 2379 | 2380): string => `http://${HOSTS}${sid}:${port}`;
/** Of a URL, an address or a name; 0 for that of no node. */
export const sidOf = (url: string): number => {
  const at = url.indexOf(HOSTS);
  return Number((at === -1 ? url[url.indexOf('etcd') + 4] : url[at + HOSTS.length]) ?? 0) || 0;
};

/** Who can reach whom. A machine without power is silent, and so is a cut: nothing refuses there. */
export class Network {
  /** Directions that are cut, as `from>to` by number. */
  private readonly cuts = new Set<string>();

  constructor(private readonly world: FakeWorld) {}

  cut(from: FakeNode, to: FakeNode): void {
    this.cuts.add(`${from.sid}>${to.sid}`);
    this.changed(from, to);
  }

  mend(from: FakeNode, to: FakeNode): void {
    if (this.cuts.delete(`${from.sid}>${to.sid}`)) this.changed(from, to);
  }

  /** A node's cable is out, or in again. */
  cable(node: FakeNode, plugged: boolean): void {
    node.linkUp = plugged;
    for (const other of this.world.nodes) if (other !== node) this.changed(node, other);
  }

  mendAll(): void {
    this.cuts.clear();
    for (const node of this.world.nodes) if (!node.linkUp) this.cable(node, true);
    this.world.raft.touch(100);
  }

  private changed(a: FakeNode, b: FakeNode): void {
    a.linkedMs = b.linkedMs = this.world.clock.nowMs;
    this.world.raft.touch(100);
  }

  /** What `from` sends comes to `to`. */
  carries(from: FakeNode, to: FakeNode): boolean {
    if (from === to) return from.on;
    if (!(from.on && to.on && from.linkUp && to.linkUp)) return false;
    return this.cuts.size === 0 || !this.cuts.has(`${from.sid}>${to.sid}`);
  }

  /** A question comes to it, and the answer back. */
  talks(a: FakeNode, b: FakeNode): boolean {
    return this.carries(a, b) && this.carries(b, a);
  }
}
