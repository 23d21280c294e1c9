import {
  type Alarm,
  type Cluster,
  ClusterError,
  type LeasedValue,
  type Member,
  type MemberReply,
} from '../../src/cluster/cluster.ts';
import type { Data } from './disk.ts';
import type { SimNode } from './node.ts';
import type { Proc } from './process.ts';
import type { FakeWorld } from './world.ts';

/** One cluster's common history. Normally there is one; a second means that the first was forgotten. */
export interface Lineage {
  readonly id: number;
  /** Entries that a quorum has. */
  length: number;
  members: Member[];
  readonly keys: Map<string, LeasedValue>;
  readonly leases: Map<string, number>;
  alarms: readonly Alarm[];
  /** How far each member has acknowledged: its log may not end before that (raft, commitTo). */
  readonly acknowledged: Map<string, number>;
  /** Until then there is no leader, or a voter has (re)started lately. */
  electedMs: number;
  settledMs: number;
}

export const CLUSTER_ID = '8a43c497ec2fe5db';
export const nodeUrl = (sid: number, port: 2379 | 2380): string => `http://10.0.0.${sid}:${port}`;
const HOSTS = '10.0.0.';
/** Of a URL or an address; 0 for that of no node. */
export const sidOf = (url: string): number => Number(url[url.indexOf(HOSTS) + HOSTS.length] ?? 0);

/** What a running etcd is. */
export interface Running {
  readonly data: Data;
  readonly unit: string;
  /** It has the data and takes part. */
  joined: boolean;
  /** It knows none of the others, and never will. */
  readonly alone: boolean;
}

/** How long `member add` and `remove` are refused after a voter has (re)started (etcdserver, HealthInterval). */
const HEALTH_INTERVAL_MS = 5000;
const ELECTION_MS = 1500;

/** The members' side of the world: raft's rules of membership, quorum, and who can reach whom. */
export class SimCluster {
  readonly lineages: Lineage[] = [];
  private nextId = 0xabc000;

  constructor(private readonly sim: FakeWorld) {}

  lineage(id: number): Lineage {
    const found = this.lineages[id];
    if (found) return found;
    const made: Lineage = {
      id,
      length: 10,
      members: [],
      keys: new Map(),
      leases: new Map(),
      alarms: [],
      acknowledged: new Map(),
      electedMs: 0,
      settledMs: 0,
    };
    this.lineages[id] = made;
    return made;
  }

  reachable(a: SimNode, b: SimNode): boolean {
    return a === b ? a.on : a.on && b.on && !a.cutOff && !b.cutOff;
  }

  /** Nodes whose etcd takes part, is listed, and is in reach of `from`. */
  voters(lineage: Lineage, from?: SimNode): SimNode[] {
    return this.sim.nodes.filter(
      (node) =>
        node.etcd?.joined === true &&
        node.etcd.data.lineage === lineage.id &&
        lineage.members.some(({ id }) => id === node.etcd?.data.memberId) &&
        (from ? this.reachable(from, node) : !node.cutOff),
    );
  }

  hasQuorum(lineage: Lineage, voters = this.voters(lineage)): boolean {
    return voters.length > lineage.members.length / 2;
  }

  serves(lineage: Lineage, from?: SimNode): boolean {
    return this.hasQuorum(lineage, this.voters(lineage, from)) && this.sim.clock.nowMs >= lineage.electedMs;
  }

  /** Somebody has come or gone. */
  changed(lineage: Lineage, wasLeader = false): void {
    const { nowMs } = this.sim.clock;
    lineage.settledMs = nowMs + HEALTH_INTERVAL_MS;
    if (wasLeader || this.sim.random.chance(0.3)) lineage.electedMs = nowMs + ELECTION_MS;
    for (const node of this.sim.nodes) node.maybeJoins();
  }

  /** A write that a quorum has; some members may have it a moment later. */
  write(lineage: Lineage): void {
    if (!this.serves(lineage)) return;
    const voters = this.voters(lineage);
    const most = Math.max(...voters.map(({ etcd }) => etcd?.data.index ?? 0));
    if (most < lineage.length)
      this.sim.violated(
        'no acknowledged write is lost',
        `a leader with ${most} of ${lineage.length} entries`,
      );
    lineage.length++;
    const late = voters.length * 2 > lineage.members.length + 1 ? this.sim.random.pick(voters) : undefined;
    for (const { etcd } of voters) {
      if (etcd === undefined) continue;
      etcd.data.index = etcd === late?.etcd ? lineage.length - 1 : lineage.length;
      lineage.acknowledged.set(etcd.data.memberId, etcd.data.index);
    }
  }

  private expire(lineage: Lineage): void {
    for (const [id, untilMs] of lineage.leases) {
      if (untilMs > this.sim.clock.nowMs) continue;
      lineage.leases.delete(id);
      for (const [key, held] of lineage.keys) if (held.lease === id) lineage.keys.delete(key);
    }
  }

  /** The cluster as a process on `node` reaches it. */
  seam(proc: Proc, node: SimNode): Cluster {
    const { sim } = this;
    const target = (endpoint: string) => sim.nodes[sidOf(endpoint) - 1] as SimNode;
    const silent = (endpoint: string): boolean => {
      const to = target(endpoint);
      return !this.reachable(node, to);
    };
    /** A call to whichever endpoint answers; what changes the cluster may take effect without a reply. */
    const change = <T>(endpoints: readonly string[], what: (lineage: Lineage) => T): Promise<T> => {
      const { random } = sim;
      const lost = sim.faults.lostReplies > 0 && random.chance(sim.faults.lostReplies);
      const late = lost && random.chance(0.5);
      return proc.effect(lost ? 3000 : random.between(5, 40), () => {
        const up = endpoints.map(target).find((to) => this.reachable(node, to) && to.etcd?.joined);
        if (up?.etcd === undefined) throw new ClusterError('connection refused', true);
        const lineage = this.lineage(up.etcd.data.lineage);
        if (!this.serves(lineage, up)) throw new ClusterError('etcdserver: request timed out', true);
        this.expire(lineage);
        if (late) {
          sim.clock.after(random.between(100, 3000), () => {
            try {
              if (this.serves(lineage)) what(lineage);
            } catch {
              // Refused after all; nobody hears of it.
            }
          });
          throw new ClusterError('context deadline exceeded', true);
        }
        const result = what(lineage);
        sim.check();
        if (lost) throw new ClusterError('context deadline exceeded', true);
        return result;
      });
    };
    const ask = (endpoint: string): Promise<MemberReply> =>
      proc.call(silent(endpoint) ? 1600 : sim.latency(2), (): MemberReply => {
        const to = target(endpoint);
        if (silent(endpoint)) throw new Error(`${endpoint}: context deadline exceeded`);
        const { etcd } = to;
        if (etcd === undefined) throw new Error(`${endpoint} refuses the connection`);
        if (!etcd.joined) throw new Error(`${endpoint}: context deadline exceeded`);
        const lineage = this.lineage(etcd.data.lineage);
        const serves = this.serves(lineage, to);
        return {
          clusterId: CLUSTER_ID,
          memberId: etcd.data.memberId,
          members: lineage.members,
          leader: serves ? '1' : '0',
          term: 2n,
          raftIndex: BigInt(etcd.data.index),
          revision: BigInt(etcd.data.index),
          dbSizeBytes: 20480,
          version: '3.4.23',
          alarms: lineage.alarms,
          clockSkewMs: 0,
          serves,
          unavailableReason: serves ? '' : 'etcdserver: no leader',
          credentialsRefused: '',
          birthmark: serves ? (lineage.keys.get('heal-node/birthmark')?.value ?? '') : '',
        };
      });
    return {
      ask,
      whyNotServing: (endpoint) =>
        ask(endpoint).then(
          ({ serves, unavailableReason }) => (serves ? undefined : unavailableReason),
          (error: Error) => error.message,
        ),
      removeMember: (endpoints, id) => {
        sim.judgeRemoval(node, id);
        return change(endpoints, (lineage) => {
          const before = this.hasQuorum(lineage);
          this.remove(lineage, id);
          if (before && !this.hasQuorum(lineage))
            sim.violated('those that serve stay a quorum', `${node.name} removed ${id}`);
          return lineage.members;
        });
      },
      addMember: (endpoints, _name, peerUrls) =>
        change(endpoints, (lineage) => {
          const before = this.hasQuorum(lineage);
          const added = this.add(lineage, peerUrls);
          if (before && !this.hasQuorum(lineage))
            sim.violated('those that serve stay a quorum', `${node.name} added ${added.id}`);
          return added;
        }),
      get: (endpoints, key) => change(endpoints, ({ keys }) => keys.get(key)),
      putIfAbsent: (endpoints, key, held) =>
        change(endpoints, ({ keys, leases }) => {
          if (held.lease !== '' && !leases.has(held.lease))
            throw new ClusterError('etcdserver: requested lease not found', false);
          return !keys.has(key) && !!keys.set(key, held);
        }),
      grantLease: (endpoints, ttlSec) =>
        change(endpoints, ({ leases }) => {
          const id = (this.nextId++).toString(16);
          leases.set(id, sim.clock.nowMs + ttlSec * 1000);
          return id;
        }),
      keepAlive: (endpoints, lease) =>
        change(endpoints, ({ leases }) => {
          if (!leases.has(lease)) throw new ClusterError(`lease ${lease} has run out`, false);
          leases.set(lease, sim.clock.nowMs + 60_000);
        }),
      revokeLease: (endpoints, lease) =>
        change(endpoints, (lineage) => {
          if (!lineage.leases.has(lease))
            throw new ClusterError('etcdserver: requested lease not found', false);
          lineage.leases.set(lease, 0);
          this.expire(lineage);
        }),
      hashKv: (endpoint, revision) =>
        proc.call(sim.latency(3), () => {
          const { etcd } = target(endpoint);
          if (silent(endpoint) || !etcd?.joined) throw new Error(`${endpoint}: no answer`);
          if (BigInt(etcd.data.index) < revision)
            throw new Error('etcdserver: mvcc: required revision is a future revision');
          return { hash: `${etcd.data.lineage}${etcd.data.taint ?? ''}`, compactRevision: '0' };
        }),
      disarm: (endpoints, { memberId, alarm }) =>
        change(endpoints, (lineage) => {
          lineage.alarms = lineage.alarms.filter(
            (each) => each.memberId !== memberId || each.alarm !== alarm,
          );
        }),
    };
  }

  /** etcdserver/server.go, RemoveMember and mayRemoveMember; api/membership/cluster.go, IsReadyToRemoveMember. */
  remove(lineage: Lineage, id: string): void {
    const found = lineage.members.find((member) => member.id === id);
    if (found === undefined) throw new ClusterError('etcdserver: member not found', false);
    const left = lineage.members.filter((member) => member.id !== id);
    const started = left.filter(({ name }) => name !== '');
    if (found.name !== '' && started.length < Math.floor(left.length / 2) + 1)
      throw new ClusterError('etcdserver: re-configuration failed due to not enough started members', true);
    const alive = this.voters(lineage).filter(({ etcd }) => etcd?.data.memberId !== id);
    if (found.name !== '' && alive.length < Math.floor(left.length / 2) + 1)
      throw new ClusterError('etcdserver: unhealthy cluster', true);
    lineage.members = left;
    lineage.length++;
    for (const { etcd } of alive) if (etcd) etcd.data.index = lineage.length;
    for (const node of this.sim.nodes) if (node.etcd?.data.memberId === id) node.etcdEnds('removed');
  }

  /** The same, AddMember and mayAddMember: every voter must have been connected for a while. */
  add(lineage: Lineage, peerUrls: readonly string[]): { id: string; members: readonly Member[] } {
    if (lineage.members.some((member) => member.peerUrls.includes(peerUrls[0] ?? '')))
      throw new ClusterError('etcdserver: Peer URLs already exists', false);
    const voters = this.voters(lineage);
    if (voters.length < lineage.members.length || this.sim.clock.nowMs < lineage.settledMs)
      throw new ClusterError('etcdserver: unhealthy cluster', true);
    const id = (this.nextId++).toString(16);
    lineage.members = [...lineage.members, { id, name: '', peerUrls: [...peerUrls], clientUrls: [] }];
    lineage.length++;
    for (const { etcd } of voters) if (etcd) etcd.data.index = lineage.length;
    if (lineage.members.filter(({ name }) => name === '').length > 1)
      this.sim.violated('at most one added member has not started', id);
    return { id, members: lineage.members };
  }
}
