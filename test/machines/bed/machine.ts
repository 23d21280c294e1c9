import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { sh, trySh, until } from './sh.ts';

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineSpec {
  readonly sid: number;
  readonly ip: string;
  /** Its own directory on the bed's tmpfs. */
  readonly dir: string;
  /** Overlay layers below the machine's own, the strongest first. */
  readonly layers: readonly string[];
  /** Files that are this machine's alone, by path; what confd and the image give it. */
  readonly ownFiles: Readonly<Record<string, string>>;
}

/** The machine's control groups: one in each hierarchy that systemd uses here. */
export function cgroups(name: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, , type, options]) => type === 'cgroup2' || (type === 'cgroup' && options?.includes('name=systemd')),
    )
    .map(([, mount]) => `${mount}/heal-node-bed-${name}`);
}

/** One machine: a systemd of its own under nspawn, with a root disk that can be reset and a data disk that stays. */
export class TestMachine {
  private initPid = 0;
  readonly sid: number;
  readonly ip: string;
  readonly name: string;
  readonly netns: string;
  /** The persistent disk, `/var/lib/etcd` inside. */
  readonly dataDisk: string;

  constructor(private readonly spec: MachineSpec) {
    this.sid = spec.sid;
    this.ip = spec.ip;
    this.name = `etcd${spec.sid}`;
    this.netns = `hn-${spec.sid}`;
    this.dataDisk = join(spec.dir, 'data');
  }

  get endpoint(): string {
    return `http://${this.ip}:2379`;
  }

  /** Holds the process ID of its PID 1, as the host sees it. */
  get pidFile(): string {
    return join(this.spec.dir, 'init.pid');
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
      rmSync(join(this.spec.dir, part), { recursive: true, force: true });
      mkdirSync(join(this.spec.dir, part), { recursive: true });
    }
    mkdirSync(this.dataDisk, { recursive: true });
    for (const [path, text] of Object.entries(this.spec.ownFiles)) {
      mkdirSync(dirname(join(this.spec.dir, 'upper', path)), { recursive: true });
      writeFileSync(join(this.spec.dir, 'upper', path), text);
    }
  }

  /** Boots; returns when systemd takes commands. */
  async powerOn(boots = true): Promise<void> {
    if (this.isOn) return;
    const { dir, layers } = this.spec;
    if (!existsSync(join(dir, 'upper'))) this.resetRootDisk();
    const root = join(dir, 'root');
    const options = `lowerdir=${layers.join(':')},upperdir=${join(dir, 'upper')},workdir=${join(dir, 'work')}`;
    await sh('mount', '-t', 'overlay', `heal-node-${this.sid}`, '-o', options, root);
    const console = { file: join(dir, 'console'), append: true };
    const words = [
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--kill-signal=SIGKILL',
      `--machine=hn-${this.sid}`,
      `--network-namespace-path=/run/netns/${this.netns}`,
      `--bind=${this.dataDisk}:/var/lib/etcd`,
      `--directory=${root}`,
      '--boot',
      'systemd.unit=multi-user.target',
    ];
    // A control group of its own: two systemds in one would each count the other's processes as theirs.
    const enter = cgroups(this.name).map((group) => `mkdir -p ${group}; echo $$ >${group}/cgroup.procs; `);
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
    this.initPid = await until(`${this.name} has a PID 1`, async () => {
      const children = (await trySh('ps', '-o', 'pid=,comm=', '--ppid', String(nspawnPid))) ?? '';
      return Number(/^\s*(\d+) systemd$/m.exec(children)?.[1]) || undefined;
    });
    writeFileSync(this.pidFile, String(this.initPid));
    await until(
      `${this.name} takes commands`,
      async () => (await this.run('systemctl', 'is-system-running')).stdout !== '' || undefined,
    );
    if (!boots) return;
    await until(`${this.name} has booted`, async () =>
      /running|degraded/.test((await this.run('systemctl', 'is-system-running')).stdout),
    );
  }

  /** Power loss: PID 1 is killed, and everything in the machine with it. */
  async powerOff(): Promise<void> {
    if (this.initPid > 0) {
      await trySh('kill', '-9', String(this.initPid));
      await until(`${this.name} is off`, async () => !existsSync(`/proc/${this.initPid}`) || undefined);
      const nspawnPid = readFileSync(join(this.spec.dir, 'nspawn.pid'), 'utf8');
      await until('nspawn has ended', async () => !existsSync(`/proc/${nspawnPid}`) || undefined);
      this.initPid = 0;
    }
    const root = join(this.spec.dir, 'root');
    await until(
      'its root is unmounted',
      async () =>
        (await trySh('mountpoint', '-q', root)) === undefined || (await trySh('umount', root)) !== undefined,
    );
  }

  /** Its network cable, cut or mended. */
  async cable(state: 'down' | 'up'): Promise<void> {
    await sh('ip', '-n', 'hn-lan', 'link', 'set', `v${this.sid}`, state);
  }

  /** Runs a program inside with a bare environment, as AppCenter does; never throws. */
  async run(program: string, ...words: readonly string[]): Promise<Ran> {
    return this.runFor(120_000, program, ...words);
  }

  /** The same, killed (with SIGKILL, as AppCenter does) after `limitMs`. */
  async runFor(limitMs: number, program: string, ...words: readonly string[]): Promise<Ran> {
    const inside = [
      'nsenter',
      '-t',
      String(this.initPid),
      '-a',
      '--',
      'env',
      '-i',
      'PATH=/usr/bin:/bin',
      program,
      ...words,
    ];
    const { exitCode, stdout, stderr } = await execa(
      'timeout',
      ['--signal=KILL', String(limitMs / 1000), ...inside],
      {
        stdin: 'ignore',
        reject: false,
      },
    );
    return { code: exitCode, stdout, stderr };
  }

  /** The same through a shell; throws when it fails. */
  async sh(script: string): Promise<string> {
    const ran = await this.run('sh', '-c', script);
    if (ran.code !== 0)
      throw new Error(`${this.name}: ${script}: exit ${ran.code}: ${ran.stderr || ran.stdout}`);
    return ran.stdout;
  }

  /** A path of the root disk as the host sees it; written only while the machine is off. */
  onRootDisk(path: string): string {
    return join(this.spec.dir, this.isOn ? 'root' : 'upper', path);
  }
}
