/**
 * A small world in memory behind the two seams: one node's disk, its systemd with etcd's rules of starting, and
 * the cluster's rules of membership. It makes cutting a heal off at every single effect cheap; that the rules
 * are the real ones is what the scenarios on real machines are for.
 */
import { type Cluster, ClusterError, type LeasedValue, type Member } from '../../src/cluster/cluster.ts';
import type { Machine } from '../../src/machine/machine.ts';
import type { FileRights } from '../../src/machine/os/held-dir.ts';
import { parseEnvFile } from '../../src/machine/systemd/env-file.ts';
import type { UnitFacts } from '../../src/machine/systemd/systemctl.ts';
import { environmentFiles } from '../../src/machine/systemd/unit-file.ts';
import type { World } from '../../src/observe/world.ts';
import { CLUSTER, ENV, members, OWN, PLACES, reply, unit } from './observation.ts';

export const UNIT_TEXT =
  '[Service]\nType=notify\nEnvironmentFile=/opt/app/conf/etcd.env\nExecStart=/opt/etcd/current/etcd\n';
export const UNIT_RIGHTS: FileRights = { mode: 0o640, uid: 0, gid: 7 };
const ENV_RIGHTS: FileRights = { mode: 0o640, uid: 0, gid: 101 };
const APP_VIEW =
  'MY_ROLE=etcd-node\nMY_SID=2\nSTABLE_NODES="1=10.0.0.1 2=10.0.0.2 3=10.0.0.3"\nADDED_NODES=""\nDELETED_NODES=""\n';
const DATA_DIR = '/var/lib/etcd/default.etcd';
const WAL = `${DATA_DIR}/member/wal/0.wal`;
const ETCD_RIGHTS: FileRights = { mode: 0o700, uid: 100, gid: 101 };

/** The healer's process has died: nothing that it calls does anything any more. */
class Cut extends Error {}

type Node = { readonly text?: string; readonly rights: FileRights };
interface Run {
  pid: number;
  active: string;
  log: readonly string[];
}

const image = (): Map<string, Node> =>
  new Map([
    [PLACES.unitFile, { text: UNIT_TEXT, rights: UNIT_RIGHTS }],
    [PLACES.env, { text: ENV, rights: ENV_RIGHTS }],
    [
      '/etc/passwd',
      { text: 'etcd:x:100:101::/var/lib/etcd:/bin/false\n', rights: { mode: 0o644, uid: 0, gid: 0 } },
    ],
    [PLACES.appEnv, { text: APP_VIEW, rights: { mode: 0o644, uid: 0, gid: 0 } }],
  ]);

export class FakeWorld {
  readonly disk = image();
  listed: Member[] = [...members];
  /** Every other member that is asked to change the list; what it did. */
  readonly removed: string[] = [];
  readonly runs = new Map<string, Run>();
  readonly keys = new Map<string, LeasedValue>();
  effects = 0;
  /** The effect at which the healer dies, and whether before or after it. */
  cutAt = Number.POSITIVE_INFINITY;
  cutAfter = false;
  /** Membership calls take effect and their reply is lost, once each. */
  loseReplies = false;
  othersServe = (): boolean => true;
  walDamaged = false;
  /** What its etcd says when it gives up on a damaged WAL. */
  crashLine = 'walpb: crc mismatch';
  freeBytes = 1e12;
  /** What every directory takes. */
  treeBytes = 1;
  onRemove = (_: string): void => undefined;
  private dead = false;
  private nowMs = 0;
  /** How far the wall clock is off. */
  clockOffMs = 0;
  private nextId = 0xabc0;
  /** A new member writes its WAL a moment after its process has begun. */
  private arrival: { readonly atMs: number; readonly done: () => void } | undefined;

  /** Member 2 has lost its WAL, and its etcd has given up. */
  constructor() {
    this.disk.set(DATA_DIR, { rights: ETCD_RIGHTS });
    this.disk.set(`${DATA_DIR}/member/snap/db`, { text: 'db', rights: ETCD_RIGHTS });
    this.startUnit(PLACES.unit);
  }

  /** A new healer, after the last one was cut off. */
  revive(): void {
    this.dead = false;
    this.cutAt = Number.POSITIVE_INFINITY;
  }

  /** The machine has lost its power; with `migrated`, its root disk is the image's again. */
  reboot(migrated: boolean): void {
    if (migrated) {
      for (const path of [...this.disk.keys()])
        if (!path.startsWith('/var/lib/etcd/')) this.disk.delete(path);
      for (const [path, node] of image()) this.disk.set(path, node);
    }
    this.runs.clear();
    this.arrival = undefined;
    if (this.disk.has(PLACES.unitFile)) this.startUnit(PLACES.unit);
    this.revive();
  }

  /** The unit whose process lives. */
  get running(): string | undefined {
    return [...this.runs].find(([, { pid }]) => pid > 0)?.[0];
  }

  get walOwner(): string | undefined {
    return this.disk.get(WAL)?.text;
  }

  /** The data of that member stand in the data dir. */
  setWal(memberId: string): void {
    this.disk.set(WAL, { text: memberId, rights: ETCD_RIGHTS });
  }

  private own(): Member | undefined {
    return this.listed.find(({ peerUrls }) => peerUrls.includes('http://10.0.0.2:2380'));
  }

  /** What etcd does when it is started (etcdserver/server.go, NewServer). */
  private startUnit(name: string): void {
    const text = this.disk.get(`/etc/systemd/system/${name}`)?.text;
    if (text === undefined) throw new Error(`Unit ${name} not found.`);
    const fail = (line: string) => this.runs.set(name, { pid: 0, active: 'failed', log: [line] });
    const runAs = (id: string) => {
      this.disk.set(WAL, { text: id, rights: ETCD_RIGHTS });
      const started = members.find(({ name: n }) => n === 'etcd2') as Member;
      this.listed = this.listed.map((member) => (member.id === id ? { ...started, id } : member));
      this.runs.set(name, { pid: 4242, active: 'active', log: [] });
    };
    const joinAs = (id: string) => {
      this.disk.set(`${DATA_DIR}/member/snap/db`, { text: 'db', rights: ETCD_RIGHTS });
      this.runs.set(name, { pid: 4242, active: 'activating', log: [] });
      this.arrival = { atMs: this.nowMs + 60, done: () => runAs(id) };
    };
    const env = environmentFiles(text).map(({ path }) => parseEnvFile(this.disk.get(path)?.text ?? ''));
    const { ETCD_INITIAL_CLUSTER_STATE: state, ETCD_INITIAL_CLUSTER: initial = '' } = Object.assign(
      {},
      ...env,
    );
    const own = this.own();
    if (this.walOwner !== undefined) {
      if (this.walDamaged) {
        fail(this.crashLine);
        return;
      }
      if (this.walOwner === own?.id) {
        runAs(own.id);
        return;
      }
      fail('the member has been permanently removed from the cluster');
    } else if (state === 'existing') {
      if (own === undefined || initial.split(',').length !== this.listed.length) {
        fail('error validating peerURLs {ClusterID:9f}: member count is unequal');
      } else if (this.disk.has(`${DATA_DIR}/member/snap/db`)) {
        throw new Error('started on the old database: data would differ');
      } else {
        joinAs(own.id);
        return;
      }
    } else if (own && own.name !== '') {
      fail(`member ${own.id} has already been bootstrapped`);
    } else {
      // State new and not known: it makes up an ID of its own, and the others turn it away.
      this.disk.set(WAL, { text: OWN, rights: ETCD_RIGHTS });
      fail('the member has been permanently removed from the cluster');
    }
    this.disk.set(DATA_DIR, { rights: ETCD_RIGHTS });
    this.disk.set(`${DATA_DIR}/member/snap/db`, { text: 'db', rights: ETCD_RIGHTS });
  }

  /** One effect on the world, at which the healer may die. */
  private effect<T>(act: () => T): T {
    if (this.dead) throw new Cut('dead');
    this.effects++;
    const dies = this.effects === this.cutAt;
    if (dies) this.dead = true;
    if (dies && !this.cutAfter) throw new Cut('before');
    const result = act();
    if (dies) throw new Cut('after');
    return result;
  }

  private look<T>(what: () => T): T {
    if (this.dead) throw new Cut('dead');
    this.settle();
    return what();
  }

  private settle(): void {
    if (this.arrival === undefined || this.nowMs < this.arrival.atMs) return;
    const { done } = this.arrival;
    this.arrival = undefined;
    done();
  }

  private stopUnit(name: string): void {
    if ((this.runs.get(name)?.pid ?? 0) > 0) this.arrival = undefined;
    this.runs.delete(name);
  }

  private below = (path: string): string[] =>
    [...this.disk.keys()].filter((p) => p === path || p.startsWith(`${path}/`));

  private facts(name: string): UnitFacts {
    const run = this.runs.get(name);
    const load = this.disk.has(`/etc/systemd/system/${name}`) ? 'loaded' : 'not-found';
    const fragment = load === 'loaded' ? `/etc/systemd/system/${name}` : '';
    if (run === undefined) {
      return unit({
        load,
        fragment,
        active: 'inactive',
        sub: 'dead',
        mainPid: 0,
        exitPid: 0,
        invocationId: '',
      });
    }
    const failed = run.active === 'failed';
    return unit({
      load,
      fragment,
      active: run.active,
      result: failed ? 'exit-code' : 'success',
      mainPid: run.pid,
      exitPid: 4242,
      exitKind: failed ? 1 : 0,
      exitStatus: failed ? 1 : 0,
      invocationId: name,
    });
  }

  private readonly machine: Machine = {
    now: () => this.nowMs++ + this.clockOffMs,
    monotonicMs: () => this.nowMs++,
    sleep: async (ms, ended) => {
      // One that only bounds another wait never comes true here: nothing hangs.
      if (ended) return new Promise(() => undefined);
      this.nowMs += ms;
    },
    kindOf: async (path) =>
      this.look(() => {
        if (this.disk.get(path)?.text !== undefined) return 'file';
        return this.below(path).length > 0 ? 'directory' : 'none';
      }),
    list: async (path) =>
      this.look(() => {
        const inside = this.below(path).filter((p) => p !== path);
        return [...new Set(inside.map((p) => p.slice(path.length + 1).split('/')[0] ?? ''))].sort();
      }),
    readFile: async (path) =>
      this.look(() => {
        const node = this.disk.get(path);
        return node?.text === undefined ? undefined : { text: node.text, rights: node.rights };
      }),
    writeFile: async (path, text, rights) => this.effect(() => void this.disk.set(path, { text, rights })),
    changedMs: async () => undefined,
    rightsOf: async (path) =>
      this.look(() =>
        this.below(path).length > 0 ? (this.disk.get(path)?.rights ?? ETCD_RIGHTS) : undefined,
      ),
    makeDirectory: async (path, rights) =>
      this.effect(() => void (this.disk.has(path) || this.disk.set(path, { rights }))),
    move: async (from, to) =>
      this.effect(() => {
        if (from === DATA_DIR && this.running) throw new Error('the data dir of a running etcd was moved');
        if (this.below(to).length > 0) throw new Error(`${to} is there already`);
        if (this.below(from).length === 0) throw new Error(`${from} is not there`);
        for (const path of this.below(from)) {
          this.disk.set(to + path.slice(from.length), this.disk.get(path) as Node);
          this.disk.delete(path);
        }
      }),
    remove: async (path) =>
      this.effect(() => {
        const gone = this.below(path);
        for (const each of gone) this.disk.delete(each);
        if (gone.length > 0) this.onRemove(path);
      }),
    room: async () => ({ bytes: this.freeBytes, rootBytes: this.freeBytes, inodes: 1e6 }),
    tail: async () => undefined,
    commandLines: async () => [],
    process: async () => undefined,
    network: async () => ({ addresses: [], linkUp: true, neighbours: [], listeners: [] }),
    reach: async () => 'open',
    sizeOf: async () => this.treeBytes,
    wal: async () =>
      this.look(() =>
        this.walOwner === undefined
          ? undefined
          : {
              memberId: this.walOwner,
              clusterId: CLUSTER,
              term: 2n,
              commit: 5n,
              lastIndex: 6n,
              ...(this.walDamaged ? { damage: 'a checksum does not fit' } : {}),
            },
      ),
    boltSize: async () => undefined,
    units: async (names) => this.look(() => names.map((name) => this.facts(name))),
    journal: async (facts) => this.look(() => this.runs.get(facts.invocationId)?.log ?? []),
    systemctl: async (words) =>
      this.effect(() => {
        const [verb = '', ...rest] = words;
        const names = rest.filter((word) => !word.startsWith('--'));
        for (const name of names) {
          if (verb === 'start') this.startUnit(name);
          if (verb === 'stop' || (verb === 'reset-failed' && this.runs.get(name)?.pid === 0))
            this.stopUnit(name);
        }
        const unknown = names.find((name) => !this.disk.has(`/etc/systemd/system/${name}`));
        if (verb === 'stop' && unknown)
          throw new Error(`Failed to stop ${unknown}: Unit ${unknown} not loaded.`);
      }),
    runApp: async () => 0,
  };

  private readonly cluster: Cluster = {
    whyNotServing: async (endpoint) =>
      this.cluster.ask(endpoint).then(
        () => (endpoint.includes('10.0.0.2') && this.arrival ? 'it is receiving its data' : undefined),
        (error: Error) => {
          if (error instanceof Cut) throw error;
          return error.message;
        },
      ),
    ask: async (endpoint) =>
      this.look(() => {
        const own = endpoint.includes('10.0.0.2');
        if (own ? !this.running : !this.othersServe()) throw new Error('connection refused');
        const id = own
          ? (this.walOwner ?? '')
          : (members.find(({ clientUrls }) => clientUrls.includes(endpoint))?.id ?? '');
        return reply(id, {
          members: this.listed,
          birthmark: this.keys.get('heal-node/birthmark')?.value ?? '',
        });
      }),
    removeMember: async (_, id) =>
      this.effect(() => {
        this.removed.push(id);
        if (!this.listed.some((member) => member.id === id))
          throw new ClusterError('etcdserver: member not found', false);
        this.listed = this.listed.filter((member) => member.id !== id);
        return this.answer(this.listed);
      }),
    addMember: async (_, _name, peerUrls) =>
      this.effect(() => {
        if (this.listed.some((member) => member.peerUrls.includes(peerUrls[0] ?? ''))) {
          throw new ClusterError('etcdserver: Peer URLs already exists', false);
        }
        if (this.listed.some(({ name }) => name === ''))
          throw new ClusterError('etcdserver: unhealthy cluster', true);
        const id = (this.nextId++).toString(16);
        this.listed = [...this.listed, { id, name: '', peerUrls: [...peerUrls], clientUrls: [] }];
        return this.answer({ id, members: this.listed });
      }),
    get: async (_, key) => this.look(() => this.keys.get(key)),
    putIfAbsent: async (_, key, held) =>
      this.effect(() => this.answer(!this.keys.has(key) && !!this.keys.set(key, held))),
    grantLease: async () => this.effect(() => this.answer((this.nextId++).toString(16))),
    keepAlive: async () => this.effect(() => undefined),
    revokeLease: async (_, lease) =>
      this.effect(() => {
        for (const [key, held] of this.keys) if (held.lease === lease) this.keys.delete(key);
      }),
    hashKv: async (endpoints) =>
      this.look(() => endpoints.map((endpoint) => ({ endpoint, hash: '1', compactRevision: '0' }))),
  };

  private answer<T>(value: T): T {
    if (!this.loseReplies) return value;
    this.loseReplies = false;
    throw new ClusterError('context deadline exceeded', true);
  }

  readonly world: World = {
    machine: this.machine,
    places: PLACES,
    divergence: async () => undefined,
    birthmarkOn: true,
    mode: async () => 'auto',
    cluster: () => this.cluster,
    health: async () =>
      this.look(() =>
        this.running && !this.arrival
          ? { state: 'true' as const }
          : { state: 'none' as const, why: 'no answer' },
      ),
  };
}
