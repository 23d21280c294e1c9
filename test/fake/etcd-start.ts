import type { Member } from '../../src/cluster/cluster.ts';
import { parseEnvFile } from '../../src/machine/systemd/env-file.ts';
import { environmentFiles } from '../../src/machine/systemd/unit-file.ts';
import { EtcdProcess } from './etcd.ts';
import { clusterId, memberId } from './ids.ts';
import { copyOf, type Data, type Harm, ORIGIN } from './log.ts';
import { sidOf } from './network.ts';
import type { FakeNode } from './node.ts';
import { DATA_DIR, DB, WAL } from './paths.ts';
import { blank } from './raft.ts';
import { speaksAs } from './tls.ts';

const NO_PEER =
  'cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs';

type Env = Readonly<Record<string, string>>;
const fatal = (text: string): string => `2026-01-01 00:00:00.000000 C | ${text}`;

/** How the last words of an etcd that gives up on its data begin, by what was harmed. */
const LAST_WORDS: Readonly<Record<Harm, readonly [exit: number, line: string]>> = {
  'crc mismatch': [1, fatal('etcdmain: walpb: crc mismatch')],
  'garbled record': [1, fatal('etcdmain: proto: Record: illegal tag 0 (wire type 0)')],
  'WAL file missing': [1, fatal('etcdserver: open wal error: wal: file not found')],
  'database invalid': [2, fatal(`mvcc/backend: cannot open database at ${DB} (invalid database)`)],
  'database cut short': [2, fatal(`mvcc/backend: cannot open database at ${DB} (file size too small)`)],
};

const peersOf = (env: Env): { readonly name: string; readonly url: string }[] =>
  (env.ETCD_INITIAL_CLUSTER ?? '').split(',').flatMap((part) => {
    const [name = '', url = ''] = part.split('=');
    return url === '' ? [] : [{ name, url }];
  });

interface Fault {
  /** What etcd says when it does not start for it; undefined where it does not hold. */
  readonly says: (node: FakeNode, env: Env) => string | undefined;
}

/** What keeps any etcd from coming up on this machine, in the order in which it looks. */
const faults: readonly Fault[] = [
  {
    says: (_, env) =>
      /^\d+$/.test(env.ETCD_HEARTBEAT_INTERVAL ?? '0')
        ? undefined
        : `2026-01-01 00:00:00.000000 E | etcdmain: error verifying flags, invalid value "${env.ETCD_HEARTBEAT_INTERVAL}" for ETCD_HEARTBEAT_INTERVAL: parse error. See 'etcd --help'.`,
  },
  {
    says: ({ ailing, etcd }) =>
      ailing.port || etcd !== undefined
        ? fatal('etcdmain: listen tcp 10.0.0.1:2380: bind: address already in use')
        : undefined,
  },
  {
    says: ({ ailing }) =>
      ailing.address
        ? fatal('etcdmain: listen tcp 10.0.0.1:2380: bind: cannot assign requested address')
        : undefined,
  },
  {
    says: ({ disk }, env) => {
      const files = Object.entries(env).flatMap(([key, path]) =>
        /_(CERT|KEY|CA)_FILE$/.test(key) ? path : [],
      );
      const missing = files.find((path) => !disk.has(path));
      return missing && fatal(`etcdmain: open ${missing}: no such file or directory`);
    },
  },
  {
    says: ({ disk }) =>
      disk.entries.get(DATA_DIR)?.rights.uid === 0
        ? fatal(`etcdmain: error listing data dir: ${DATA_DIR}`)
        : undefined,
  },
  {
    says: ({ ailing, world }) =>
      ailing.tooOld && world.nodes.some(({ etcd }) => etcd?.joined)
        ? fatal(
            'etcdserver/membership: cluster cannot be downgraded (current version: 3.3.25 is lower than determined cluster version: 3.4).',
          )
        : undefined,
  },
  {
    // The kernel makes a disk that fails read-only; what it still tries to read of it fails as well.
    says: ({ ailing, sid }) =>
      ailing.data === 'read-only'
        ? fatal(
            sid % 2 === 1
              ? `etcdmain: read ${WAL}: input/output error`
              : `etcdmain: cannot access data directory: open ${DATA_DIR}/.touch: read-only file system`,
          )
        : undefined,
  },
  {
    says: (_, env) => {
      const name = env.ETCD_NAME ?? 'default';
      return peersOf(env).some((peer) => peer.name === name) &&
        env.ETCD_DATA_DIR &&
        env.ETCD_INITIAL_ADVERTISE_PEER_URLS
        ? undefined
        : fatal(`etcdmain: couldn't find local name "${name}" in the initial cluster configuration`);
    },
  },
];

/** The environment of a unit, merged; undefined when a file of it is missing. */
function environment({ disk, systemd }: FakeNode, unit: string): Env | undefined {
  const texts = environmentFiles(systemd.loadedText(unit)).map((path) => disk.text(path));
  if (texts.length === 0 || texts.includes(undefined)) return undefined;
  return Object.assign({}, ...texts.map((text) => parseEnvFile(text ?? '')));
}

/** What comes of a start: it ends with its last words, runs on the data that are there, or begins on new ones. */
type Start =
  | { readonly ends: readonly [status: number, line: string] }
  | { readonly runs: Data }
  | { readonly begins: Data; readonly founds?: true };

/** Whom it asks for the cluster: the first of its peers that answers (etcdserver/cluster_util.go). */
function remoteOf(node: FakeNode, env: Env): EtcdProcess | undefined {
  const { nodes, network } = node.world;
  const sids = peersOf(env).map(({ url }) => sidOf(url));
  return nodes.find(
    (other) =>
      other !== node &&
      sids.includes(other.sid) &&
      other.etcd?.hung === false &&
      other.etcd.speaksAs === speaksAs(node, env) &&
      network.talks(node, other),
  )?.etcd;
}

/** etcdserver/server.go, NewServer. */
function decide(node: FakeNode, env: Env): Start {
  const { world, data } = node;
  if (node.ailing.binary) return { ends: [203, ''] };
  const said = faults.map(({ says }) => says(node, env)).find((line) => line !== undefined);
  if (said !== undefined) return { ends: [1, said] };
  if (data !== undefined) return data.harm ? { ends: LAST_WORDS[data.harm] } : { runs: data };
  if (node.ailing.data === 'full')
    return { ends: [1, fatal(`etcdmain: create wal error: open ${WAL}: no space left on device`)] };
  const peers = peersOf(env);
  const remote = remoteOf(node, env);
  const known = remote?.applied.state.members ?? [];
  const isOwn = ({ peerUrls }: Pick<Member, 'peerUrls'>): boolean => sidOf(peerUrls[0] ?? '') === node.sid;
  if (env.ETCD_INITIAL_CLUSTER_STATE === 'existing') {
    if (remote === undefined) return { ends: [1, fatal(`etcdmain: ${NO_PEER}`)] };
    const own = known.find(isOwn);
    if (own === undefined || peers.length !== known.length)
      return {
        ends: [1, fatal('etcdmain: error validating peerURLs {ClusterID:9f}: member count is unequal')],
      };
    return { begins: blank(own.id, remote.data.clusterId) };
  }
  const token = env.ETCD_INITIAL_CLUSTER_TOKEN ?? '';
  const founders = peers.map(
    ({ name, url }): Member => ({ id: memberId([url], token), name, peerUrls: [url], clientUrls: [] }),
  );
  const computed = founders.find(isOwn)?.id ?? '';
  if (known.some(({ id, clientUrls }) => id === computed && clientUrls.length > 0)) {
    world.happened('etcd is turned away as bootstrapped');
    return { ends: [1, fatal(`etcdmain: member ${computed} has already been bootstrapped`)] };
  }
  world.happened('etcd founds');
  const cluster = clusterId(founders.map(({ id }) => id));
  const last = world.raft.founding(cluster, founders);
  return { begins: copyOf(blank(computed, cluster), { term: 1, last, committed: last }), founds: true };
}

/** What etcd does when its unit starts it. */
export function startEtcd(node: FakeNode, unit: string, startedBy: string): void {
  const { world, systemd, disk } = node;
  const { clock, random } = world;
  const env = environment(node, unit);
  if (env === undefined) {
    systemd.failed(unit, 'resources');
    return;
  }
  const runs = (data: Data, alone: boolean): void => {
    node.etcd = new EtcdProcess(node, unit, data, alone, clock.nowMs, startedBy, speaksAs(node, env));
    world.raft.touch(random.between(30, 150));
    if (!node.ailing.memory) return;
    clock.after(random.between(100, 2000), () => {
      if (node.etcd?.unit === unit && node.ailing.memory)
        systemd.ended(unit, { kind: 2, status: 9, result: 'oom-kill' });
    });
  };
  const start = decide(node, env);
  if ('ends' in start) {
    const [status, line] = start.ends;
    systemd.ended(unit, { kind: 1, status, line });
  } else if ('runs' in start) {
    const { last, memberId: id, clusterId: cluster } = start.runs;
    // On a WAL that knows no peer it waits for ever; a leader reaches only those that it lists.
    const listed = world.nodes.some(({ etcd }) => etcd?.applied.state.members.some((each) => each.id === id));
    runs(start.runs, last === ORIGIN && !listed);
    if (last === ORIGIN)
      systemd.says(
        unit,
        `2026-01-01 00:00:00.000000 I | etcdserver: restarting member ${id} in cluster ${cluster} at commit index 0`,
      );
  } else {
    const { begins } = start;
    const old = disk.text(DB);
    if (start.founds) world.founds(node);
    else
      world.holds(
        'nothing starts on the old database',
        old === undefined || old === begins.memberId,
        () => `${node.name} starts as ${begins.memberId} on that of ${old}`,
      );
    const pid = systemd.mainPid(unit);
    clock.after(random.between(20, 200), () => {
      if (!node.on || systemd.mainPid(unit) !== pid) return;
      node.putData(begins);
      runs(begins, false);
    });
  }
}
