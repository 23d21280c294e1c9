import { appendFileSync, cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot } from '../bed/base-root.ts';
import type { Bed, BedOptions } from '../bed/bed.ts';
import { ipOf } from '../bed/lan.ts';
import type { TestMachine } from '../bed/machine.ts';
import { createCluster, notAtFirstBoot } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { inTls, metadataService } from '../bed/tls.ts';
import { nameless, withIntermediate } from './certificates.ts';
import type { Kind } from './row.ts';

const VIEW = '/opt/app/bin/.env';
/** A bed is used for many heals, and by nobody who would ask why. */
const settings =
  (...lines: readonly string[]): NonNullable<BedOptions['image']> =>
  (dir) =>
    appendFileSync(
      join(dir, 'opt/app/conf/heal-node.env'),
      `${['HEAL_MAX_PER_DAY=100', ...lines].join('\n')}\n`,
    );

const nodes = (sids: readonly number[]): string => sids.map((sid) => `${sid}=${ipOf(sid)}`).join(' ');

/** What confd renders into the app's view of a node. */
async function view(machine: TestMachine, changes: Readonly<Record<string, string>>): Promise<void> {
  const edits = Object.entries(changes).map(([key, value]) => `-e 's|^${key}=.*|${key}="${value}"|'`);
  await machine.sh(`sed -i ${edits.join(' ')} ${VIEW}`);
}

async function start(machines: readonly TestMachine[]): Promise<void> {
  for (const { code, stdout, stderr } of await Promise.all(machines.map((each) => each.hook('start'))))
    if (code !== 0) throw new Error(`start failed with ${code}: ${stdout} ${stderr}`);
}

const healthy = (machine: TestMachine): Promise<boolean> =>
  until(`${machine.name} is healthy`, async () => (await machine.hook('health-check')).code === 0);

async function restartInTurn(machines: readonly TestMachine[]): Promise<void> {
  for (const each of machines) {
    await each.sh('/opt/app/bin/ctl.sh restart');
    await healthy(each);
  }
}

const founded = (members: number): Kind => ({
  name: members === 1 ? 'a single member' : `${members} members`,
  options: { members, image: settings() },
});
export const [one, three, five, seven, nine] = [1, 3, 5, 7, 9].map(founded) as [Kind, Kind, Kind, Kind, Kind];

/** Founded by three, to which the app has added two. */
async function scaleOut(bed: Bed): Promise<void> {
  const [founders, added] = [bed.machines.slice(0, 3), bed.machines.slice(3)];
  const joining = nodes(added.map(({ sid }) => sid));
  await start(founders);
  for (const each of founders) await view(each, { ADDED_NODES: joining });
  for (const each of added) await view(each, { ADDED_NODES: joining, IS_ADDED: 'true' });
  await start(added);
  const all = nodes(bed.machines.map(({ sid }) => sid));
  for (const each of bed.machines) {
    await view(each, { STABLE_NODES: all, ALL_NODES: all, ADDED_NODES: '', IS_ADDED: 'false' });
    await healthy(each);
  }
}

const threeOfFive: BedOptions = {
  members: 5,
  appEnv: { STABLE_NODES: nodes([1, 2, 3]), ALL_NODES: nodes([1, 2, 3]) },
  image: settings(),
};

export const scaledOut: Kind = {
  name: 'scaled out from 3 to 5, restarted since',
  options: threeOfFive,
  found: async (bed) => {
    await scaleOut(bed);
    await restartInTurn(bed.machines);
    return {};
  },
};

export const olderList: Kind = {
  name: 'scaled out from 3 to 5, etcd.env of the founders lists 3',
  options: threeOfFive,
  found: async (bed) => {
    await scaleOut(bed);
    return {};
  },
};

export const scaledIn: Kind = {
  name: 'scaled in from 5 to 3, etcd.env lists 5',
  options: { members: 5, image: settings() },
  found: async (bed) => {
    await createCluster(bed);
    const [stay, go] = [bed.machines.slice(0, 3), bed.machines.slice(3)];
    const gone = nodes(go.map(({ sid }) => sid));
    for (const each of bed.machines) await view(each, { DELETED_NODES: gone });
    for (const each of go) await view(each, { IS_DELETED: 'true' });
    // `member remove` is refused for a moment after a start (docs/platform.md); its own retries wait for that.
    await Promise.all(go.map((each) => each.sh('/opt/app/bin/ctl.sh destroy')));
    for (const each of go) await each.powerOff();
    const all = nodes(stay.map(({ sid }) => sid));
    for (const each of stay) {
      await view(each, { STABLE_NODES: all, ALL_NODES: all, DELETED_NODES: '' });
      await healthy(each);
    }
    return { members: stay };
  },
};

/** The app's own certificates, and what the platform has besides. */
async function foundInTls(bed: Bed): Promise<{ readonly end: () => Promise<void> }> {
  const end = await metadataService(bed);
  try {
    await createCluster(bed);
  } catch (error) {
    await end();
    throw error;
  }
  return { end };
}

export const tls: Kind = {
  name: '3 members, TLS with client certificates',
  options: inTls(3, settings()),
  found: foundInTls,
};

const PASSWORD_FILE = '/opt/app/conf/etcd-password';
const PASSWORD = 'kinds-secret';
const CREDENTIALS = ['HEAL_ETCD_USER=root', `HEAL_ETCD_PASSWORD_FILE=${PASSWORD_FILE}`];

async function enableAuthentication(bed: Bed, user?: string): Promise<void> {
  const ctl = (...words: readonly string[]) => bed.etcdctl([bed.machine(1).endpoint], ...words);
  await ctl('user', 'add', `root:${PASSWORD}`);
  await ctl('role', 'add', 'root');
  await ctl('user', 'grant-role', 'root', 'root');
  if (user !== undefined) {
    await ctl('user', 'add', user, '--no-password');
    await ctl('user', 'grant-role', user, 'root');
  }
  await ctl('auth', 'enable');
  bed.user = `root:${PASSWORD}`;
}

export const authentication: Kind = {
  name: '3 members, authentication, credentials set',
  options: {
    image: async (dir) => {
      await settings(...CREDENTIALS)(dir);
      writeFileSync(join(dir, PASSWORD_FILE), `${PASSWORD}\n`, { mode: 0o600 });
    },
  },
  found: async (bed) => {
    await createCluster(bed);
    await enableAuthentication(bed);
    return {};
  },
};

export const rootCertificate: Kind = {
  name: '3 members, TLS, authentication by a root client certificate',
  options: inTls(3, settings()),
  found: async (bed) => {
    const ground = await foundInTls(bed);
    // The common name of the app's client certificate is `client` (etcd, auth by certificate).
    await enableAuthentication(bed, 'client');
    await nameless(bed);
    return ground;
  },
};

const far = (roundTripMs: number, lossPercent: number): Kind => ({
  name: `3 members, ${roundTripMs} ms${lossPercent > 0 ? ` and ${lossPercent} % loss` : ''} between them`,
  options: { distance: { delayMs: roundTripMs / 2, lossPercent }, image: settings() },
});
export const lossy = far(50, 1);
export const distant = far(200, 0);

export const intermediate: Kind = {
  name: '3 members, TLS, certificates of an intermediate authority',
  options: inTls(3, settings()),
  found: async (bed) => {
    await withIntermediate(bed);
    return foundInTls(bed);
  },
};

/** The fourth node has been added as a learner, by hand, and never promoted. */
export const learner: Kind = {
  name: '3 members and a learner',
  options: {
    members: 4,
    appEnv: { STABLE_NODES: nodes([1, 2, 3]), ALL_NODES: nodes([1, 2, 3]) },
    image: settings(),
  },
  found: async (bed) => {
    const founders = bed.machines.slice(0, 3);
    const added = bed.machine(4);
    await start(founders);
    const add = ['member', 'add', added.name, '--learner', `--peer-urls=http://${added.ip}:2380`];
    await until('the learner is added', () =>
      bed.etcdctl([bed.machine(1).endpoint], ...add).catch(() => undefined),
    );
    await view(added, { ADDED_NODES: nodes([4]), IS_ADDED: 'true' });
    await start([added]);
    for (const each of bed.machines)
      await view(each, {
        STABLE_NODES: nodes([1, 2, 3, 4]),
        ALL_NODES: nodes([1, 2, 3, 4]),
        ADDED_NODES: '',
        IS_ADDED: 'false',
      });
    return { members: founders, learners: [added] };
  },
};

const otherRelease: NonNullable<BedOptions['image']> = async (dir) => {
  await settings()(dir);
  notAtFirstBoot(dir);
};

export const trixie: Kind = {
  name: '3 members, etcd 3.5',
  options: { suite: 'trixie', image: otherRelease },
};
export const bullseye: Kind = {
  name: '3 members, systemd 247',
  options: { suite: 'bullseye', image: otherRelease },
};

/** An image that has etcd 3.4 in force, and 3.5 beside it. */
const bothVersions: BedOptions = {
  suite: 'trixie',
  image: async (dir) => {
    await otherRelease(dir);
    const older = join(await baseRoot(console.log), 'opt/etcd');
    mkdirSync(join(dir, 'opt'), { recursive: true });
    cpSync(older, join(dir, 'opt/etcd'), { recursive: true, verbatimSymlinks: true });
  },
};

/** Upgraded to etcd 3.5 on their root disks, whose image has 3.4. */
export const upgraded: Kind = {
  name: '3 members, etcd 3.5, the image has 3.4',
  options: bothVersions,
  found: async (bed) => {
    await Promise.all(bed.machines.map(upgrade));
    await createCluster(bed);
    return {};
  },
};
export const upgrade = (machine: TestMachine): Promise<string> =>
  machine.sh('cd /opt/etcd && ln -sfn "$(ls | grep ^3.5)" current');

/** An upgrade that has come to these nodes so far, and lags on the others. */
const upgradedOn = (...sids: readonly number[]): Kind => ({
  name: `3 members, etcd 3.4, upgraded to 3.5 on ${sids.map((sid) => `etcd${sid}`).join(' and ')}`,
  options: bothVersions,
  found: async (bed) => {
    await createCluster(bed);
    for (const sid of sids) {
      await upgrade(bed.machine(sid));
      await bed.machine(sid).sh('systemctl restart etcd');
    }
    return {};
  },
});
export const upgradedOnOne = upgradedOn(1);
export const upgradedOnTwo = upgradedOn(1, 3);

export const slowDisk: Kind = {
  name: '3 members, slow disks (30 writes a second)',
  options: { writesPerSec: 30, image: settings() },
};

/** Settings as the app writes them, and a file of somebody's own beside them. */
export const walApart: Kind = {
  name: '3 members, WAL dir apart, by a drop-in',
  options: {
    image: async (dir) => {
      await settings()(dir);
      writeFileSync(join(dir, 'opt/app/conf/extra.env'), 'ETCD_WAL_DIR=/var/lib/etcd/wal\n');
      dropIn(dir, 'EnvironmentFile=/opt/app/conf/extra.env');
    },
  },
};

function dropIn(dir: string, ...lines: readonly string[]): void {
  const dropIns = join(dir, 'etc/systemd/system/etcd.service.d');
  mkdirSync(dropIns, { recursive: true });
  writeFileSync(join(dropIns, '20-own.conf'), `[Service]\n${lines.join('\n')}\n`);
}

export const byFlags: Kind = {
  name: '3 members, data dir and name by flags',
  options: {
    image: async (dir) => {
      await settings()(dir);
      dropIn(
        dir,
        // etcd ends where both the environment and a flag say something (pkg/flags/flag.go).
        'UnsetEnvironment=ETCD_NAME ETCD_DATA_DIR',
        'ExecStart=',
        'ExecStart=/opt/etcd/current/etcd --name=%H --data-dir=/var/lib/etcd/default.etcd',
      );
    },
  },
};

/** With a file of its own etcd reads no environment, and has no gateway unless told (etcdmain/config.go, embed/config.go). */
const TO_YAML =
  '{ sed -n -E "/^ETCD_(NAME|DATA_DIR|LISTEN|INITIAL|ADVERTISE)/{s/^ETCD_//;h;s/=.*//;y/ABCDEFGHIJKLMNOPQRSTUVWXYZ_/abcdefghijklmnopqrstuvwxyz-/;G;s/\\\\n[^=]*=/: /;p}" /opt/app/conf/etcd.env; echo "enable-grpc-gateway: true"; } >/run/etcd.yml';

export const byFile: Kind = {
  name: '3 members, settings by a config file',
  options: {
    image: async (dir) => {
      await settings()(dir);
      dropIn(
        dir,
        `ExecStartPre=+/bin/sh -c '${TO_YAML}'`,
        'ExecStart=',
        'ExecStart=/opt/etcd/current/etcd --config-file=/run/etcd.yml',
      );
    },
  },
};

export const unitInLib: Kind = {
  name: '3 members, the unit in /lib with a drop-in',
  options: {
    image: async (dir) => {
      await settings()(dir);
      mkdirSync(join(dir, 'usr/lib/systemd/system'), { recursive: true });
      renameSync(
        join(dir, 'etc/systemd/system/etcd.service'),
        join(dir, 'usr/lib/systemd/system/etcd.service'),
      );
      dropIn(dir, 'LimitCORE=0');
    },
  },
};
