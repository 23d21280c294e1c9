import type { Depth } from '../../src/machine/etcd/examination.ts';
import type { Examination } from '../../src/machine/etcd/examine.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { commandLines, runVerb, systemctl, type Verb } from './app.ts';
import { diskOf } from './disk.ts';
import { NOTHING_FOUND } from './examination.ts';
import { type Harm, ORIGIN } from './log.ts';
import { addressOf, sidOf } from './network.ts';
import type { FakeNode } from './node.ts';
import { DATA_DIR, ETCD_RIGHTS, ROOT_FILE } from './paths.ts';
import type { Proc } from './process.ts';
import { certificatesOf } from './tls.ts';

/** How long a question to systemd, or to a silent host, is waited for. */
const UNITS_MS = 2000;

function mustTake(node: FakeNode, path: string, adds: boolean): void {
  const state = node.ailing[diskOf(path)];
  if (state === 'full' && adds) throw new Error(`ENOSPC: no space left on device, write ${path}`);
  if (state === 'read-only' && (adds || node.disk.has(path)))
    throw new Error(`EROFS: read-only file system, ${path}`);
}

const damageIn: Readonly<Record<Harm, string>> = {
  'crc mismatch': '0000000000000000-0000000000000000.wal',
  'garbled record': '0000000000000000-0000000000000000.wal',
  'WAL file missing': 'wal',
  'database invalid': 'db',
  'database cut short': 'db',
};

/** What our own readers say of the data that stand there. */
function examination(node: FakeNode, depth: Depth): Examination {
  const { data } = node;
  if (data === undefined) return NOTHING_FOUND;
  const { memberId, clusterId, term, last, committed, harm, short } = data;
  const deep = depth !== 'kind';
  const founding = last === ORIGIN || node.world.raft.isFounding(last);
  const damaged = harm !== undefined && depth === 'all';
  return {
    ...NOTHING_FOUND,
    kind: damaged ? 'damaged' : founding ? 'founding' : 'whole',
    elected: last.term > 1,
    damage: damaged ? [{ file: damageIn[harm], at: 640, what: harm }] : [],
    memberId,
    clusterId,
    term: BigInt(term),
    commit: BigInt(committed.index),
    lastIndex: BigInt(last.index),
    lastTerm: BigInt(last.term),
    applied: depth === 'all' ? BigInt(short ?? committed.index) : undefined,
    logShort: depth === 'all' && short !== undefined && short > last.index,
    isRemoved: committed.state.removed.includes(memberId),
    logRead: deep,
    brokenOff: deep && harm !== undefined && damageIn[harm].endsWith('.wal'),
  };
}

/** The seam to a fake machine, for one process on it. */
export function machineOf(node: FakeNode, proc: Proc): Machine {
  const { world, disk } = node;
  const { clock, random } = world;
  const look = <T>(what: () => T): Promise<T> => proc.look(what);
  const changed = (path: string, adds: boolean, what: () => void): void => {
    mustTake(node, path, adds);
    proc.busy();
    what();
    if (node.flushes) disk.flush();
    world.check();
  };
  const act = (what: () => void, path: string, adds = false): Promise<void> =>
    proc.effect(random.between(1, 5), () => changed(path, adds, what));
  return {
    now: () => clock.nowMs + node.clockOffMs,
    monotonicMs: () => clock.nowMs,
    boot: () => ({ bootId: `${node.boots}`, upMs: clock.nowMs - node.bootedMs }),
    sleep: (ms, ended) => proc.sleep(ms, ended),
    kindOf: (path) => look(() => disk.kindOf(path)),
    list: (path) => look(() => disk.list(path)),
    readFile: (path) =>
      look(() => {
        const entry = disk.entries.get(path);
        if (entry?.kind) throw new Error(`${path}: is a ${entry.kind}, which is not followed`);
        return entry?.text === undefined ? undefined : { text: entry.text, rights: entry.rights };
      }),
    writeFile: (path, text, rights) =>
      act(
        () => {
          const [, name] = /^\/var\/lib\/etcd\/ssl\/etcd\/(.*)\.pem$/.exec(path) ?? [];
          world.holds(
            'only certificates that fit are put in place',
            name === undefined || world.isServed(name, text),
            () => `${node.name}: ${path}`,
          );
          disk.set(path, { text, rights });
        },
        path,
        true,
      ),
    copyFrom: (host, _path, into) => {
      const from = world.nodes[sidOf(host) - 1];
      const talks = from !== undefined && world.network.talks(node, from);
      return proc.effect(talks ? random.between(100, 800) : 10_000, () => {
        if (!talks) throw new Error(`scp -P 16022: no answer within 10000 ms`);
        if (!from.ssh) throw new Error('scp -P 16022: Permission denied (publickey).');
        for (const [name, text] of Object.entries(from.offers ?? certificatesOf(from)))
          disk.set(`${into}/${name}.pem`, { text, rights: ROOT_FILE });
      });
    },
    changedMs: (path) => look(() => disk.changedMs(path)),
    rightsOf: (path) =>
      look(() => (disk.has(path) ? (disk.entries.get(path)?.rights ?? ETCD_RIGHTS) : undefined)),
    makeDirectory: (path, rights) =>
      act(
        () => {
          if (!disk.entries.has(path)) disk.set(path, { rights });
        },
        path,
        true,
      ),
    move: (from, to) =>
      act(() => {
        world.holds(
          'data are never moved under a running etcd',
          from !== DATA_DIR || !node.etcdProcess,
          () => `${node.name}: ${from} to ${to}`,
        );
        disk.move(from, to);
      }, from),
    // A tree goes entry by entry: a cut leaves the rest of it.
    remove: (path) => {
      const all = disk.below(path);
      const gone = (paths: readonly string[]) => (): void =>
        changed(path, false, () => {
          for (const each of paths) disk.drop(each);
        });
      const last = (): void =>
        changed(path, false, () => {
          disk.delete(path);
          if (all.length > 0) node.onRemove(path);
        });
      if (all.length < 2) return proc.bits(random.between(1, 5), [last]);
      const half = Math.ceil(all.length / 2);
      return proc.bits(random.between(5, 300), [gone(all.toReversed().slice(0, half)), last]);
    },
    room: async (path) => {
      const bytes = node.freeBytes(diskOf(path));
      return { bytes, rootBytes: bytes, inodes: 1e6 };
    },
    tail: async () => undefined,
    sizeOf: (path) => look(() => disk.bytesBelow(path)),
    examine: (_, depth) => look(() => examination(node, depth)),
    isOnRoot: (path) => look(() => node.stash !== undefined || diskOf(path) === 'root'),
    fileSystemId: (path) => look(() => (node.stash === undefined ? diskOf(path) : 'root')),
    giveDirectory: (path, rights) => act(() => disk.set(path, { ...disk.entries.get(path), rights }), path),
    versionText: () =>
      look(() => {
        if (node.ailing.binary) throw new Error('it cannot be run: ENOENT');
        return `etcd Version: ${node.ailing.tooOld ? '3.3.25' : node.world.version}\n`;
      }),
    commandLines: () => look(() => commandLines(node)),
    process: (pid) =>
      look(() =>
        pid === 0
          ? undefined
          : node.etcd?.hung
            ? { state: 'T', cpuTicks: 7, ioBytes: 7 }
            : { state: 'S', cpuTicks: clock.nowMs, ioBytes: 0 },
      ),
    network: () =>
      look(() => ({
        addresses: node.ailing.address ? [] : [addressOf(node.sid)],
        linkUp: node.linkUp,
        neighbours: world.nodes.filter((other) => other.on && other.linkUp).map(({ sid }) => addressOf(sid)),
        unresolved: [],
        listeners: node.ailing.port ? [{ port: 2380, pid: 1, program: 'somebody' }] : [],
      })),
    reach: (host, _port, timeoutMs) => {
      const to = world.nodes[sidOf(host) - 1];
      const talks = to !== undefined && world.network.talks(node, to);
      return proc.call(talks ? 1 : timeoutMs, () => (talks ? (to.etcd ? 'open' : 'refused') : 'silent'));
    },
    units: (names) => {
      const lateMs = node.systemd.hangsUntilMs - clock.nowMs;
      return proc.call(lateMs > UNITS_MS ? UNITS_MS : Math.max(lateMs, world.latency(8)), () => {
        if (clock.nowMs < node.systemd.hangsUntilMs)
          throw new Error(`systemctl show ${names.join(' ')}: no answer in 2 s`);
        return names.map((name) => node.systemd.facts(name));
      });
    },
    journal: (facts) => look(() => node.systemd.log(facts.invocationId)),
    systemctl: (words, timeoutMs = 30_000) => systemctl(proc, words, timeoutMs),
    status: async () => undefined,
    runApp: (argv, timeoutMs) =>
      proc.wait<number | undefined>(
        timeoutMs,
        (done) => {
          runVerb(node, (argv.at(-1) ?? '') as Verb, true).then(done);
        },
        () => undefined,
      ),
  };
}
