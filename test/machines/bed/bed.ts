import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot, type Suite } from './base-root.ts';
import { Client, type ClientOptions } from './client.ts';
import { whyNoMachines } from './host.ts';
import { maskIdle } from './idle.ts';
import { inLan } from './in-lan.ts';
import { type Distance, ipOf, Lan } from './lan.ts';
import type { Release } from './lock.ts';
import { TestMachine } from './machine.ts';
import { sh } from './sh.ts';
import { type Slot, takeSlot } from './slot.ts';
import { sweep } from './sweep.ts';

const TOP = join(import.meta.dirname, '../../..');

export interface BedOptions {
  readonly members?: number;
  /** The Debian release of the machines: bookworm when left out. */
  readonly suite?: Suite;
  /** The members show certificates, and want to see a client's: those that the app makes. */
  readonly tls?: true;
  /** How far the machines are from each other: next to each other when left out. */
  readonly distance?: Distance;
  /** How often each machine may write to its data disk at most: as often as it can when left out. */
  readonly writesPerSec?: number;
  /** Also a node whose role is proxy. */
  readonly proxy?: boolean;
  /** What confd renders into the app's view of every node, besides or instead of the usual. */
  readonly appEnv?: Readonly<Record<string, string>>;
  /** Without heal-node: who boots it installs it. */
  readonly bare?: true;
  /** Changes the image all machines share, given its directory, before they boot. */
  readonly image?: (dir: string) => void | Promise<void>;
  /** With all that runs at a boot and at a reload as the distribution has it: for the bench, which times them. */
  readonly asShipped?: true;
  readonly tell?: (line: string) => void;
}

/** The bed's machines, and the network between them, which reaches nowhere else. */
export class Bed {
  /** The etcd user that clients beside the machines are, as `name:password`; empty without authentication. */
  user = '';

  private constructor(
    readonly machines: readonly TestMachine[],
    readonly slot: Slot,
    private readonly root: string,
    private readonly release: Release,
    private tls: boolean,
  ) {}

  /** Boots the machines; nothing of the app runs in them yet. */
  static async boot(options: BedOptions = {}): Promise<Bed> {
    const why = whyNoMachines();
    if (why !== undefined) throw new Error(why);
    const { members = 3, proxy = false, tls = false, appEnv = {}, tell = () => undefined } = options;
    const root = await baseRoot(tell, options.suite);
    const { slot, release } = await takeSlot(tell);
    try {
      await sweep(slot);
      mkdirSync(slot.dir, { recursive: true });
      await sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', slot.group, slot.dir);
      const image = join(slot.dir, 'image');
      await makeImage(image, options.bare);
      if (!options.asShipped) maskIdle(image);
      await options.image?.(image);
      const lan = new Lan(slot);
      await lan.make();
      if (options.distance) await lan.moveApart(options.distance, members);
      const sids = Array.from({ length: members }, (_, i) => i + 1);
      const stable = sids.map((sid) => `${sid}=${ipOf(sid)}`).join(' ');
      const machines = (proxy ? [...sids, members + 1] : sids).map((sid) => {
        const files = ownFiles(sid, sid > members ? 'etcd-proxy' : 'etcd-node', stable, appEnv);
        return new TestMachine({
          slot,
          lan,
          sid,
          tls,
          writesPerSec: options.writesPerSec,
          layers: [image, root],
          ownFiles: files,
        });
      });
      await Promise.all(machines.map((machine) => machine.make()));
      // All have come to an end before anything is swept.
      const boots = await Promise.allSettled(machines.map((machine) => machine.powerOn()));
      const failed = boots.find((boot) => boot.status === 'rejected');
      if (failed) throw failed.reason;
      return new Bed(machines, slot, root, release, tls);
    } catch (error) {
      await sweep(slot).catch((left: Error) => tell(`Not all was cleaned up: ${left.message}`));
      await release();
      throw error;
    }
  }

  machine(sid: number): TestMachine {
    const machine = this.machines[sid - 1];
    if (machine === undefined) throw new Error(`there is no machine ${sid}`);
    return machine;
  }

  /** Ends everything by its ID: machines, mounts, namespaces, the lock. */
  async down(): Promise<void> {
    await sweep(this.slot).finally(this.release);
  }

  /** Leaves the machines up when this process ends. */
  async leave(): Promise<void> {
    await this.release();
  }

  /** Runs a script of ours in the machines' network, beside them, and tells every line that it prints as it comes. */
  inLan(script: string, words: readonly string[], onLine: (line: string) => void) {
    return inLan(this.slot, script, words, onLine);
  }

  /** A client beside the machines that writes to them, or to those that are given, from now on. */
  client(options: ClientOptions = {}): Client {
    return new Client(this, options);
  }

  /** From now on the members are called by TLS, or without: by the certificates that the app has made last. */
  speakTls(tls: boolean): void {
    this.tls = tls;
    for (const machine of this.machines) machine.tls = tls;
    rmSync(join(this.slot.dir, 'client'), { recursive: true, force: true });
  }

  /** The client's certificates that the app has made first, where the bed is in TLS mode; else undefined. */
  clientCertificates(): string | undefined {
    if (!this.tls) return undefined;
    const dir = join(this.slot.dir, 'client');
    if (existsSync(dir)) return dir;
    const made = this.machines
      .map(({ dataDisk }) => join(dataDisk, 'ssl/etcd'))
      .find((from) => existsSync(join(from, 'client-key.pem')));
    if (made === undefined) throw new Error('no machine has certificates yet');
    cpSync(made, dir, { recursive: true });
    return dir;
  }

  /** etcdctl from beside the machines; throws with what it said. */
  async etcdctl(endpoints: readonly string[], ...words: readonly string[]): Promise<string> {
    const certificates = this.clientCertificates();
    const argv = [
      'netns',
      'exec',
      this.slot.lan,
      'sh',
      '-c',
      // ip(8) has made a mount namespace for it.
      'test -z "$2" || mount --bind "$2" "$1/mnt"; root=$1; shift 2; ETCDCTL_API=3 exec chroot "$root" /opt/etcd/current/etcdctl "$@"',
      'sh',
      this.root,
      certificates ?? '',
      `--endpoints=${endpoints.join(',')}`,
      ...(certificates
        ? ['--cacert=/mnt/ca.pem', '--cert=/mnt/client.pem', '--key=/mnt/client-key.pem']
        : []),
      // By their addresses, which their certificates do not name.
      ...(certificates ? ['--insecure-skip-tls-verify'] : []),
      ...(this.user ? [`--user=${this.user}`] : []),
      ...words,
    ];
    return sh('ip', ...argv);
  }
}

async function makeImage(image: string, bare = false): Promise<void> {
  const app = join(TOP, 'test/machines/app');
  for (const dir of ['opt/app/bin', 'opt/app/conf', 'etc/systemd/system'])
    mkdirSync(join(image, dir), { recursive: true });
  cpSync(join(app, 'ctl.sh'), join(image, 'opt/app/bin/ctl.sh'));
  for (const unit of ['etcd.service', 'etcd-standalone.service'])
    cpSync(join(app, unit), join(image, 'etc/systemd/system', unit));
  // Machines of one core, as the smallest nodes are: a Go program on many cores wakes threads all the time.
  mkdirSync(join(image, 'etc/systemd/system.conf.d'));
  writeFileSync(
    join(image, 'etc/systemd/system.conf.d/one-core.conf'),
    '[Manager]\nDefaultEnvironment=GOMAXPROCS=1\n',
  );
  if (!bare) await sh(join(TOP, 'dist/heal-node'), 'install', '--root', image);
}

/** What confd renders for a node, and its name. */
function ownFiles(
  sid: number,
  role: string,
  stable: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const env = {
    CLUSTER_ID: 'cl-healnode',
    MY_ROLE: role,
    MY_SID: sid,
    MY_IP: ipOf(sid),
    STABLE_NODES: stable,
    ALL_NODES: stable,
    ADDED_NODES: '',
    DELETED_NODES: '',
    IS_ADDED: false,
    IS_DELETED: false,
    CHANGED_VARS: '',
    ETCD_ENABLE_TLS: false,
    ETCD_CLUSTER_DNS: '',
    ETCD_QUOTA_BYTES: 2147483648,
    ETCD_ELECTION_TIMEOUT: 1000,
    ...more,
  };
  const lines = Object.entries(env).map(([key, value]) =>
    key.endsWith('_NODES') || `${value}`.includes(' ') ? `${key}="${value}"\n` : `${key}=${value}\n`,
  );
  return { 'opt/app/bin/.env': lines.join(''), 'etc/hostname': `etcd${sid}\n` };
}
