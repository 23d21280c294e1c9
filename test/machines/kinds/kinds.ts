import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedOptions } from '../bed/bed.ts';
import { ipOf } from '../bed/lan.ts';
import type { TestMachine } from '../bed/machine.ts';
import { createCluster } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { inTls, metadataService } from '../bed/tls.ts';
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
export const CREDENTIALS = ['HEAL_ETCD_USER=root', `HEAL_ETCD_PASSWORD_FILE=${PASSWORD_FILE}`];

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
    return ground;
  },
};

export const far = (roundTripMs: number, lossPercent: number): Kind => ({
  name: `3 members, ${roundTripMs} ms${lossPercent > 0 ? ` and ${lossPercent} % loss` : ''} between them`,
  options: { distance: { delayMs: roundTripMs / 2, lossPercent }, image: settings() },
});
export const lossy = far(50, 1);
export const distant = far(200, 0);
