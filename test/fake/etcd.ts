import { type Data, type Entry, ORIGIN } from './log.ts';
import type { FakeNode } from './node.ts';
import { type Domain, FIRST, SECOND } from './tls.ts';

const SHORT = (known: number, last: number): string =>
  `panic: tocommit(${known}) is out of range [lastIndex(${last})]. Was the raft log corrupted, truncated, or lost?`;
const REMOVED =
  '2026-01-01 00:00:00.000000 E | etcdserver: the member has been permanently removed from the cluster';

/** An etcd that runs: what it has in memory. */
export class EtcdProcess {
  /** It answers its clients, and has said so to systemd. */
  joined = false;
  leads = false;
  leader: EtcdProcess | undefined;
  /** How far each member has acknowledged to it, while it leads. */
  readonly match = new Map<string, number>();
  applied: Entry;
  /** SIGSTOP, or a disk that does not answer. */
  hung = false;
  runs = true;
  /** While it leads: since when no quorum follows. */
  aloneSinceMs: number | undefined;
  private lagsUntilMs = 0;
  private arrivesMs = 0;

  constructor(
    readonly node: FakeNode,
    readonly unit: string,
    readonly data: Data,
    /** It knows none of the others, and never will. */
    readonly alone: boolean,
    readonly upMs: number,
    /** Who had its unit started: a process of ours, or systemd and people. */
    readonly startedBy: string,
    /** In TLS mode: by which names it calls and is called (test/fake/tls.ts). */
    readonly speaksAs: string,
  ) {
    this.applied = data.committed;
    if (data.last === ORIGIN) this.arrivesMs = upMs + node.world.random.between(30, 1500);
  }

  /** What it shows its clients, and asks them for. */
  get domain(): Domain {
    return (
      [FIRST, SECOND].find(({ dns }) => dns === this.speaksAs) ?? { dns: this.speaksAs, certificates: {} }
    );
  }

  /** The first data of a new member take a while. */
  get takesEntries(): boolean {
    if (this.node.world.clock.nowMs >= this.arrivesMs) return true;
    this.node.world.raft.touch(this.arrivesMs - this.node.world.clock.nowMs + 1);
    return false;
  }

  /** For how long it does not apply what is committed. */
  get lagMs(): number {
    return this.lagsUntilMs - this.node.world.clock.nowMs;
  }

  get lags(): boolean {
    return this.lagMs > 0;
  }

  /** It does not apply what is committed for so long: its member list is an older one. */
  lag(ms: number): void {
    const { world } = this.node;
    this.lagsUntilMs = Math.max(this.lagsUntilMs, world.clock.nowMs + ms);
    world.raft.touch(ms + 1);
  }

  /** A read waits for what is committed, and not for ever. */
  catchesUp(): void {
    if (this.lagsUntilMs - this.node.world.clock.nowMs < 1000) this.lagsUntilMs = 0;
    this.applies(true);
  }

  /** Applies what is committed; a follower often a moment later. */
  applies(now: boolean): void {
    if (this.applied.index >= this.data.committed.index) return;
    const { world } = this.node;
    if (!now && !this.lags && world.random.chance(0.15)) this.lag(world.random.between(20, 500));
    if (this.lags && !this.leads) return;
    this.applied = this.data.committed;
    if (this.applied.state.removed.includes(this.data.memberId)) this.isRemoved();
  }

  isRemoved(): void {
    if (this.runs) this.ends(0, REMOVED);
  }

  logIsShort(known: number): void {
    this.node.shortShown = true;
    this.ends(2, SHORT(known, this.data.last.index));
  }

  /** It has been let in and has told its name. */
  ready(): void {
    this.joined = true;
    this.node.systemd.ready(this.unit);
  }

  private ends(exit: number, line: string): void {
    this.runs = false;
    this.node.world.happened(exit === 0 ? 'etcd ends as removed' : 'etcd panics on a short log');
    this.node.systemd.ended(this.unit, { kind: 1, status: exit, line });
  }
}
