import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { cgroups, slowDown, whyNotSlowed } from './cgroups.ts';
import { ipOf, type Lan } from './lan.ts';
import { isMounted } from './mounts.ts';
import { endProcess, sh, trySh, until } from './sh.ts';
import type { Slot } from './slot.ts';

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
  /** It was killed because it had run for as long as it may. */
  readonly overdue: boolean;
}

export interface MachineSpec {
  readonly slot: Slot;
  readonly lan: Lan;
  readonly sid: number;
  /** Its etcd is called by TLS. */
  readonly tls: boolean;
  /** How often its data disk, then a file system in a file, is written at most; as often as it can when left out. */
  readonly writesPerSec: number | undefined;
  /** Overlay layers below the machine's own, the strongest first. */
  readonly layers: readonly string[];
  /** Files that are this machine's alone, by path; what confd and the image give it. */
  readonly ownFiles: Readonly<Record<string, string>>;
}

export const HOOKS = '/opt/heal-node/bin';

/** `cluster.json` (docs/platform.md): a hook that takes longer is killed. Of `start` and `stop` it allows a day. */
export const HOOK_LIMIT_MS = {
  'health-check': 10_000,
  'health-action': 60_000,
  start: 300_000,
  stop: 300_000,
} as const;
/** Of what confd calls nothing is said; a change of names takes minutes. */
const CONFD_LIMIT_MS = 600_000;
export type Hook = keyof typeof HOOK_LIMIT_MS;

/** The child of that name of a process. */
function childOf(pid: number, program: string): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children
      .map(Number)
      .find((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === program);
  } catch {
    return undefined;
  }
}

/** One machine: a systemd of its own under nspawn, with a root disk that can be reset and a data disk that stays. */
export class TestMachine {
  private initPid = 0;
  readonly sid: number;
  readonly ip: string;
  readonly name: string;
  /** The persistent disk, `/var/lib/etcd` inside: a file system of its own. */
  readonly dataDisk: string;
  /** Its own directory in the slot's. */
  private readonly dir: string;

  /** Its etcd is called by TLS, which the app may switch on and off. */
  tls: boolean;

  constructor(private readonly spec: MachineSpec) {
    this.tls = spec.tls;
    this.sid = spec.sid;
    this.ip = ipOf(spec.sid);
    this.name = `etcd${spec.sid}`;
    this.dir = join(spec.slot.dir, String(spec.sid));
    this.dataDisk = join(this.dir, 'data');
  }

  get endpoint(): string {
    return `${this.tls ? 'https' : 'http'}://${this.ip}:2379`;
  }

  /** A folder of all machines: what the app's nodes send each other by ssh and scp goes through it. */
  private get shared(): string {
    return join(this.spec.slot.dir, 'nodes');
  }

  /** Holds the process ID of its PID 1, as the host sees it. */
  get pidFile(): string {
    return join(this.dir, 'init.pid');
  }

  /** Of its PID 1, as the host sees it. */
  get pid(): number {
    return this.initPid;
  }

  get isOn(): boolean {
    return this.initPid > 0 && existsSync(`/proc/${this.initPid}`);
  }

  /** A fresh root disk, as the image has it, with this machine's own files on it. */
  resetRootDisk(): void {
    for (const part of ['upper', 'work', 'root']) {
      rmSync(join(this.dir, part), { recursive: true, force: true });
      mkdirSync(join(this.dir, part), { recursive: true });
    }
    for (const [path, text] of Object.entries(this.spec.ownFiles)) {
      mkdirSync(dirname(join(this.dir, 'upper', path)), { recursive: true });
      writeFileSync(join(this.dir, 'upper', path), text);
    }
  }

  /** Its disks, as they come from the factory: the root disk as the image has it, the data disk empty. */
  async make(): Promise<void> {
    mkdirSync(this.dataDisk, { recursive: true });
    mkdirSync(this.shared, { recursive: true });
    const { slot, sid, writesPerSec } = this.spec;
    if (writesPerSec === undefined) {
      const name = `heal-node-data-${slot.number}-${sid}`;
      await sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', name, this.dataDisk);
    } else {
      const why = whyNotSlowed();
      if (why !== undefined) throw new Error(why);
      const disk = join(this.dir, 'disk');
      await sh('truncate', '-s', '1G', disk);
      await sh('mkfs.ext4', '-q', disk);
      // Its loop device goes with the mount (mount(8), autoclear).
      await sh('mount', '-o', 'loop', disk, this.dataDisk);
    }
    this.resetRootDisk();
  }

  /**
   * Boots.
   *
   * @param boots returns when everything is up that starts at boot; else as soon as systemd takes commands
   * @param mounts the data disk is mounted; else what stands at its place is the root disk's
   */
  async powerOn(boots = true, mounts = true): Promise<void> {
    if (this.isOn) return;
    const { slot, sid, lan, layers, writesPerSec } = this.spec;
    const { dir } = this;
    const root = join(dir, 'root');
    const options = `lowerdir=${layers.join(':')},upperdir=${join(dir, 'upper')},workdir=${join(dir, 'work')}`;
    await sh('mount', '-t', 'overlay', `heal-node-${slot.number}-${sid}`, '-o', options, root);
    await lan.plugIn(sid);
    const console = { file: join(dir, 'console'), append: true };
    const words = [
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--kill-signal=SIGKILL',
      `--machine=${slot.netns(sid)}`,
      `--network-namespace-path=/run/netns/${slot.netns(sid)}`,
      ...(mounts ? [`--bind=${this.dataDisk}:/var/lib/etcd`] : []),
      `--bind=${this.shared}:/srv/nodes`,
      `--directory=${root}`,
      '--boot',
      'systemd.unit=multi-user.target',
    ];
    // A control group of its own: two systemds in one would each count the other's processes as theirs.
    const groups = cgroups(slot, sid);
    for (const group of groups) mkdirSync(group, { recursive: true });
    if (writesPerSec !== undefined) slowDown(slot, sid, this.dataDisk, writesPerSec);
    const enter = groups.map((group) => `echo $$ >${group}/cgroup.procs; `);
    const nspawn = execa(
      'sh',
      ['-c', `${enter.join('')}exec systemd-nspawn "$@"`, 'systemd-nspawn', ...words],
      {
        stdin: 'ignore',
        stdout: console,
        stderr: console,
        reject: false,
        // It outlives us: a run that is killed is swept by the next, and `--keep` leaves the machines up.
        cleanup: false,
        detached: true,
      },
    );
    const nspawnPid = nspawn.pid ?? 0;
    writeFileSync(join(dir, 'nspawn.pid'), String(nspawnPid));
    this.initPid = await until(
      `${this.name} has a PID 1`,
      async () => childOf(nspawnPid, 'systemd'),
      180_000,
      10,
    );
    writeFileSync(this.pidFile, String(this.initPid));
    await until(
      `${this.name} takes commands`,
      async () => existsSync(`/proc/${this.initPid}/root/run/systemd/private`),
      180_000,
      20,
    );
    // Not before the jobs of the boot are there: nobody calls the app in its first tenth of a second.
    await until(
      `${this.name} boots`,
      async () => /starting|running|degraded/.test((await this.run('systemctl', 'is-system-running')).stdout),
      180_000,
      100,
    );
    if (!boots) return;
    const { stdout } = await this.run('systemctl', 'is-system-running', '--wait');
    if (!/running|degraded/.test(stdout)) throw new Error(`${this.name} has not booted: ${stdout}`);
  }

  /**
   * Power loss: PID 1 is killed, and everything in the machine with it. Its cable goes first, so that nobody hears
   * its kernel close its connections: to the others a machine without power is silent.
   */
  async powerOff(): Promise<void> {
    const { lan, sid } = this.spec;
    if (this.initPid > 0) {
      await lan.cable(sid, 'down');
      endProcess(this.initPid);
      await until(`${this.name} is off`, async () => !existsSync(`/proc/${this.initPid}`), 60_000, 10);
      const nspawnPid = readFileSync(join(this.dir, 'nspawn.pid'), 'utf8');
      await until('nspawn has ended', async () => !existsSync(`/proc/${nspawnPid}`), 60_000, 10);
      this.initPid = 0;
    }
    await lan.unplug(sid);
    const root = join(this.dir, 'root');
    await until(
      'its root is unmounted',
      async () => !isMounted(root) || (await trySh('umount', root)) !== undefined,
    );
  }

  /** Its network cable, cut or mended. */
  async cable(state: 'down' | 'up'): Promise<void> {
    await this.spec.lan.cable(this.sid, state);
  }

  /** Runs a program inside with a bare environment, as AppCenter does; never throws. */
  async run(program: string, ...words: readonly string[]): Promise<Ran> {
    return this.runFor(120_000, program, ...words);
  }

  /** The same, killed (with SIGKILL, as AppCenter does) after `limitMs`. */
  async runFor(limitMs: number, program: string, ...words: readonly string[]): Promise<Ran> {
    const beganMs = Date.now();
    const child = execa('nsenter', ['-t', String(this.initPid), '-a', '--', program, ...words], {
      stdin: 'ignore',
      reject: false,
      env: { PATH: '/usr/bin:/bin' },
      extendEnv: false,
      // A process group of its own: nsenter waits for what it has started, and both are killed.
      detached: true,
    });
    let overdue = false;
    const limit = setTimeout(() => {
      overdue = child.pid !== undefined && endProcess(-child.pid);
    }, limitMs);
    const { exitCode, stdout, stderr } = await child;
    clearTimeout(limit);
    return { code: exitCode, stdout, stderr, tookMs: Date.now() - beganMs, overdue };
  }

  /**
   * Calls a hook as AppCenter does, under the limit that `cluster.json` sets for it.
   *
   * @throws Error when the hook had to be killed at its limit: no hook may ever take that long
   */
  async hook(name: Hook): Promise<Ran> {
    const ran = await this.runFor(HOOK_LIMIT_MS[name], `${HOOKS}/${name}`);
    if (ran.overdue)
      throw new Error(`${this.name}: ${name} was killed after ${ran.tookMs} ms: ${ran.stdout}`);
    return ran;
  }

  /** Runs the operator's command; never throws. */
  async cli(...words: readonly string[]): Promise<Ran> {
    return this.run(`${HOOKS}/heal-node`, ...words);
  }

  /** The same with `--json`, and what it printed. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads of it what it asserts.
  async cliJson(...words: readonly string[]): Promise<any> {
    const { stdout, stderr, code } = await this.cli(...words, '--json');
    if (stdout === '')
      throw new Error(`${this.name}: heal-node ${words.join(' ')} printed nothing, exit ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /**
   * What confd does when the metadata change: renders the app's view of the cluster anew, and calls the app's
   * `update`. Never throws.
   *
   * @param changes shell assignments of `.env` by their names; what has changed is told with them unless it is given
   */
  async confd(changes: Readonly<Record<string, string>>): Promise<Ran> {
    const env = '/opt/app/bin/.env';
    const view = (await this.run('cat', env)).stdout;
    const told = Object.entries(changes).flatMap(([key, value]) => {
      const [, was = ''] = new RegExp(`^${key}="?(.*?)"?$`, 'm').exec(view) ?? [];
      return was === value ? [] : [`${key}=${was}`, `${key}=${value}`];
    });
    const edits = Object.entries({ CHANGED_VARS: told.join(' '), ...changes }).map(
      ([key, value]) => `-e 's|^${key}=.*|${key}="${value}"|'`,
    );
    return this.runFor(
      CONFD_LIMIT_MS,
      'sh',
      '-c',
      `sed ${edits.join(' ')} ${env} >${env}.new && mv ${env}.new ${env} && /opt/app/bin/ctl.sh update`,
    );
  }

  /** The same through a shell; throws when it fails. */
  async sh(script: string): Promise<string> {
    const ran = await this.run('sh', '-c', script);
    if (ran.code !== 0)
      throw new Error(`${this.name}: ${script}: exit ${ran.code}: ${ran.stderr || ran.stdout}`);
    return ran.stdout;
  }

  /** Takes its data disk away, off, and gives it a fresh one in its place: empty, and root's. */
  freshDataDisk(): void {
    if (this.isOn) throw new Error(`${this.name} is on`);
    for (const name of readdirSync(this.dataDisk))
      rmSync(join(this.dataDisk, name), { recursive: true, force: true });
    chownSync(this.dataDisk, 0, 0);
  }

  /** A path of the root disk as the host sees it; written only while the machine is off. */
  onRootDisk(path: string): string {
    return join(this.dir, this.isOn ? 'root' : 'upper', path);
  }
}
