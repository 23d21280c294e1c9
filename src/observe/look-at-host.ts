import { isIP } from 'node:net';
import { type EtcdConfig, hostOf, portOf } from '../machine/etcd/etcd-config.ts';
import type { Machine } from '../machine/machine.ts';
import { certificateFaults } from '../machine/os/certificates.ts';
import type { FileRights } from '../machine/os/held-dir.ts';
import type { Listener } from '../machine/os/network.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import { userOf } from '../machine/user-of.ts';
import type { Observation } from './observation.ts';
import type { World } from './world.ts';

const REACH_MS = 700;
const ANY = ['0.0.0.0', '::', ''];

/** Whether a user may do what `bits` says (4 read, 2 write, 1 enter); supplementary groups are not counted. */
const may = (user: { uid: number; gid: number }, rights: FileRights, bits: number): boolean =>
  user.uid === 0 ||
  ((rights.mode >> (user.uid === rights.uid ? 6 : user.gid === rights.gid ? 3 : 0)) & bits) === bits;

/** What etcd's user cannot use: its data, its certificates. */
async function unusable(machine: Machine, config: EtcdConfig, userName: string, dataGone: boolean) {
  const user = await userOf(machine, userName);
  if (user === undefined)
    return { unusable: [`there is no user ${userName}, which the unit runs as`], unusableData: [] };
  const faults = async (paths: readonly string[], bits: number, ofMissing?: string) => {
    const all = paths.map(async (path) => {
      const rights = await machine.rightsOf(path);
      if (rights === undefined) return ofMissing && `${path} ${ofMissing}`;
      if (may(user, rights, bits)) return undefined;
      return `${path} has owner ${rights.uid}:${rights.gid} and mode ${rights.mode.toString(8)}, and ${userName} (${user.uid}:${user.gid}) cannot use it`;
    });
    return (await Promise.all(all)).filter((fault) => fault !== undefined);
  };
  const { dataDir, separateWalDir, walDir, certificates } = config;
  const data = [dataDir, ...(separateWalDir ? [walDir] : []), `${dataDir}/member`];
  const needed = certificates.flatMap(({ cert, key, ca }) => [cert, key, ca]);
  return {
    unusable: await faults(needed, 4, 'is missing'),
    // Where no data are, a heal makes a data dir that fits.
    unusableData: await faults(dataGone ? [] : data, 7),
  };
}

/** What is wrong with etcd's certificates at a time, in milliseconds since 1970. */
export async function brokenCertificates(machine: Machine, config: EtcdConfig, atMs: number) {
  const text = async (path: string) => (await machine.readFile(path))?.text ?? '';
  const checked = config.certificates.map(async (each) => {
    const texts = { cert: await text(each.cert), key: await text(each.key), ca: await text(each.ca) };
    return certificateFaults({ ...each, ...texts }, atMs);
  });
  return (await Promise.all(checked)).flat();
}

/** The others' peer URLs, and whether a connection can be made. */
async function peersOf(machine: Machine, config: EtcdConfig) {
  const all = config.initialCluster.map(({ peerUrl }) => peerUrl);
  const urls = all.filter((url) => !config.peerUrls.includes(url));
  return Promise.all(
    urls.map(async (url) => ({ url, reach: await machine.reach(hostOf(url), portOf(url), REACH_MS) })),
  );
}

const isEtcd = ({ program }: Listener): boolean => program === 'etcd';

/** `etcd Version: 3.4.23` (etcdmain/help.go); empty when it does not say. */
async function versionOf(machine: Machine, program: string): Promise<string> {
  if (program === '') return '';
  const text = await machine.versionText(program).catch(() => '');
  return /^etcd Version: (\d+\.\d+\.\d+)/m.exec(text)?.[1] ?? '';
}

/** The data were on a file system of their own, and where it was mounted is the root disk now. */
export async function diskNotMounted(machine: Machine, config: EtcdConfig, remembered: string) {
  if (!(await machine.isOnRoot(config.dataDir))) return '';
  if (remembered !== '') {
    const now = await machine.fileSystemId(config.dataDir);
    return now === remembered
      ? ''
      : `${config.dataDir} is on the root file system ${now}; the data were on file system ${remembered}`;
  }
  // A root disk that was put back remembers nothing: what it is told to mount counts (fstab(5)).
  const fstab = (await machine.readFile('/etc/fstab'))?.text ?? '';
  const holdsData = (at = ''): boolean => at.length > 1 && config.dataDir.startsWith(`${at}/`);
  const rows = fstab.split('\n').map((line) => line.trim().split(/\s+/));
  const mount = rows.find(([device = '#', at]) => !device.startsWith('#') && holdsData(at));
  if (mount)
    return `${config.dataDir} is on the root file system; /etc/fstab names ${mount[0]} for ${mount[1]}`;
  // An etcd node's data are on a disk of their own (docs/platform.md): where its settings are lost too nothing else tells.
  const isLost = config.ofView && config.otherPeerUrls.length === 0;
  return isLost ? `${config.dataDir} is on the root file system, and etcd.env, too, is lost` : '';
}

/** The settings in force against this machine as it is. @throws when a source does not answer. */
export async function lookAtHost(
  { machine }: World,
  config: EtcdConfig,
  unit: Promise<Pick<UnitFacts, 'mainPid' | 'user' | 'program'>>,
  { mark, data, swap }: Pick<Observation, 'mark' | 'data' | 'swap'>,
) {
  const ports = config.listenUrls.map(portOf).filter((port) => port > 0);
  const dataGone = data.kind === 'none' || data.kind === 'founding';
  const called = peersOf(machine, config);
  // As systemd, who takes longer to say which it is, has mostly loaded it.
  const early = versionOf(machine, swap.program);
  const [{ mainPid }, peers, network, room, certificates, faults, etcdVersion, notMounted] =
    await Promise.all([
      unit,
      called,
      // Who is beside us on the link shows when the others have been called.
      called.then(() => machine.network(ports)),
      machine.room(config.dataDir),
      brokenCertificates(machine, config, machine.now()),
      unit.then(({ user }) => unusable(machine, config, user, dataGone)),
      unit.then(({ program }) => (program === swap.program ? early : versionOf(machine, program))),
      diskNotMounted(machine, config, mark.dataDiskId),
    ]);
  return {
    freeBytes: room.bytes,
    freeInodes: room.inodes,
    /** Hosts that etcd is told to listen on and this machine does not have. */
    missingAddresses: config.listenUrls
      .map(hostOf)
      .filter((host) => isIP(host) !== 0 && !ANY.includes(host) && !network.addresses.includes(host)),
    /** Processes that listen on its ports and are etcd, beside the one that systemd knows. */
    strayEtcds: network.listeners.filter((listener) => listener.pid !== mainPid && isEtcd(listener)),
    /**
     * Others than etcd itself that listen on its ports. One on the loopback is in nobody's way: etcd listens on the node's
     * address, or says itself that it cannot.
     */
    portConflicts: network.listeners.filter((each) => each.port > 0 && each.pid !== mainPid && !isEtcd(each)),
    /** The version of the etcd that the unit starts; empty when it could not be asked. */
    etcdVersion,
    /** The data disk is not mounted: what stands in its place is on the root disk. What was found, as a sentence. */
    diskNotMounted: notMounted,
    /** Files that etcd's user cannot use, with the reason: of the data, which a heal sets aside, and certificates. */
    ...faults,
    certificateFaults: certificates,
    linkUp: network.linkUp,
    /** The others' peer URLs: whether a connection can be made, and whether that machine is there on the link. */
    peers: peers.map(({ url, reach }) => {
      // Nobody has turned us away where no way leads: see `Reach`.
      const noWay = !network.linkUp || network.unresolved.includes(hostOf(url));
      const neighbour = network.neighbours.includes(hostOf(url));
      return { url, reach: reach === 'refused' && noWay ? 'silent' : reach, neighbour };
    }),
  };
}
