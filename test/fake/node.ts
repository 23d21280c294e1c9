import { gate } from '../../src/act/gate.ts';
import type { Examination } from '../../src/machine/etcd/examination.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { parseEnvFile } from '../../src/machine/systemd/env-file.ts';
import type { UnitFacts } from '../../src/machine/systemd/systemctl.ts';
import { environmentFiles } from '../../src/machine/systemd/unit-file.ts';
import type { World } from '../../src/observe/world.ts';
import type { Mode } from '../../src/settings/settings-table.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { CLUSTER_ID, nodeUrl, type Running, sidOf } from './cluster.ts';
import { type Data, Disk, type Entry } from './disk.ts';
import { NOTHING_FOUND } from './examination.ts';
import { PLACES, unit as unitFacts } from './observation.ts';
import { Proc } from './process.ts';
import type { FakeWorld } from './world.ts';

export const UNIT_TEXT =
  '[Service]\nType=notify\nEnvironmentFile=/opt/app/conf/etcd.env\nExecStart=/opt/etcd/current/etcd\n';
export const DATA_DIR = '/var/lib/etcd/default.etcd';
export const WAL = `${DATA_DIR}/member/wal/0.wal`;
const DB = `${DATA_DIR}/member/snap/db`;
const ETCD = { mode: 0o700, uid: 100, gid: 101 };
const ROOT = { mode: 0o644, uid: 0, gid: 0 };
const UNIT_DIR = '/etc/systemd/system';
const START_LIMIT = 5;
const diskOf = (path: string): 'root' | 'data' => (`${path}/`.startsWith('/var/lib/etcd/') ? 'data' : 'root');
const SHORT = 'tocommit(68) is out of range [lastIndex(31)]. Was the raft log corrupted, truncated, or lost?';

/** How a run ends that says so: raft's panics with Go's report of them. */
const lastWords = (line: string): string[] =>
  line === '' ? [] : line === SHORT ? [`panic: ${line}`, '', 'goroutine 1 [running]:'] : [line];

interface Unit {
  active: string;
  pid: number;
  result: string;
  exit: number;
  restarts: number;
  log: string[];
  run: number;
  /** What systemd has in memory; undefined until it has been asked for the unit. */
  loaded: string | undefined;
  starts: number;
}

/** One machine: its disks, its systemd, and the etcd on it. */
export class SimNode {
  readonly disk = new Disk();
  readonly name: string;
  /** Owner and mode of the unit are its own, and must come back with it. */
  readonly unitRights = { mode: 0o640, uid: 0, gid: 7 };
  on = true;
  cutOff = false;
  etcd: Running | undefined;
  clockOffMs = 0;
  flushes = true;
  /** What a disk does not take: a full one no new data, a read-only one no change at all. */
  readonly ailing: { root: 'no' | 'full' | 'read-only'; data: 'no' | 'full' | 'read-only' } = {
    root: 'no',
    data: 'no',
  };
  asksGate = true;
  /** Bytes free on each disk, and what any directory takes. */
  readonly freeBytes = { root: 1e12, data: 1e12 };
  treeBytes = 1;
  /** `HEAL_MODE` of its settings. */
  mode: Mode = 'auto';
  /** A tree that was there is removed. */
  onRemove = (_path: string): void => undefined;
  /** Around every call of a process of ours that changes something. */
  onEffect = (_what: string, _when: 'before' | 'after'): void => undefined;
  procs = new Set<Proc>();
  private readonly units = new Map<string, Unit>();
  private pids = 100;

  constructor(
    readonly sim: FakeWorld,
    readonly sid: number,
  ) {
    this.name = `etcd${sid}`;
    this.layImage();
    this.disk.set(`${DATA_DIR}`, { rights: ETCD });
    this.disk.flush();
  }

  /** The root disk as the image has it, with what confd writes. */
  private layImage(): void {
    const all = this.sim.sids.map((sid) => `${sid}=10.0.0.${sid}`).join(' ');
    const initial = this.sim.sids.map((sid) => `etcd${sid}=${nodeUrl(sid, 2380)}`).join(',');
    const files: Record<string, [string, Entry['rights']]> = {
      [PLACES.unitFile]: [UNIT_TEXT, this.unitRights],
      [PLACES.env]: [
        `ETCD_NAME=${this.name}\nETCD_DATA_DIR=${DATA_DIR}\nETCD_INITIAL_ADVERTISE_PEER_URLS=${nodeUrl(this.sid, 2380)}\nETCD_ADVERTISE_CLIENT_URLS=${nodeUrl(this.sid, 2379)}\nETCD_INITIAL_CLUSTER=${initial}\nETCD_INITIAL_CLUSTER_STATE=new\n`,
        { ...ROOT, mode: 0o640, gid: 101 },
      ],
      [PLACES.appEnv]: [
        `MY_ROLE=etcd-node\nMY_SID=${this.sid}\nSTABLE_NODES="${all}"\nADDED_NODES=""\nDELETED_NODES=""\nIS_DELETED=false\n`,
        ROOT,
      ],
      '/etc/passwd': ['etcd:x:100:101::/var/lib/etcd:/bin/false\n', ROOT],
      [`${UNIT_DIR}/${HEAL_UNIT}`]: ['[Service]\nExecStart=/opt/heal-node/bin/heal-node resume\n', ROOT],
    };
    for (const [path, [text, rights]] of Object.entries(files)) this.disk.set(path, { text, rights });
  }

  get data(): Data | undefined {
    return this.disk.entries.get(WAL)?.data;
  }

  putData(data: Data): void {
    this.disk.set(DATA_DIR, { rights: ETCD });
    this.disk.set(WAL, { data, rights: ETCD });
    this.disk.set(DB, { text: data.memberId, rights: ETCD });
    this.disk.flush();
  }

  /** What our own readers say of it: blank data are those of a start that was cut off before it wrote anything. */
  private examination(): Examination {
    const { data } = this;
    if (data === undefined) return NOTHING_FOUND;
    const damage = data.damaged ? [{ file: '0.wal', at: 0, what: 'crc mismatch' }] : [];
    return {
      ...NOTHING_FOUND,
      kind: data.damaged ? 'damaged' : data.index === 0 ? 'founding' : 'whole',
      damage,
      memberId: data.memberId,
      clusterId: CLUSTER_ID,
      term: 2n,
      commit: BigInt(data.index),
      lastIndex: BigInt(data.index),
      logRead: true,
    };
  }

  // --- systemd ---

  private unit(name: string): Unit {
    const found = this.units.get(name) ?? {
      active: 'inactive',
      pid: 0,
      result: 'success',
      exit: 0,
      restarts: 0,
      log: [],
      run: 0,
      loaded: undefined,
      starts: 0,
    };
    this.units.set(name, found);
    // A unit that is not in memory is read when it is first asked for.
    found.loaded ??= this.disk.entries.get(`${UNIT_DIR}/${name}`)?.text;
    return found;
  }

  private reload(): void {
    for (const [name, unit] of this.units) {
      unit.loaded = this.disk.entries.get(`${UNIT_DIR}/${name}`)?.text;
      this.forget(name, unit);
    }
  }

  /** systemd keeps nothing of a unit that has no file and neither runs nor has failed: no run, no log of it. */
  private forget(name: string, { loaded, active }: Unit): void {
    if (loaded === undefined && active === 'inactive') this.units.delete(name);
  }

  facts(name: string): UnitFacts {
    const unit = this.unit(name);
    const onDisk = this.disk.entries.get(`${UNIT_DIR}/${name}`)?.text;
    const failed = unit.exit !== 0;
    return unitFacts({
      load: unit.loaded === undefined ? 'not-found' : 'loaded',
      fragment: unit.loaded === undefined ? '' : `${UNIT_DIR}/${name}`,
      active: unit.active,
      sub: unit.active,
      result: unit.result,
      mainPid: unit.pid,
      exitKind: failed ? 1 : 0,
      exitStatus: unit.exit,
      exitPid: unit.run === 0 ? 0 : unit.run,
      restarts: unit.restarts,
      invocationId: unit.run === 0 ? '' : `${name} ${unit.run}`,
      needsReload: unit.loaded !== onDisk,
    });
  }

  systemctl(words: readonly string[]): void {
    const [verb = '', ...rest] = words;
    const names = rest.filter((word) => !word.startsWith('--'));
    if (verb === 'daemon-reload') this.reload();
    for (const name of names) {
      const unit = this.unit(name);
      if (verb === 'start' || verb === 'restart') {
        if (unit.loaded === undefined) throw new Error(`Failed to ${verb} ${name}: Unit ${name} not found.`);
        if (verb === 'restart') this.stop(name);
        if (unit.result === 'start-limit-hit')
          throw new Error(`${name}: start request repeated too quickly.`);
        this.start(name);
      }
      if (verb === 'stop') {
        if (unit.loaded === undefined && unit.pid === 0) throw new Error(`Unit ${name} not loaded.`);
        this.stop(name);
      }
      if (verb === 'kill' && unit.pid > 0) this.unitEnds(name, 'signal', 9, '');
      if (verb === 'reset-failed') {
        unit.starts = 0;
        unit.result = 'success';
        if (unit.active === 'failed') unit.active = 'inactive';
        this.forget(name, unit);
      }
    }
  }

  private stop(name: string): void {
    const unit = this.unit(name);
    if (this.etcd?.unit === name) this.etcdGone();
    if (name === HEAL_UNIT) for (const proc of this.procs) if (proc.what === HEAL_UNIT) proc.kill();
    Object.assign(unit, { active: 'inactive', pid: 0, result: 'success', exit: 0 });
    unit.run++;
  }

  private start(name: string): void {
    const unit = this.unit(name);
    if (['active', 'activating'].includes(unit.active)) return;
    Object.assign(unit, { active: 'activating', pid: ++this.pids, result: 'success', exit: 0, log: [] });
    const run = ++unit.run;
    if (name === HEAL_UNIT) {
      unit.active = 'active';
      this.sim.healService(this, () => {
        if (unit.run === run) Object.assign(unit, { active: 'inactive', pid: 0 });
      });
      return;
    }
    const begins = () => {
      if (unit.run === run && this.on) this.etcdStarts(name);
    };
    const asked = name === PLACES.unit && this.asksGate && this.disk.kindOf(PLACES.originals) === 'none';
    if (!asked) this.sim.clock.after(this.sim.random.between(20, 80), begins);
    else {
      // One that is killed has not said 3, and etcd starts.
      const proc = new Proc(this, 'gate', begins);
      gate(this.sim.world(this, proc)).then(
        (why) => {
          proc.ends();
          if (why === undefined) begins();
          else if (unit.run === run) this.unitEnds(name, 'exit-code', 1, '');
        },
        () => begins(),
      );
    }
  }

  /** A unit's process has ended by itself, or was killed. */
  private unitEnds(name: string, result: string, exit: number, line: string): void {
    const unit = this.unit(name);
    if (this.etcd?.unit === name) this.etcdGone();
    if (name === HEAL_UNIT) {
      for (const proc of this.procs) if (proc.what === HEAL_UNIT) proc.kill();
      Object.assign(unit, { active: 'inactive', pid: 0 });
      // Restart=on-abnormal
      this.sim.clock.after(1000, () => this.on && unit.active === 'inactive' && this.start(name));
      return;
    }
    unit.starts++;
    unit.restarts = START_LIMIT;
    unit.log = lastWords(line);
    Object.assign(unit, { active: 'failed', pid: 0, result, exit });
    if (exit === 9) {
      // Restart=always: nothing is wrong with it, and it comes up again.
      Object.assign(unit, { active: 'inactive', exit: 0, result: 'success' });
      this.sim.clock.after(
        100,
        () => this.on && unit.active === 'inactive' && unit.loaded !== undefined && this.start(name),
      );
    }
  }

  log(invocation: string): readonly string[] {
    const [name = ''] = invocation.split(' ');
    return this.units.get(name)?.log ?? [];
  }

  // --- etcd ---

  private etcdGone(): void {
    const { etcd } = this;
    this.etcd = undefined;
    if (etcd?.joined) this.sim.cluster.changed(this.sim.cluster.lineage(etcd.data.lineage));
  }

  etcdEnds(why: 'removed'): void {
    if (this.etcd)
      this.unitEnds(
        this.etcd.unit,
        'exit-code',
        1,
        `the member has been permanently ${why} from the cluster`,
      );
  }

  /** etcdserver/server.go, NewServer. */
  private etcdStarts(name: string): undefined {
    const { sim } = this;
    const fail = (line: string, exit = 1): undefined => {
      this.unitEnds(name, 'exit-code', exit, line);
    };
    const unit = this.unit(name);
    const texts = environmentFiles(unit.loaded ?? '').map(({ path }) => this.disk.entries.get(path)?.text);
    if (texts.length === 0 || texts.includes(undefined)) return fail('Failed to load environment files', 203);
    const env: Record<string, string> = Object.assign({}, ...texts.map((text) => parseEnvFile(text ?? '')));
    const remote = sim.nodes.find(
      (node) => node !== this && sim.cluster.reachable(this, node) && node.etcd?.joined,
    );
    const lineage = sim.cluster.lineage(remote?.etcd?.data.lineage ?? 0);
    const own = lineage.members.find(({ peerUrls }) => sidOf(peerUrls[0] ?? '') === this.sid);
    const runs = (data: Data, alone = false): undefined => {
      unit.pid = ++this.pids;
      this.etcd = { data, unit: name, joined: false, alone };
      this.maybeJoins();
    };
    const { data } = this;
    if (data !== undefined) {
      if (data.damaged) return fail('walpb: crc mismatch');
      if (remote && !lineage.members.some(({ id }) => id === data.memberId)) {
        // Whether its WAL knows the others, who turn it away, or was cut off before that.
        if (data.index > 0 || sim.random.chance(0.5))
          return fail('the member has been permanently removed from the cluster');
        unit.log = [`restarting member ${data.memberId} in cluster ${CLUSTER_ID} at commit index 0`];
        return runs(data, true);
      }
      if (remote && this.fallsShort(data)) return fail(SHORT, 2);
      return runs(data);
    }
    if (this.ailing.data !== 'no')
      return fail(
        `open ${WAL}: ${this.ailing.data === 'full' ? 'no space left on device' : 'read-only file system'}`,
      );
    if (env.ETCD_INITIAL_CLUSTER_STATE === 'existing') {
      if (remote === undefined)
        return fail(
          'cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs',
        );
      const listed = env.ETCD_INITIAL_CLUSTER?.split(',').length;
      if (own === undefined || listed !== lineage.members.length)
        return fail('error validating peerURLs {ClusterID:9f}: member count is unequal');
      const old = this.disk.entries.get(DB)?.text;
      if (old !== undefined && old !== own.id)
        sim.violated(
          'nothing starts on the old database',
          `${this.name} joins as ${own.id} on that of ${old}`,
        );
      this.disk.set(DB, { text: own.id, rights: ETCD });
      unit.pid = ++this.pids;
      const { run } = unit;
      const arrived = { memberId: own.id, lineage: lineage.id, index: 0, damaged: false };
      const later = (ms: number, what: () => void) =>
        sim.clock.after(ms, () => unit.run === run && this.on && what());
      // First a WAL with nothing in it, then the data of the others.
      later(sim.random.between(30, 200), () => {
        this.putData(arrived);
        later(sim.random.between(30, 1500), () => runs(arrived));
      });
      return;
    }
    if (remote && own && own.clientUrls.length > 0)
      return fail(`member ${own.id} has already been bootstrapped`);
    const born = sim.bornId(this.sid);
    const founded = remote ? 0 : 1;
    this.putData({ memberId: born, lineage: founded, index: 0, damaged: false });
    if (remote) return fail('the member has been permanently removed from the cluster');
    const second = sim.cluster.lineage(1);
    if (second.members.length === 0)
      second.members = sim.sids.map((sid) => ({
        id: sim.bornId(sid),
        name: `etcd${sid}`,
        peerUrls: [nodeUrl(sid, 2380)],
        clientUrls: [],
      }));
    runs(this.data as Data);
  }

  /** Its log ends before what this member has acknowledged (raft/log.go, commitTo). */
  private fallsShort({ memberId, index }: Data): boolean {
    return index < (this.sim.cluster.lineage(0).acknowledged.get(memberId) ?? 0);
  }

  /** It takes part once a quorum can be had. */
  maybeJoins(): void {
    const { etcd, sim } = this;
    if (etcd === undefined || etcd.joined || etcd.alone || this.cutOff) return;
    const lineage = sim.cluster.lineage(etcd.data.lineage);
    sim.clock.after(sim.random.between(30, 150), () => {
      if (this.etcd !== etcd || etcd.joined || this.cutOff || !this.on) return;
      // Data that were founded on nothing meet the cluster that still knows this member.
      const meets = sim.nodes.some((node) => node.etcd?.joined && sim.cluster.reachable(this, node));
      if (meets && this.fallsShort(etcd.data)) return this.unitEnds(etcd.unit, 'exit-code', 2, SHORT);
      if (!lineage.members.some(({ id }) => id === etcd.data.memberId)) return this.etcdEnds('removed');
      // With whoever else waits: together they may be a quorum.
      const together = sim.nodes.filter(
        (node) =>
          node.etcd?.data.lineage === lineage.id &&
          !node.etcd.alone &&
          sim.cluster.reachable(this, node) &&
          lineage.members.some(
            ({ id, name }) => id === node.etcd?.data.memberId && (name !== '' || node === this),
          ),
      );
      if (together.length * 2 <= lineage.members.length) return;
      for (const node of together) if (node.etcd) node.joins(node.etcd);
    });
  }

  private joins(etcd: Running): void {
    if (etcd.joined) return;
    const { cluster } = this.sim;
    const lineage = cluster.lineage(etcd.data.lineage);
    etcd.joined = true;
    const most = Math.max(...cluster.voters(lineage).map((node) => node.etcd?.data.index ?? 0));
    if (lineage.id === 0 && cluster.hasQuorum(lineage) && most < lineage.length)
      this.sim.violated(
        'no acknowledged write is lost',
        `${this.name} makes a quorum with ${most} of ${lineage.length} entries`,
      );
    if (cluster.hasQuorum(lineage)) etcd.data.index = Math.max(etcd.data.index, most);
    if (lineage.id !== 0 && cluster.hasQuorum(lineage))
      this.sim.violated('no second cluster is founded', `${this.name} serves in it`);
    lineage.members = lineage.members.map((member) =>
      member.id === etcd.data.memberId
        ? { ...member, name: this.name, clientUrls: [nodeUrl(this.sid, 2379)] }
        : member,
    );
    const unit = this.unit(etcd.unit);
    Object.assign(unit, { active: 'active', restarts: 0, starts: 0 });
    cluster.changed(lineage);
  }

  // --- power ---

  powerOff(): void {
    if (!this.on) return;
    this.on = false;
    for (const proc of this.procs) proc.kill();
    if (this.etcd) this.etcdGone();
    this.disk.powerLost(this.sim.random);
    // What was under way for a unit does not go on after the boot.
    for (const unit of this.units.values()) unit.run++;
    this.units.clear();
  }

  /** @param migrated the root disk is the image's again */
  powerOn(migrated: boolean): void {
    if (this.on) return;
    if (migrated) {
      for (const path of [...this.disk.entries.keys()])
        if (!path.startsWith('/var/lib/etcd/')) this.disk.entries.delete(path);
      this.layImage();
    }
    this.disk.flush();
    this.units.clear();
    this.on = true;
    this.cutOff = false;
    for (const name of [PLACES.unit, HEAL_UNIT])
      if (this.unit(name).loaded !== undefined)
        // Its start job goes when the unit does (systemd.unit(5)).
        this.sim.clock.after(
          this.sim.random.between(500, 3000),
          () => this.on && this.units.get(name)?.loaded !== undefined && this.start(name),
        );
  }

  // --- the seam ---

  machine(proc: Proc): Machine {
    const { sim, disk } = this;
    const look = <T>(what: () => T): Promise<T> => proc.look(what);
    const act = (what: () => void, path: string, adds = false): Promise<void> =>
      proc.effect(sim.random.between(1, 5), () => {
        this.mustTake(path, adds);
        what();
        if (this.flushes) disk.flush();
        sim.check();
      });
    return {
      now: () => sim.clock.nowMs + this.clockOffMs,
      monotonicMs: () => sim.clock.nowMs,
      // Short waits are stretched: a story has fewer events then, and every interleaving is still possible.
      sleep: (ms, ended) => proc.call(Math.max(ms, sim.random.between(50, 2000)), () => undefined, ended),
      kindOf: (path) => look(() => disk.kindOf(path)),
      list: (path) => look(() => disk.list(path)),
      readFile: (path) =>
        look(() => {
          const entry = disk.entries.get(path);
          return entry?.text === undefined ? undefined : { text: entry.text, rights: entry.rights };
        }),
      writeFile: (path, text, rights) => act(() => disk.set(path, { text, rights }), path, true),
      changedMs: async () => undefined,
      rightsOf: (path) =>
        look(() => (disk.kindOf(path) === 'none' ? undefined : (disk.entries.get(path)?.rights ?? ETCD))),
      makeDirectory: (path, rights) =>
        act(() => disk.entries.has(path) || disk.set(path, { rights }), path, true),
      move: (from, to) =>
        act(() => {
          if (from === DATA_DIR && this.etcdProcess)
            sim.violated('data are never moved under a running etcd', `${this.name}: ${from} to ${to}`);
          disk.move(from, to);
        }, from),
      remove: (path) =>
        act(() => {
          const there = disk.kindOf(path) !== 'none';
          disk.delete(path);
          if (there) this.onRemove(path);
        }, path),
      room: async (path) => {
        const bytes = this.ailing[diskOf(path)] === 'full' ? 0 : this.freeBytes[diskOf(path)];
        return { bytes, rootBytes: bytes, inodes: 1e6 };
      },
      tail: async () => undefined,
      sizeOf: async () => this.treeBytes,
      examine: () => look(() => this.examination()),
      fileSystemId: async (path) => diskOf(path),
      giveDirectory: (path, rights) => act(() => disk.set(path, { rights }), path),
      versionText: async () => 'etcd Version: 3.4.23\n',
      commandLines: async () => [],
      process: async () => ({ state: 'S', cpuTicks: sim.clock.nowMs, ioBytes: 0 }),
      network: async () => ({
        addresses: [`10.0.0.${this.sid}`],
        linkUp: !this.cutOff,
        neighbours: [],
        unresolved: [],
        listeners: [],
      }),
      reach: (host) =>
        look(() => {
          const to = sim.nodes[sidOf(host) - 1];
          return to && sim.cluster.reachable(this, to) ? (to.etcd ? 'open' : 'refused') : 'silent';
        }),
      units: (names) => proc.call(sim.latency(8), () => names.map((name) => this.facts(name))),
      journal: (facts) => look(() => this.log(facts.invocationId)),
      systemctl: (words) =>
        proc.effect(sim.random.between(10, 120), () => {
          this.systemctl(words);
          sim.check();
        }),
      runApp: (argv) =>
        proc.call(sim.random.between(50, 300), () => {
          try {
            this.app(argv.at(-1) ?? '');
            return 0;
          } catch {
            return 5;
          }
        }),
    };
  }

  private mustTake(path: string, adds: boolean): void {
    const state = this.ailing[diskOf(path)];
    if (state === 'full' && adds) throw new Error(`ENOSPC: no space left on device, write ${path}`);
    if (state === 'read-only' && (adds || this.disk.kindOf(path) !== 'none'))
      throw new Error(`EROFS: read-only file system, ${path}`);
  }

  /** A process of etcd's is there, whether or not it takes part yet. */
  get etcdProcess(): boolean {
    return [PLACES.unit, PLACES.copyUnit].some((name) => (this.units.get(name)?.pid ?? 0) > 0);
  }

  /** The app's verbs, as far as they touch etcd. */
  app(verb: string): void {
    if (verb === 'start') this.systemctl(['reset-failed', PLACES.unit]);
    this.systemctl([verb === 'restart' ? 'restart' : verb, PLACES.unit]);
  }

  world(proc: Proc): World {
    return this.sim.world(this, proc);
  }
}
