import { type Cluster, ClusterError, type MemberReply } from '../../src/cluster/cluster.ts';
import { fromWord, PAUSE_KEY } from '../../src/cluster/pause-key.ts';
import { hostOf, type TlsFiles } from '../../src/machine/etcd/etcd-config.ts';
import type { EtcdProcess } from './etcd.ts';
import { memberId } from './ids.ts';
import { at, type Entry } from './log.ts';
import { sidOf } from './network.ts';
import type { FakeNode } from './node.ts';
import { BIRTHMARK_KEY } from './paths.ts';
import type { Proc } from './process.ts';
import { withKey, withoutLease } from './raft.ts';
import { whyNoClient } from './tls.ts';

/** Who is silent is asked twice, each time up to a limit: longer than any look takes (src/cluster/etcd-cluster.ts). */
const SILENT_MS = 5000;

const ids = new WeakMap<Entry, number>();
let nextId = 1;
/** Equal only for the same entry: what stands for the hash of all keys up to it. */
function hashOf(entry: Entry): string {
  const id = ids.get(entry) ?? nextId++;
  ids.set(entry, id);
  return `${id}`;
}

/** The cluster as a process on a node reaches it. */
export function clusterOf(node: FakeNode, proc: Proc, tls?: TlsFiles): Cluster {
  const { world } = node;
  const { raft, network, clock, random } = world;
  const target = (endpoint: string): FakeNode | undefined => world.nodes[sidOf(endpoint) - 1];
  /** In TLS mode nobody answers who does not know the name, or has no certificate to show. */
  const whyNone = (endpoint: string): string | undefined =>
    endpoint.startsWith('http:')
      ? (target(endpoint)?.etcd?.speaksAs ?? 'http') === 'http'
        ? undefined
        : 'malformed HTTP response'
      : target(endpoint)?.etcd?.speaksAs === 'http'
        ? 'server gave HTTP response to HTTPS client'
        : whyNoClient(node, hostOf(endpoint), target(endpoint)?.etcd?.domain ?? world.domain, tls);
  const lost = (kind: 'lostReplies' | 'lostReads'): boolean =>
    world.faults[kind] > 0 && random.chance(world.faults[kind]);

  /** A question to one member; silent hosts, and replies that are lost, cost the whole time. */
  const asks = <T>(endpoint: string, what: (etcd: EtcdProcess) => T, reads = false): Promise<T> => {
    const to = target(endpoint);
    const why = whyNone(endpoint);
    if (why !== undefined)
      return proc.call(1, () => {
        throw new Error(`${endpoint}: ${why}`);
      });
    const silent = to === undefined || !network.talks(node, to) || to.etcd?.hung === true;
    const dropped = !silent && lost('lostReads');
    if (dropped) world.happened('a read is lost');
    // A linearizable read waits for its time limit where no quorum answers it (etcdserver/v3_server.go).
    const waits = reads && !silent && to.etcd?.joined === true && !raft.serves(to.etcd);
    return proc.call(silent || dropped ? SILENT_MS : (waits ? 1500 : 0) + world.latency(3), () => {
      if (silent || dropped || !network.talks(node, to))
        throw new Error(`${endpoint}: context deadline exceeded`);
      const { etcd } = to;
      if (etcd === undefined) throw new Error(`${endpoint} refuses the connection`);
      if (!etcd.joined || etcd.hung) throw new Error(`${endpoint}: context deadline exceeded`);
      return what(etcd);
    });
  };

  /** A call to whichever endpoint answers; what changes the cluster may take effect without a reply, and later. */
  const change = <T>(endpoints: readonly string[], what: (etcd: EtcdProcess) => T): Promise<T> => {
    const dropped = lost('lostReplies');
    const late = dropped && random.chance(0.5);
    const acts = (): T => {
      // As etcdctl says it, and for good.
      if (endpoints.length === 0) throw new ClusterError('etcdclient: no available endpoints', false);
      const why = endpoints.map(whyNone).find((each) => each !== undefined);
      if (why !== undefined) throw new ClusterError(why, false);
      const etcd = endpoints
        .map(target)
        .find((to) => to && network.talks(node, to) && to.etcd?.joined && !to.etcd.hung)?.etcd;
      if (etcd === undefined) throw new ClusterError('connection refused', true);
      if (world.faults.credentials) throw new ClusterError('etcdserver: user name is empty', false);
      try {
        if (raft.serves(etcd)) raft.expire(etcd);
        return what(etcd);
      } finally {
        world.check();
      }
    };
    return proc.effect(dropped ? 3000 : random.between(5, 40), () => {
      if (late) {
        clock.after(random.between(100, 3000), () => {
          try {
            acts();
          } catch {
            // Refused after all; nobody hears of it.
          }
        });
      } else {
        const result = acts();
        if (!dropped) return result;
      }
      world.happened('a reply is lost');
      throw new ClusterError('context deadline exceeded', true);
    });
  };

  const served = (etcd: EtcdProcess) => {
    try {
      return { state: raft.read(etcd), why: '' };
    } catch (error) {
      return { state: undefined, why: (error as Error).message };
    }
  };

  const ask = (endpoint: string): Promise<MemberReply> =>
    asks(
      endpoint,
      (etcd): MemberReply => {
        // The list is this member's own, and may be older than what the read beside it waits for (etcd #11198).
        const { state, index } = etcd.applied;
        const read = served(etcd);
        if (read.state !== undefined && read.state.members !== state.members)
          world.happened('a member list lags');
        const leader = raft.leaderOf(etcd);
        const pause = read.state?.keys.get(PAUSE_KEY);
        return {
          clusterId: etcd.data.clusterId,
          memberId: etcd.data.memberId,
          members: state.members,
          leader: leader?.data.memberId ?? '0',
          term: BigInt(etcd.data.term),
          raftIndex: BigInt(Math.max(index, etcd.data.committed.index)),
          revision: (read.state ?? state).revision,
          dbSizeBytes: 20_480,
          version: world.version,
          alarms: state.alarms,
          clockSkewMs: 0,
          serves: read.state !== undefined,
          unavailableReason: read.why,
          credentialsRefused: world.faults.credentials ? 'etcdserver: user name is empty' : '',
          birthmark: read.state?.keys.get(BIRTHMARK_KEY)?.value ?? '',
          ...(pause && { pause: fromWord(pause.value) }),
        };
      },
      true,
    );

  return {
    ask,
    whyNotServing: (endpoint) =>
      ask(endpoint).then(
        ({ serves, unavailableReason }) => (serves ? undefined : unavailableReason),
        (error: Error) => error.message,
      ),
    removeMember: (endpoints, id) => {
      world.judgeRemoval(node, id);
      return change(endpoints, (etcd) => {
        const state = raft.removeMember(etcd, id);
        world.memberListChanged(node, etcd, `removed ${id}`);
        return state.members;
      });
    },
    updateMember: (endpoints, id, peerUrls) =>
      change(endpoints, (etcd) => {
        const members = raft
          .read(etcd)
          .members.map((each) => (each.id === id ? { ...each, peerUrls } : each));
        raft.propose(etcd, (state) => ({ ...state, members }));
        return members;
      }),
    addMember: (endpoints, _name, peerUrls) =>
      change(endpoints, (etcd) => {
        const id = memberId(peerUrls, world.token, Math.floor(clock.nowMs / 1000));
        const { members } = raft.addMember(etcd, id, peerUrls);
        world.memberListChanged(node, etcd, `added ${id}`);
        return { id, members };
      }),
    get: (endpoints, key) => change(endpoints, (etcd) => raft.read(etcd).keys.get(key)),
    putIfAbsent: (endpoints, key, held) =>
      change(endpoints, (etcd) => {
        const { leases, keys } = raft.read(etcd);
        if (held.lease !== '' && !leases.has(held.lease))
          throw new ClusterError('etcdserver: requested lease not found', false);
        if (keys.has(key)) return false;
        raft.propose(etcd, (state) => withKey(state, key, held));
        return true;
      }),
    grantLease: (endpoints, ttlSec) =>
      change(endpoints, (etcd) => {
        const id = random.between(0x1000_0000, 0xffff_ffff).toString(16);
        const lease = { untilMs: clock.nowMs + ttlSec * 1000 };
        raft.propose(etcd, (state) => ({ ...state, leases: new Map(state.leases).set(id, lease) }));
        return id;
      }),
    keepAlive: (endpoints, id) =>
      change(endpoints, (etcd) => {
        const lease = raft.read(etcd).leases.get(id);
        if (lease === undefined) throw new ClusterError(`lease ${id} has run out`, true);
        lease.untilMs = clock.nowMs + 60_000;
      }),
    revokeLease: (endpoints, id) =>
      change(endpoints, (etcd) => {
        if (!raft.read(etcd).leases.has(id))
          throw new ClusterError('etcdserver: requested lease not found', false);
        raft.propose(etcd, (state) => withoutLease(state, id));
      }),
    hashKv: (endpoint, revision) =>
      asks(endpoint, (etcd) => {
        let entry = etcd.applied;
        if (entry.state.revision < revision)
          throw new Error('etcdserver: mvcc: required revision is a future revision');
        // The oldest entry that has this revision: those after it have changed no key.
        entry = at(entry, entry.index);
        while (entry.before && entry.before.state.revision >= revision) entry = entry.before;
        return {
          hash: `${hashOf(entry)}${etcd.data.taint ?? ''}`,
          compactRevision: '0',
        };
      }),
    disarm: (endpoints, { memberId: id, alarm }) =>
      change(endpoints, (etcd) => {
        raft.propose(etcd, (state) => ({
          ...state,
          alarms: state.alarms.filter((each) => each.memberId !== id || each.alarm !== alarm),
        }));
      }),
  };
}
