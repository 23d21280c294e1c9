import { isIP } from 'node:net';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';
import type { Machine } from '../machine/machine.ts';
import { certificateFaults } from '../machine/os/certificates.ts';
import type { FileRights } from '../machine/os/held-dir.ts';
import type { HostFacts } from './observation.ts';
import type { World } from './world.ts';

const REACH_MS = 700;
const ANY = ['0.0.0.0', '::', ''];

const hostOf = (url: string): string => URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
const portOf = (url: string): number => Number(URL.parse(url)?.port) || 0;

/** A user's ID and group, from /etc/passwd; root's for an empty name, undefined for one that is not there. */
async function userOf(machine: Machine, name: string): Promise<{ uid: number; gid: number } | undefined> {
  if (name === '' || name === 'root') return { uid: 0, gid: 0 };
  const passwd = (await machine.readFile('/etc/passwd'))?.text ?? '';
  const row = passwd
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
  return row && { uid: Number(row[2]), gid: Number(row[3]) };
}

/** Whether a user may do what `bits` says (4 read, 2 write, 1 enter); supplementary groups are not counted. */
const may = (user: { uid: number; gid: number }, rights: FileRights, bits: number): boolean =>
  user.uid === 0 ||
  ((rights.mode >> (user.uid === rights.uid ? 6 : user.gid === rights.gid ? 3 : 0)) & bits) === bits;

/** What etcd's user cannot use: its data, its certificates. */
async function unusable(machine: Machine, config: EtcdConfig, userName: string): Promise<string[]> {
  const user = await userOf(machine, userName);
  if (user === undefined) return [`there is no user ${userName}, which the unit runs as`];
  const wanted = [
    ...[config.dataDir, ...(config.separateWalDir ? [config.walDir] : []), `${config.dataDir}/member`].map(
      (path) => ({ path, bits: 7, needed: false }),
    ),
    ...config.certificates.flatMap(({ cert, key, ca }) =>
      [cert, key, ca].map((path) => ({ path, bits: 4, needed: true })),
    ),
  ];
  const faults: string[] = [];
  for (const { path, bits, needed } of wanted) {
    const rights = await machine.rightsOf(path);
    if (rights === undefined && needed) faults.push(`${path} is missing`);
    if (rights !== undefined && !may(user, rights, bits))
      faults.push(
        `${path} has owner ${rights.uid}:${rights.gid} and mode ${rights.mode.toString(8)}, and ${userName} (${user.uid}:${user.gid}) cannot use it`,
      );
  }
  return faults;
}

async function brokenCertificates(machine: Machine, config: EtcdConfig): Promise<string[]> {
  const text = async (path: string) => (await machine.readFile(path))?.text ?? '';
  const checked = config.certificates.map(async ({ setting, cert, key, ca, names }) =>
    certificateFaults(
      { setting, cert: await text(cert), key: await text(key), ca: await text(ca), hosts: names },
      machine.now(),
    ),
  );
  return (await Promise.all(checked)).flat();
}

/** The others' peer URLs, and whether a connection can be made. */
async function peersOf(machine: Machine, config: EtcdConfig) {
  const urls = config.initialCluster
    .map(({ peerUrl }) => peerUrl)
    .filter((url) => !config.peerUrls.includes(url));
  return Promise.all(
    urls.map(async (url) => ({ url, reach: await machine.reach(hostOf(url), portOf(url), REACH_MS) })),
  );
}

/** The settings in force against this machine as it is. @throws when a source does not answer. */
export async function lookAtHost(
  { machine }: World,
  config: EtcdConfig,
  unit: Promise<{ readonly mainPid: number; readonly user: string }>,
): Promise<HostFacts> {
  const ports = config.listenUrls.map(portOf).filter((port) => port > 0);
  const [peers, { mainPid, user }] = await Promise.all([peersOf(machine, config), unit]);
  const [network, room, certificates] = await Promise.all([
    machine.network(ports),
    machine.room(config.dataDir.replace(/\/[^/]*$/, '') || '/'),
    brokenCertificates(machine, config),
  ]);
  return {
    freeBytes: room.bytes,
    freeInodes: room.inodes,
    missingAddresses: config.listenUrls
      .map(hostOf)
      .filter((host) => isIP(host) !== 0 && !ANY.includes(host) && !network.addresses.includes(host)),
    portConflicts: network.listeners.filter(({ pid }) => pid !== mainPid),
    unusable: await unusable(machine, config, user),
    certificateFaults: certificates,
    linkUp: network.linkUp,
    peers: peers.map((peer) => ({ ...peer, neighbour: network.neighbours.includes(hostOf(peer.url)) })),
  };
}
