import { basename, dirname } from 'node:path';
import type { Machine, Room } from '../../../machine/machine.ts';
import { userOf } from '../../../machine/user-of.ts';
import { type GuardFacts, neededBytes } from '../../../plan/guards.ts';
import { HEAL_ID } from '../../../state/heal-record.ts';
import { type HealContext, RIGHT_BEFORE_MS } from '../heal-context.ts';
import { isStopped, stopUnits } from './units.ts';

/** A name in a directory that is not taken: `name`, `name.2`, `name.3` … */
async function freeName(machine: Machine, directory: string, name: string): Promise<string> {
  const taken = await machine.list(directory);
  const names = [name, ...taken.map((_, i) => `${name}.${i + 2}`)];
  return names.find((each) => !taken.includes(each)) ?? '';
}

/** Names of what is set aside: the data dir's own, and the WAL dir's with a prefix that no data dir has. */
const asideNames = ({ config: { dataDir, walDir, separateWalDir } }: HealContext) => [
  { path: dataDir, name: basename(dataDir) },
  ...(separateWalDir ? [{ path: walDir, name: `wal-dir-${basename(walDir)}` }] : []),
];

/**
 * Data are never moved under a running etcd: it would go on writing to what nobody looks at any more.
 * @returns whether it ran, and may have written what nobody has looked at
 */
async function stopsWhatRuns(heal: HealContext): Promise<boolean> {
  await heal.lookIfOlder(RIGHT_BEFORE_MS / 2, 'units');
  const { unit, copyUnit } = heal.situation.observed;
  const stopped = [unit, copyUnit].every((each) => each.ok && isStopped(each.value));
  if (!stopped) await stopUnits(heal, heal.places.unit, heal.places.copyUnit);
  return !stopped;
}

/**
 * Renames the data dir, and a separate WAL dir, into this heal's directory; an empty data dir with the same
 * owner and mode takes its place, as the directory above need not be writable by etcd.
 */
export async function setAside(heal: HealContext): Promise<string> {
  const { machine, places, record } = heal;
  const directory = `${places.aside}/${record.id}`;
  if (await stopsWhatRuns(heal))
    return heal.look('files', 'units', 'data').then(() => 'etcd had been started meanwhile, and is stopped');
  // Also of a new member that has died before it told its name: it may have voted, and must not forget that.
  heal.memory.staleMemberId = heal.situation.observed.data.memberId || heal.memory.staleMemberId;
  const moved: string[] = [];
  for (const { path, name } of asideNames(heal)) {
    const rights = await machine.rightsOf(path);
    if (rights === undefined) continue;
    const target = `${directory}/${await freeName(machine, directory, name)}`;
    await machine.move(path, target);
    moved.push(`${path} to ${target}`);
    if (path === heal.config.dataDir) await machine.makeDirectory(path, rights);
  }
  return moved.length === 0 ? 'there was nothing to move' : `moved ${moved.join(' and ')}`;
}

/** Whom etcd runs as. @throws when the user that its unit names is not there */
export async function unitUser({ machine, situation: { observed } }: HealContext) {
  const loaded = [observed.copyUnit, observed.unit].find((unit) => unit.ok && unit.value.load === 'loaded');
  const name = loaded?.ok ? loaded.value.user : 'etcd';
  const user = await userOf(machine, name);
  if (user === undefined) throw new Error(`there is no user ${name}, which the unit runs as`);
  return user;
}

/**
 * Makes the data dir etcd's own, as the app's start does: a volume that was replaced is root's, and holds nothing.
 * @throws when the user that the unit names is not there
 */
export async function giveDataDir(heal: HealContext): Promise<void> {
  const { machine, config } = heal;
  const { copyUnit, unit } = heal.situation.observed;
  if (![copyUnit, unit].some((facts) => facts.ok && facts.value.load === 'loaded')) return;
  const user = await unitUser(heal);
  const volume = dirname(config.dataDir);
  await machine.makeDirectory(config.dataDir, { mode: 0o700, ...user });
  const volumes = (await machine.kindOf(volume)) === 'mount point' ? [volume] : [];
  for (const path of [...volumes, config.dataDir]) {
    const rights = await machine.rightsOf(path);
    if (rights && rights.uid !== user.uid) await machine.giveDirectory(path, { ...rights, ...user });
  }
}

/** The data that were moved first back under their name, where nothing has taken it. */
export async function bringDataBack(heal: HealContext): Promise<string | undefined> {
  const { machine, places, record } = heal;
  const directory = `${places.aside}/${record.id}`;
  const there = await machine.list(directory);
  if (there.length > 0) await stopsWhatRuns(heal);
  const moved: string[] = [];
  for (const { path, name } of asideNames(heal)) {
    if (!there.includes(name)) continue;
    const inTheWay = await machine.list(path);
    if (inTheWay.length > 0)
      throw new Error(`${path} holds ${inTheWay.join(', ')}; the data stay in ${directory}/${name}`);
    await machine.remove(path);
    await machine.move(`${directory}/${name}`, path);
    moved.push(path);
  }
  if ((await machine.list(directory)).length === 0) await machine.remove(directory);
  return moved.length === 0 ? undefined : `${moved.join(' and ')} is back`;
}

/** What is free where the data dir is. */
export const freeBytes = async ({ machine, config }: HealContext): Promise<number> =>
  (await machine.room(dirname(config.dataDir))).bytes;

/** What root has left for the unit and environment to swap in, where that is least. */
export async function swapRoom({ machine, places }: HealContext): Promise<GuardFacts['swapRoom']> {
  const rooms = [places.unitFile, places.copyEnv, places.originals].map(async (path) => ({
    path,
    ...(await machine.room(path)),
  }));
  const isLess = (a: Room, b: Room) => (a.rootBytes - b.rootBytes || a.inodes - b.inodes) < 0;
  return (await Promise.all(rooms)).reduce((least, room) => (isLess(room, least) ? room : least));
}

/**
 * What heals have set aside, the oldest first, as their IDs begin with their time, and this one's last, whatever the clock
 * says. What a person keeps there by another name is no heal's.
 */
async function allAside({ machine, places, record }: HealContext): Promise<string[]> {
  const ids = (await machine.list(places.aside)).filter((name) => HEAL_ID.test(name));
  const inOrder = [...ids.filter((id) => id !== record.id), ...ids.filter((id) => id === record.id)];
  return inOrder.map((id) => `${places.aside}/${id}`);
}

/** What may be discarded for the data to come: older heals', and with `HEAL_KEEP_ASIDE=0` ours. */
async function discardable(heal: HealContext): Promise<string[]> {
  const all = await allAside(heal);
  return heal.settings.keepAside === 0 ? all : all.filter((path) => !path.endsWith(heal.record.id));
}

/** How much that is, the data that still stand in the data dir included where they may go. */
export async function reclaimableBytes(heal: HealContext): Promise<number> {
  const { machine, settings } = heal;
  const paths = await discardable(heal);
  if (settings.keepAside === 0 && heal.situation.config && !heal.joined) paths.push(heal.config.dataDir);
  const sizes = await Promise.all(paths.map((path) => machine.sizeOf(path)));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Discards data set aside, the oldest first, until the data to come have room. Called right before the new member
 * starts: until then all could be brought back.
 */
export async function makeRoom(heal: HealContext): Promise<void> {
  const { machine, log, situation } = heal;
  for (const path of await discardable(heal)) {
    if ((await freeBytes(heal)) >= neededBytes(situation)) return;
    await machine.remove(path);
    log.warn({ event: 'discarded', path }, `Discarded ${path}: there was no room for the data to come.`);
  }
}

/** Deletes what heals have set aside, all but the newest `HEAL_KEEP_ASIDE`. */
export async function pruneAside(heal: HealContext): Promise<void> {
  const all = await allAside(heal);
  for (const path of all.slice(0, Math.max(0, all.length - heal.settings.keepAside)))
    await heal.machine.remove(path);
}
