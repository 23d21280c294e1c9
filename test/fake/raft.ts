import { ClusterError, type LeasedValue, type Member } from '../../src/cluster/cluster.ts';
import type { EtcdProcess } from './etcd.ts';
import { append, at, type Data, type Entry, holds, ORIGIN, type State, upToDate } from './log.ts';
import type { FakeWorld } from './world.ts';

const TIMED_OUT = 'etcdserver: request timed out';
const NOT_ENOUGH = 'etcdserver: re-configuration failed due to not enough started members';
const UNHEALTHY = 'etcdserver: unhealthy cluster';
/** How long a voter must have been connected (etcdserver/server.go, HealthInterval). */
const HEALTH_INTERVAL_MS = 5000;

const quorumOf = (members: readonly Member[]): number => Math.floor(members.length / 2) + 1;
const started = ({ name }: Member): boolean => name !== '';

/**
 * Raft among the running processes: terms, votes, leaders, entries and who has them. Nothing is sent: whoever can talk
 * to whom is known, and what would come of it is brought about at once, or a little later for those that lag.
 */
export class Raft {
  /** How far each member has ever acknowledged. */
  readonly acknowledged = new Map<string, number>();
  /** `--strict-reconfig-check=false`: etcd takes whatever it is asked for. */
  lax = false;
  private dueMs = Number.POSITIVE_INFINITY;
  private electionMs = 0;
  private readonly foundings = new Map<string, Entry>();

  constructor(private readonly world: FakeWorld) {}

  /** Something has changed: who leads, and who has what, is looked at soon. */
  touch(inMs: number): void {
    const { clock } = this.world;
    const atMs = clock.nowMs + inMs;
    if (atMs >= this.dueMs) return;
    this.dueMs = atMs;
    clock.after(inMs, () => {
      if (this.dueMs !== atMs) return;
      this.dueMs = Number.POSITIVE_INFINITY;
      this.settle();
    });
  }

  /** The log that a founder begins with: one change of the configuration for each member. */
  founding(clusterId: string, members: readonly Member[]): Entry {
    const found = this.foundings.get(clusterId);
    if (found) return found;
    let last = ORIGIN;
    for (const member of members)
      last = append(last, 1, { ...last.state, members: [...last.state.members, member] });
    this.foundings.set(clusterId, last);
    return last;
  }

  isFounding(last: Entry): boolean {
    return last.index > 0 && [...this.foundings.values()].some((founding) => holds(founding, last));
  }

  private get running(): EtcdProcess[] {
    return this.world.nodes.flatMap(({ etcd }) => (etcd && !etcd.hung && !etcd.alone ? [etcd] : []));
  }

  private talks = (a: EtcdProcess, b: EtcdProcess): boolean =>
    this.world.network.talks(a.node, b.node) && this.understands(a, b);

  /** In TLS mode they verify each other by the same authority, and have the names by which they are called. */
  private understands = (a: EtcdProcess, b: EtcdProcess): boolean => a.speaksAs === b.speaksAs;

  /**
   * The process that is that member, if it runs and can be talked to. Of two that say so, the one that came last has
   * the streams (rafthttp/stream.go, attach).
   */
  private peer(from: EtcdProcess, id: string): EtcdProcess | undefined {
    let found: EtcdProcess | undefined;
    for (const node of this.world.nodes) {
      const { etcd } = node;
      if (
        etcd !== undefined &&
        etcd.data.memberId === id &&
        !etcd.hung &&
        !etcd.alone &&
        etcd.data.clusterId === from.data.clusterId &&
        (found === undefined || found.upMs <= etcd.upMs) &&
        this.talks(from, etcd)
      )
        found = etcd;
    }
    return found;
  }

  /** Voters that a leader counts on. */
  voters(leader: EtcdProcess): EtcdProcess[] {
    return leader.applied.state.members.flatMap(({ id }) => this.peer(leader, id) ?? []);
  }

  hasQuorum(leader: EtcdProcess): boolean {
    const { members } = leader.applied.state;
    let there = 0;
    for (const { id } of members) {
      const peer = this.peer(leader, id);
      // Who has voted in a later term follows this one no more (raft/raft.go, Step).
      if (peer && peer.data.term <= leader.data.term) there++;
    }
    return there >= quorumOf(members);
  }

  /** Who leads a process, while a quorum follows. */
  leaderOf(process: EtcdProcess): EtcdProcess | undefined {
    const { leader } = process;
    return leader?.leads &&
      leader.runs &&
      !leader.hung &&
      this.talks(process, leader) &&
      this.hasQuorum(leader)
      ? leader
      : undefined;
  }

  /** A quorum answers it: reads and writes are served. */
  serves(process: EtcdProcess): boolean {
    return process.joined && !process.hung && this.leaderOf(process) !== undefined;
  }

  /** For as long as an election takes: until then it takes entries that nobody else gets (raft, CheckQuorum). */
  private lacksQuorum(leader: EtcdProcess): boolean {
    const { nowMs } = this.world.clock;
    if (this.hasQuorum(leader)) leader.aloneSinceMs = undefined;
    else {
      leader.aloneSinceMs ??= nowMs;
      const leftMs = leader.aloneSinceMs + 1000 - nowMs;
      if (leftMs <= 0) return true;
      this.touch(leftMs);
    }
    return false;
  }

  private settle(): void {
    const { clock, random, network } = this.world;
    const all = this.running;
    for (const leader of all)
      if (leader.leads && this.lacksQuorum(leader)) {
        leader.leads = false;
        this.electionMs = Math.max(this.electionMs, clock.nowMs + random.between(300, 1500));
      }
    for (const process of all) {
      const heard = all.filter(
        (each) =>
          each.leads &&
          each.data.clusterId === process.data.clusterId &&
          (each === process ||
            (network.carries(each.node, process.node) && this.understands(each, process))) &&
          holds(each.data.last, process.data.committed) &&
          each.applied.state.members.some(({ id }) => id === process.data.memberId),
      );
      process.leader = heard.sort((a, b) => b.data.term - a.data.term)[0];
      if (process.leads && process.leader !== process) process.leads = false;
    }
    for (const process of all) this.meets(process, all);
    const waiting = all.filter(({ leader, runs }) => runs && leader === undefined);
    if (waiting.length > 0) {
      if (clock.nowMs < this.electionMs) this.touch(this.electionMs - clock.nowMs + 1);
      else if (this.elect(waiting)) this.touch(1);
    }
    for (const leader of all) if (leader.runs && leader.leads) this.replicate(leader);
    for (const process of all) if (process.runs && !process.joined) this.joins(process);
    for (const process of all) if (process.lagMs > 0) this.touch(process.lagMs + 1);
  }

  /** Whoever has applied its removal tells it so (rafthttp/http.go, 410 Gone). */
  private meets(process: EtcdProcess, all: readonly EtcdProcess[]): void {
    const told = all.some(
      (other) =>
        other !== process &&
        other.data.clusterId === process.data.clusterId &&
        other.applied.state.removed.includes(process.data.memberId) &&
        this.talks(process, other),
    );
    if (told) process.isRemoved();
  }

  /** Somebody of those without a leader asks for votes. */
  private elect(waiting: readonly EtcdProcess[]): boolean {
    for (const candidate of this.world.random.shuffled(waiting)) {
      const { members } = candidate.applied.state;
      if (!members.some(({ id }) => id === candidate.data.memberId)) continue;
      const asked = members.flatMap(({ id }) => this.peer(candidate, id) ?? []);
      const term = Math.max(...asked.map(({ data }) => data.term)) + 1;
      const granted = asked.filter(
        (voter) => voter.leader === undefined && upToDate(candidate.data.last, voter.data.last),
      );
      if (granted.length < quorumOf(members)) continue;
      for (const { data } of granted) data.term = term;
      candidate.leads = true;
      candidate.leader = candidate;
      candidate.match.clear();
      this.world.elected(candidate, granted);
      if (!candidate.runs) return false;
      candidate.data.last = append(candidate.data.last, term, candidate.data.last.state);
      this.replicate(candidate);
      return true;
    }
    return false;
  }

  /** What a leader has comes to those that it reaches, and is committed when a quorum has it. */
  replicate(leader: EtcdProcess, late?: EtcdProcess): void {
    const { data } = leader;
    const members = leader.applied.state.members;
    const has: number[] = [];
    for (const { id } of members) {
      const peer = id === data.memberId ? leader : this.peer(leader, id);
      const match = leader.match.get(id) ?? 0;
      if (peer === undefined) {
        has.push(match);
        continue;
      }
      if (peer !== leader) {
        // raft/log.go, commitTo: a leader goes by what the member has acknowledged to it.
        const known = Math.min(match, data.committed.index);
        if (known > peer.data.last.index) {
          peer.logIsShort(known);
          continue;
        }
        // One of a later term takes nothing from this one (raft/raft.go, Step).
        const isLater = peer.data.term > data.term;
        const follows = !isLater && holds(data.last, peer.data.committed) && peer.takesEntries;
        if (!follows || peer === late) {
          has.push(match);
          continue;
        }
        peer.data.last = data.last;
        peer.data.term = data.term;
        peer.data.older = false;
        peer.data.short = undefined;
      }
      this.acknowledged.set(id, data.last.index);
      leader.match.set(id, data.last.index);
      has.push(data.last.index);
    }
    const reached = has.sort((a, b) => b - a)[quorumOf(members) - 1] ?? 0;
    const entry = at(data.last, reached);
    if (reached > data.committed.index && entry.term === data.term) data.committed = entry;
    for (const { id } of members) {
      const peer = id === data.memberId ? leader : this.peer(leader, id);
      if (peer === undefined || !holds(peer.data.last, data.committed)) continue;
      if (peer.data.committed.index < data.committed.index) peer.data.committed = data.committed;
      peer.applies(peer === leader);
    }
    // Who has just been removed is told on the stream that is still open, as a rule.
    for (const { id } of members)
      if (leader.applied.state.removed.includes(id)) this.peer(leader, id)?.applies(true);
  }

  /** A member that follows a leader says its name to all, and is ready then (etcdserver/server.go, publish). */
  private joins(process: EtcdProcess): void {
    const leader = this.leaderOf(process);
    if (leader === undefined || process.joined || !process.takesEntries) return;
    if (process.data.last !== leader.data.last && !holds(leader.data.last, process.data.last)) return;
    const { node } = process;
    const own = leader.applied.state.members.find(({ id }) => id === process.data.memberId);
    if (own === undefined) return;
    const clientUrls = [this.world.url(node.sid, 2379)];
    if (own.name !== node.name || own.clientUrls[0] !== clientUrls[0]) {
      const named = { ...own, name: node.name, clientUrls };
      try {
        this.propose(process, (state) => ({
          ...state,
          members: state.members.map((member) => (member.id === own.id ? named : member)),
        }));
      } catch {
        this.touch(500);
        return;
      }
    }
    process.ready();
  }

  /** An entry by way of one member. @throws ClusterError when it is not known to be committed */
  propose(process: EtcdProcess, change: (state: State) => State): State {
    const { random } = this.world;
    const leader = this.leaderOf(process);
    const { leader: lost } = process;
    if (leader === undefined) {
      // The leader has taken it, and a quorum never has: it is there after all, or gone, when there is a leader again.
      if (lost?.leads && lost.runs && this.talks(process, lost) && random.chance(0.5)) {
        lost.data.last = append(lost.data.last, lost.data.term, change(lost.data.last.state));
        this.world.happened('an entry that no quorum has');
      }
      throw new ClusterError(random.chance(0.3) ? 'etcdserver: no leader' : TIMED_OUT, true);
    }
    leader.data.last = append(leader.data.last, leader.data.term, change(leader.data.last.state));
    const entry = leader.data.last;
    const voters = this.voters(leader);
    const spare = voters.length > quorumOf(leader.applied.state.members) && random.chance(0.3);
    const late = spare ? random.pick(voters) : undefined;
    this.replicate(leader, late === leader ? undefined : late);
    if (late !== undefined || voters.some(({ lags }) => lags)) this.touch(300);
    if (leader.data.committed.index < entry.index) throw new ClusterError(TIMED_OUT, true);
    return entry.state;
  }

  /** What a linearizable read sees (etcdserver/v3_server.go, linearizableReadNotify). @throws when there is none */
  read(process: EtcdProcess): State {
    const leader = this.leaderOf(process);
    if (leader === undefined || leader.data.committed.term !== leader.data.term)
      throw new ClusterError('etcdserver: no leader', true);
    if (process.data.committed.index < leader.data.committed.index) this.replicate(leader);
    process.catchesUp();
    if (process.applied.index < leader.data.committed.index) throw new ClusterError(TIMED_OUT, true);
    return process.applied.state;
  }

  private connectedMs(from: EtcdProcess, { id }: Member): number {
    const peer = this.peer(from, id);
    if (peer === undefined) return Number.NEGATIVE_INFINITY;
    const sinceMs =
      peer === from ? 0 : Math.max(peer.upMs, from.upMs, from.node.linkedMs, peer.node.linkedMs);
    return this.world.clock.nowMs - sinceMs;
  }

  /** What strict reconfiguration refuses. @throws unless it is off */
  private strict(refusal: string): void {
    if (!this.lax) throw new ClusterError(refusal, true);
    this.world.happened('etcd takes what strict reconfiguration would refuse');
  }

  /** etcdserver/server.go, RemoveMember and mayRemoveMember; api/membership/cluster.go, IsReadyToRemoveVotingMember. */
  removeMember(process: EtcdProcess, id: string): State {
    const { members } = this.read(process);
    if (members.some((member) => member.id === id)) {
      const left = members.filter((member) => member.id !== id);
      if (left.filter(started).length < quorumOf(left)) this.strict(NOT_ENOUGH);
      const active = members.filter((member) => this.connectedMs(process, member) >= HEALTH_INTERVAL_MS);
      const isActive = id === process.data.memberId || this.peer(process, id) !== undefined;
      if (isActive && active.length - 1 < quorumOf(left)) this.strict(UNHEALTHY);
    }
    return this.propose(process, (state) => {
      const left = state.members.filter((member) => member.id !== id);
      if (left.length === state.members.length) throw new ClusterError('etcdserver: member not found', false);
      return { ...state, members: left, removed: [...state.removed, id] };
    });
  }

  /** The same, AddMember and mayAddMember: every voter must have been connected for a while. */
  addMember(process: EtcdProcess, id: string, peerUrls: readonly string[]): State {
    const { members } = this.read(process);
    const taken = (each: Member): boolean => each.peerUrls.includes(peerUrls[0] ?? '');
    if (!members.some(taken)) {
      const single = members.length === 1;
      if (!single && members.filter(started).length < quorumOf([...members, members[0] as Member]))
        this.strict(NOT_ENOUGH);
      if (members.some((member) => this.connectedMs(process, member) < HEALTH_INTERVAL_MS))
        this.strict(UNHEALTHY);
    }
    return this.propose(process, (state) => {
      if (state.members.some(taken)) throw new ClusterError('etcdserver: Peer URLs already exists', false);
      // Within one second the same URLs make the same ID, and a removed one never comes back (ErrIDRemoved).
      if (state.removed.includes(id)) throw new ClusterError('etcdserver: member not found', false);
      return {
        ...state,
        members: [...state.members, { id, name: '', peerUrls: [...peerUrls], clientUrls: [] }],
      };
    });
  }

  /** Leases that have run out go, with their keys. */
  expire(process: EtcdProcess): void {
    const { nowMs } = this.world.clock;
    const ended = [...process.applied.state.leases].filter(([, { untilMs }]) => untilMs <= nowMs);
    for (const [lease] of ended) {
      this.world.happened('a lease has run out');
      this.propose(process, (state) => withoutLease(state, lease));
    }
  }
}

export const withKey = (state: State, key: string, held: LeasedValue): State => ({
  ...state,
  keys: new Map(state.keys).set(key, held),
  revision: state.revision + 1n,
});

/** A lease ends, and its keys with it. */
export function withoutLease(state: State, lease: string): State {
  const leases = new Map(state.leases);
  leases.delete(lease);
  const keys = new Map([...state.keys].filter(([, held]) => held.lease !== lease));
  return { ...state, leases, keys, revision: state.revision + (keys.size < state.keys.size ? 1n : 0n) };
}

export const blank = (memberId: string, clusterId: string): Data => ({
  memberId,
  clusterId,
  term: 0,
  last: ORIGIN,
  committed: ORIGIN,
});
