import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot } from './base-root.ts';
import { whyNoMachines } from './host.ts';
import { takeLock } from './lock.ts';
import { cgroups, type MachineSpec, TestMachine } from './machine.ts';
import { sh, trySh, until } from './sh.ts';

const BED = '/run/heal-node-bed';
const LAN = 'hn-lan';
const TOP = join(import.meta.dirname, '../../..');

export interface BedOptions {
  readonly members?: 3 | 5 | 7;
  /** Also a node whose role is proxy. */
  readonly proxy?: boolean;
  /** Changes the image all machines share, given its directory, before they boot. */
  readonly image?: (dir: string) => void | Promise<void>;
  readonly tell?: (line: string) => void;
}

const ip = (sid: number): string => `10.77.0.${10 + sid}`;

/** The bed's machines, and the network between them, which reaches nowhere else. */
export class Bed {
  private constructor(
    readonly machines: readonly TestMachine[],
    readonly root: string,
    private readonly unlock: () => Promise<void>,
  ) {}

  /** Boots the machines; nothing of the app runs in them yet. */
  static async boot(options: BedOptions = {}): Promise<Bed> {
    const why = whyNoMachines();
    if (why !== undefined) throw new Error(why);
    const { members = 3, proxy = false, tell = () => undefined } = options;
    const unlock = await takeLock(tell);
    try {
      await sweep();
      const root = await baseRoot(tell);
      mkdirSync(BED, { recursive: true });
      await sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'heal-node-bed', BED);
      const image = join(BED, 'image');
      await makeImage(image);
      await options.image?.(image);
      await sh('ip', 'netns', 'add', LAN);
      await sh('ip', '-n', LAN, 'link', 'add', 'br0', 'type', 'bridge');
      await sh('ip', '-n', LAN, 'addr', 'add', '10.77.0.1/24', 'dev', 'br0');
      await sh('ip', '-n', LAN, 'link', 'set', 'br0', 'up');
      await sh('ip', '-n', LAN, 'link', 'set', 'lo', 'up');
      const sids = Array.from({ length: members }, (_, i) => i + 1);
      const stable = sids.map((sid) => `${sid}=${ip(sid)}`).join(' ');
      const machines: TestMachine[] = [];
      for (const sid of proxy ? [...sids, members + 1] : sids) {
        const role = sid > members ? 'etcd-proxy' : 'etcd-node';
        machines.push(await makeMachine(sid, role, stable, [image, root]));
      }
      const bed = new Bed(machines, root, unlock);
      await Promise.all(machines.map((machine) => machine.powerOn()));
      return bed;
    } catch (error) {
      await sweep().catch((left: Error) => tell(`Not all was cleaned up: ${left.message}`));
      await unlock();
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
    await sweep();
    await this.unlock();
  }

  /** Leaves the machines up when this process ends. */
  async leave(): Promise<void> {
    await this.unlock();
  }

  /** etcdctl from beside the machines; throws with what it said. */
  async etcdctl(endpoints: readonly string[], ...words: readonly string[]): Promise<string> {
    const argv = [
      'netns',
      'exec',
      LAN,
      'chroot',
      this.root,
      'etcdctl',
      `--endpoints=${endpoints.join(',')}`,
      ...words,
    ];
    return sh('ip', ...argv);
  }
}

async function makeImage(image: string): Promise<void> {
  const app = join(TOP, 'test/machines/app');
  for (const dir of ['opt/app/bin', 'opt/app/conf', 'etc/systemd/system'])
    mkdirSync(join(image, dir), { recursive: true });
  cpSync(join(app, 'ctl.sh'), join(image, 'opt/app/bin/ctl.sh'));
  cpSync(join(app, 'etcd.service'), join(image, 'etc/systemd/system/etcd.service'));
  await sh(join(TOP, 'dist/heal-node'), 'install', '--root', image);
}

async function makeMachine(
  sid: number,
  role: string,
  stable: string,
  layers: readonly string[],
): Promise<TestMachine> {
  const netns = `hn-${sid}`;
  await sh('ip', 'netns', 'add', netns);
  await sh(
    'ip',
    'link',
    'add',
    `v${sid}`,
    'netns',
    LAN,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    netns,
  );
  await sh('ip', '-n', netns, 'addr', 'add', `${ip(sid)}/24`, 'dev', 'eth0');
  await sh('ip', '-n', netns, 'link', 'set', 'eth0', 'up');
  await sh('ip', '-n', netns, 'link', 'set', 'lo', 'up');
  await sh('ip', '-n', LAN, 'link', 'set', `v${sid}`, 'master', 'br0', 'up');
  const env = [
    'CLUSTER_ID=cl-healnode',
    `MY_ROLE=${role}`,
    `MY_SID=${sid}`,
    `MY_IP=${ip(sid)}`,
    `STABLE_NODES="${stable}"`,
    `ALL_NODES="${stable}"`,
    'ADDED_NODES=""',
    'DELETED_NODES=""',
    'IS_ADDED=false',
    'IS_DELETED=false',
    'ETCD_ENABLE_TLS=false',
    'ETCD_CLUSTER_DNS=',
    '',
  ].join('\n');
  const spec: MachineSpec = {
    sid,
    ip: ip(sid),
    dir: join(BED, String(sid)),
    layers,
    ownFiles: { 'opt/app/bin/.env': env, 'etc/hostname': `etcd${sid}\n` },
  };
  mkdirSync(spec.dir, { recursive: true });
  return new TestMachine(spec);
}

/** Ends what a bed has made, this one or one whose run was killed. Does nothing where there is nothing. */
export async function sweep(): Promise<void> {
  for (const sid of existsSync(BED) ? readdirSync(BED).filter((name) => /^\d+$/.test(name)) : []) {
    for (const [file, mark] of [
      ['init.pid', 'systemd'],
      ['nspawn.pid', 'systemd-nspawn'],
    ] as const) {
      const path = join(BED, sid, file);
      const pid = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
      // The number may have been given to another process meanwhile.
      const argv =
        pid && existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
      if (argv.includes(mark)) await trySh('kill', '-9', pid);
      if (pid)
        await until(
          `process ${pid} has ended`,
          async () => !existsSync(`/proc/${pid}`) || !argv.includes(mark) || undefined,
        );
    }
    await trySh('umount', join(BED, sid, 'root'));
    // Deepest first; a control group is removed like a directory, and only when it is empty.
    for (const group of cgroups(`etcd${sid}`)) {
      await until(`${group} is removed`, async () => {
        await trySh('find', group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';');
        return !existsSync(group);
      });
    }
  }
  for (const line of ((await trySh('ip', 'netns', 'list')) ?? '').split('\n')) {
    const name = line.split(' ')[0] ?? '';
    if (name === LAN || /^hn-\d+$/.test(name)) {
      const pids = ((await trySh('ip', 'netns', 'pids', name)) ?? '').split('\n').filter(Boolean);
      for (const pid of pids) await trySh('kill', '-9', pid);
    }
  }
  for (const sid of [1, 2, 3, 4, 5, 6, 7, 8]) await trySh('ip', '-n', LAN, 'link', 'del', `v${sid}`);
  for (const line of ((await trySh('ip', 'netns', 'list')) ?? '').split('\n')) {
    const name = line.split(' ')[0] ?? '';
    if (name === LAN || /^hn-\d+$/.test(name)) await trySh('ip', 'netns', 'del', name);
  }
  if ((await trySh('mountpoint', '-q', BED)) !== undefined) {
    await until('the bed is unmounted', async () => (await trySh('umount', '-R', BED)) !== undefined);
  }
  rmSync(BED, { recursive: true, force: true });
}
