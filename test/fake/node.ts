import { requestHeal } from '../../src/act/ask-for-heal.ts';
import { gate } from '../../src/act/gate.ts';
import { certificatePath } from '../../src/appcenter/certificates.ts';
import type { Mode } from '../../src/settings/settings-table.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { runVerb, type Verb } from './app.ts';
import { Disk, type DiskName, diskOf, type Entry } from './disk.ts';
import type { EtcdProcess } from './etcd.ts';
import { startEtcd } from './etcd-start.ts';
import type { Data } from './log.ts';
import { addressOf } from './network.ts';
import { PLACES } from './observation.ts';
import { DATA_DIR, DB, ETCD_RIGHTS, ROOT_FILE, UNIT_DIR, UNIT_TEXT, WAL } from './paths.ts';
import { Proc } from './process.ts';
import { Systemd } from './systemd.ts';
import { type Certificates, FIRST, putCertificates, SECOND } from './tls.ts';
import type { FakeWorld } from './world.ts';

/** confd needs about that long after a boot until it has rendered what a power cut has torn. */
const CONFD_MS = 20_000;

type DiskState = 'no' | 'full' | 'read-only';

/** What is wrong with a machine, for a while. */
export interface Ailing {
  root: DiskState;
  data: DiskState;
  /** Somebody else listens on etcd's port; the address is not there; the program is not; memory runs out. */
  port: boolean;
  address: boolean;
  binary: boolean;
  memory: boolean;
  /** Its etcd is older than the cluster. */
  tooOld: boolean;
}

const well = (): Ailing => ({
  root: 'no',
  data: 'no',
  port: false,
  address: false,
  binary: false,
  memory: false,
  tooOld: false,
});

/** One machine: its disks, its systemd, and the etcd on it. */
export class FakeNode {
  readonly disk: Disk;
  readonly systemd = new Systemd(this);
  readonly name: string;
  /** Owner and mode of the unit are its own, and must come back with it. */
  readonly unitRights = { mode: 0o640, uid: 0, gid: 7 };
  on = true;
  linkUp = true;
  /** When one of its links was last cut or mended. */
  linkedMs = 0;
  etcd: EtcdProcess | undefined;
  clockOffMs = 0;
  boots = 0;
  bootedMs = 0;
  flushes = true;
  readonly ailing = well();
  /** The unit's drop-in asks the gate. */
  gated = true;
  /** Its last start was not asked about: the gate was killed, or there is none. */
  gateSilent = false;
  /** `HEAL_MODE` of its settings. */
  mode: Mode = 'auto';
  readonly capacity: Record<DiskName, number> = { root: 1e12, data: 1e12 };
  /** In this boot its etcd has shown that its log is too short. */
  shortShown = false;
  private viewTorn = false;
  /** Root can copy files from it by ssh; and what is found there, where that is not what its etcd has. */
  ssh = true;
  offers: Certificates | undefined;
  /** What is on the data disk while that is not mounted. */
  stash: [string, Entry][] | undefined;
  readonly procs = new Set<Proc>();
  /** A tree that was there is removed. */
  onRemove = (_path: string): void => undefined;
  /** Around every call of a process of ours that changes something. */
  onEffect = (_what: string, _when: 'before' | 'after'): void => undefined;

  constructor(
    readonly world: FakeWorld,
    readonly sid: number,
  ) {
    this.name = `etcd${sid}`;
    this.disk = new Disk(() => world.clock.nowMs + this.clockOffMs);
    this.layImage();
    this.disk.set(DATA_DIR, { rights: ETCD_RIGHTS });
    if (world.tls) putCertificates(this, world.domain.certificates);
    this.appWrites();
    this.disk.flush();
  }

  private readonly written: string[] = [];

  /** What the app's start writes: the settings, and in TLS mode the members' names. */
  appWrites(): void {
    this.written.push(this.envText);
    this.disk.set(PLACES.env, { text: this.envText, rights: { ...ROOT_FILE, mode: 0o640, gid: 101 } });
    if (!this.world.tls) return;
    const names = this.world.sids.map((sid) => `${addressOf(sid)} ${this.world.nameOf(sid)}\n`);
    this.disk.set('/etc/hosts', { text: `127.0.0.1 localhost\n${names.join('')}`, rights: ROOT_FILE });
  }

  /** What the app writes to etcd.env at every start (docs/platform.md). */
  get envText(): string {
    const { world, sid } = this;
    const [peer, client] = [world.url(sid, 2380), world.url(sid, 2379)];
    const initial = world.sids.map((each) => `etcd${each}=${world.url(each, 2380)}`).join(',');
    const files = ['CERT_FILE=server', 'KEY_FILE=server-key', 'TRUSTED_CA_FILE=ca'];
    const peerFiles = ['PEER_CERT_FILE=peer', 'PEER_KEY_FILE=peer-key', 'PEER_TRUSTED_CA_FILE=ca'];
    const tls = [...files, ...peerFiles].map((each) => {
      const [key, name = ''] = each.split('=');
      return `ETCD_${key}=${certificatePath(name)}\n`;
    });
    return `ETCD_NAME=${this.name}\nETCD_DATA_DIR=${DATA_DIR}\nETCD_INITIAL_ADVERTISE_PEER_URLS=${peer}\nETCD_ADVERTISE_CLIENT_URLS=${client}\nETCD_LISTEN_PEER_URLS=${peer}\nETCD_LISTEN_CLIENT_URLS=${client}\nETCD_INITIAL_CLUSTER=${initial}\nETCD_INITIAL_CLUSTER_TOKEN=${world.token}\nETCD_HEARTBEAT_INTERVAL=100\nETCD_INITIAL_CLUSTER_STATE=new\n${world.tls ? tls.join('') : ''}`;
  }

  /** It is what the app has written, under the names that its nodes have or those that they had. */
  private hasEnvOf(text = ''): boolean {
    const { dns } = this.world.domain;
    return (
      this.written.includes(text) ||
      [FIRST, SECOND].some((domain) => this.envText.replaceAll(dns, domain.dns) === text)
    );
  }

  /** What confd renders from the metadata. */
  appView(changes: Readonly<Record<string, string>> = {}): string {
    const all = this.world.sids.map((sid) => `${sid}=${addressOf(sid)}`).join(' ');
    const values = {
      MY_ROLE: 'etcd-node',
      MY_SID: `${this.sid}`,
      STABLE_NODES: all,
      ADDED_NODES: '',
      DELETED_NODES: '',
      IS_DELETED: 'false',
      ...(this.world.tls && {
        ETCD_ENABLE_TLS: 'true',
        ETCD_CLUSTER_DNS: this.world.domain.dns,
        HOSTS_DOMAIN_NAME: this.world.sids
          .map((sid) => `${addressOf(sid)} ${this.world.nameOf(sid)}`)
          .join(' '),
      }),
      ...changes,
    };
    return Object.entries(values)
      .map(([key, value]) => `${key}="${value}"\n`)
      .join('');
  }

  /** The root disk as the image has it, with what confd writes. */
  private layImage(): void {
    const files: Record<string, [string, Entry['rights']]> = {
      [PLACES.unitFile]: [UNIT_TEXT, this.unitRights],
      // In TLS mode as the image really has it: there, and empty.
      [PLACES.env]: [this.world.tls ? '' : this.envText, { ...ROOT_FILE, mode: 0o640, gid: 101 }],
      '/etc/hosts': ['127.0.0.1 localhost\n', ROOT_FILE],
      [PLACES.appEnv]: [this.appView(), ROOT_FILE],
      '/etc/fstab': ['/dev/vdc /var/lib/etcd ext4 defaults 0 0\n', ROOT_FILE],
      '/etc/passwd': ['etcd:x:100:101::/var/lib/etcd:/bin/false\n', ROOT_FILE],
      [`${UNIT_DIR}/${HEAL_UNIT}`]: ['[Service]\nExecStart=/opt/heal-node/bin/heal-node resume\n', ROOT_FILE],
    };
    for (const [path, [text, rights]] of Object.entries(files)) this.disk.set(path, { text, rights });
  }

  get data(): Data | undefined {
    return this.disk.entries.get(WAL)?.data;
  }

  putData(data: Data): void {
    this.disk.set(DATA_DIR, { rights: ETCD_RIGHTS });
    this.disk.set(WAL, { data, rights: ETCD_RIGHTS });
    this.disk.set(DB, { text: data.memberId, rights: ETCD_RIGHTS });
    this.disk.flush();
  }

  freeBytes(disk: DiskName): number {
    if (this.ailing[disk] === 'full') return 0;
    return this.capacity[disk] >= 1e12 ? 1e12 : this.capacity[disk] - this.disk.used(disk);
  }

  // --- processes ---

  killProcs(what?: string): void {
    for (const proc of [...this.procs])
      if (what === undefined ? proc.owner === 'ours' : proc.what === what) proc.kill();
  }

  /** Asks the gate before a start; `starts` or `refuses` is called with its answer. */
  asksGate(unit: string, starts: () => void, refuses: (why: string) => void): void {
    this.gateSilent = unit !== PLACES.unit || !this.gated || this.disk.has(PLACES.restored);
    if (unit === PLACES.unit) this.disk.delete(PLACES.restored);
    if (this.gateSilent) {
      starts();
      return;
    }
    // One that is killed has not said 3, and etcd starts.
    const proc = new Proc(this, 'gate', 'ours', () => {
      this.gateSilent = true;
      starts();
    });
    gate(this.world.world(this, proc)).then(
      (why) => {
        if (!proc.isAlive) return;
        proc.ends();
        if (why === undefined) starts();
        else {
          this.asksForHeal();
          refuses(why);
        }
      },
      () => starts(),
    );
  }

  /** A refusal asks for the heal there and then (src/cli/gate-command.ts). */
  private asksForHeal(): void {
    if (this.mode !== 'auto' || this.world.settings.healAtBoot !== 'on') return;
    this.world.spawn(this, 'gate asks', 60_000, ({ machine, places }) =>
      requestHeal({ machine, places }, 'gate').catch(() => undefined),
    );
  }

  /** Whether the data disk is there; only while the machine is off. */
  mounts(there: boolean): void {
    const { entries } = this.disk;
    if (!there && this.stash === undefined) {
      this.stash = [...entries].filter(([path]) => diskOf(path) === 'data');
      for (const [path] of this.stash) entries.delete(path);
    } else if (there && this.stash !== undefined) {
      for (const path of [...entries.keys()]) if (diskOf(path) === 'data') entries.delete(path);
      for (const [path, entry] of this.stash) entries.set(path, entry);
      this.stash = undefined;
    }
  }

  // --- etcd ---

  etcdStarts(unit: string, startedBy: string): void {
    startEtcd(this, unit, startedBy);
  }

  etcdGone(): void {
    const { etcd } = this;
    if (etcd === undefined) return;
    etcd.runs = false;
    this.etcd = undefined;
    this.world.raft.touch(50);
  }

  /** A process of etcd's is there, whether or not it takes part yet. */
  get etcdProcess(): boolean {
    return this.systemd.isUp(PLACES.unit) || this.systemd.isUp(PLACES.copyUnit);
  }

  /** A heal's copy of the unit has no limit for its start. */
  staysStarting(unit: string): boolean {
    return unit === PLACES.copyUnit && this.disk.list(PLACES.copyDropIns).length > 0;
  }

  // --- power ---

  powerOff(): void {
    if (!this.on) return;
    this.on = false;
    for (const proc of [...this.procs]) proc.kill();
    this.etcdGone();
    this.disk.delete('/run');
    const view = this.disk.entries.get(PLACES.appEnv)?.text;
    if (this.disk.powerLost(this.world.random)) this.world.happened('a write is torn');
    this.viewTorn ||= this.disk.entries.get(PLACES.appEnv)?.text !== view;
    // What was under way for a unit does not go on after the boot.
    this.systemd.forgetAll();
    this.shortShown = false;
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
    this.on = true;
    this.linkedMs = this.world.clock.nowMs;
    this.boots += 1;
    this.bootedMs = this.world.clock.nowMs;
    this.systemd.boot([PLACES.unit, HEAL_UNIT]);
    this.world.clock.after(CONFD_MS, () => {
      if (this.on && this.viewTorn) this.disk.set(PLACES.appEnv, { text: this.appView(), rights: ROOT_FILE });
      this.viewTorn &&= !this.on;
      return false;
    });
  }

  /** Whoever looks after it puts right what nothing of ours may. */
  getsWell(): void {
    Object.assign(this.ailing, well());
    const { entries } = this.disk;
    for (const [path, entry] of entries)
      if (entry.kind) {
        const { kind: _, ...whole } = entry;
        entries.set(path, whole);
      }
    const env = entries.get(PLACES.env);
    this.disk.set(PLACES.env, {
      rights: { ...ROOT_FILE, mode: 0o640, gid: 101 },
      ...env,
      // What the app has written last: its start, which could write anew, fails where the unit is aside.
      text: this.hasEnvOf(env?.text) ? (env?.text ?? '') : (this.written.at(-1) ?? this.envText),
    });
    this.disk.set(PLACES.appEnv, { text: this.appView(), rights: ROOT_FILE });
    this.disk.flush();
    if (this.etcd) this.etcd.hung = false;
    // An etcd that runs on data that are gone is restarted: nothing shows it while it serves.
    if (this.etcd && this.data === undefined) this.powerOff();
  }

  /** `systemctl`, typed by a person: what it says when it fails is theirs to read. */
  systemctl(words: readonly string[]): void {
    this.systemd.command(words, 'a person', () => undefined);
  }

  /** A verb of the app, typed by a person. */
  app(verb: string): void {
    void runVerb(this, verb as Verb);
  }
}
