import { ETCD_ROLE } from '../appcenter/roles.ts';
import { isOwn } from '../diagnose/cluster-view.ts';
import type { Situation } from '../diagnose/situation.ts';
import type { Room } from '../machine/machine.ts';
import { isAside } from '../observe/look-at-units.ts';
import type { HealRecord } from '../state/heal-record.ts';
import { questionOf } from '../words/words.ts';
import { changedTheCluster } from './heal-steps.ts';

/** What guards ask besides the situation. */
export interface GuardFacts {
  /** The data were proved stale earlier in this very run, before they were moved. */
  readonly provenStale: boolean;
  /** The heal has changed the member list, and was cut off since. */
  readonly goesOn: boolean;
  /** Why what stands here is a person's to finish; undefined where no runbook has been begun by hand. */
  readonly leftToPerson: string | undefined;
  /** Heals begun within a day, the oldest first; the unfinished one only where it is to replace its own new member. */
  readonly healsInLastDay: readonly Pick<HealRecord, 'outcome' | 'message' | 'steps'>[];
  readonly maxPerDay: number;
  /** What was wrong with the certificates that other nodes offered a moment ago; undefined where a person asks. */
  readonly offerRefused: string | undefined;
  /** Free bytes where the data dir is, and those that go with what older heals have set aside. */
  readonly freeBytes: number;
  readonly reclaimableBytes: number;
  /** What root has left where unit, environment and originals are written: of these places the fullest. */
  readonly swapRoom: Pick<Room, 'rootBytes' | 'inodes'> & { readonly path: string };
}

/** Why it does not pass, as a sentence; anything falsy when it does. */
export type Guard = (s: Situation, facts: GuardFacts) => string | false | undefined;

/** Room for a WAL segment and its successor (64 MiB each, wal/wal.go) beside the database. */
const WAL_ROOM_BYTES = 2 * (64 << 20);

/** Units, environments and notes of a heal take some 30 KiB, in a dozen files; the rest is for what else grows. */
const SWAP_ROOM = { rootBytes: 1 << 20, inodes: 64 };

const cannotBeRenamed = (path: string | undefined, kind: string): string | false =>
  kind !== 'directory' && kind !== 'none' && `${path} is a ${kind}, which cannot be renamed aside`;

/** What the new member's data will take. */
export const neededBytes = ({ cluster }: Situation): number =>
  Math.max(0, ...cluster.serving.map(({ reply }) => reply.dbSizeBytes)) + WAL_ROOM_BYTES;

/** Why the member list could not be changed; also told in peace-time, by the deep check. */
export const credentialsWanted = ({ cluster: { credentialsRefused } }: Situation): string | false =>
  credentialsRefused !== '' &&
  `the cluster asks for credentials, and ours are missing or refused: ${credentialsRefused}; set HEAL_ETCD_USER and HEAL_ETCD_PASSWORD_FILE`;

/** Why the app is not to be met at its work; `mustBeBack` where a new node joins by a list that this one is on. */
export function appAtWork({ observed: { app, appBusy } }: Situation, mustBeBack: boolean) {
  if (appBusy.length > 0) return `${appBusy.join(', ')} is running`;
  if (!app.ok) return app.why;
  const { isDeleted, deleted, added, nodes, sid } = app.value;
  if (nodes.length > 0 && !nodes.some((node) => node.sid === sid))
    return `this node, ${sid}, is not among the app's nodes (${nodes.map((node) => node.sid).join(' ')}): it was scaled in`;
  if (isDeleted) return 'this node is being deleted (IS_DELETED=true)';
  if (deleted.length > 0) return `nodes are being deleted: ${deleted.join(' ')}`;
  return !mustBeBack && added.length > 0 && `nodes are being added: ${added.join(' ')}`;
}

/**
 * Every guard that a heal must pass, by its ID, asked again right before each step that names it. What it asks stands in
 * src/words/catalogue.json.
 */
export const guards = {
  role: ({ observed: { app } }) => {
    if (!app.ok) return app.why;
    return app.value.role !== ETCD_ROLE && `this node is ${app.value.role}, which has no member`;
  },
  'unit-file': ({ observed: { swap, unit } }) => {
    if (swap.unitFile === 'file' || (isAside(swap) && (swap.copyUnitFile === 'file' || swap.originals)))
      return undefined;
    if (swap.unitFile !== 'none') return `etcd's unit is a ${swap.unitFile}, not a regular file`;
    const [packaged] = (unit.ok && /^\/(usr\/)?lib\/.*/.exec(unit.value.fragment)) || [];
    return packaged
      ? `etcd's unit is ${packaged}, a package's, which is not moved aside; copy it to /etc/systemd/system and reload systemd`
      : "etcd's unit is missing";
  },
  'data-dir': ({ observed: { data }, config }) =>
    cannotBeRenamed(config?.dataDir, data.dir) || cannotBeRenamed(config?.walDir, data.walDir),
  stale: (s, { provenStale }) =>
    !s.provenStale && !provenStale && 'nothing seen in this boot proves its data stale',
  'not-serving': (s) => s.servesAsOwn && !s.diverged && 'this member answers healthy',
  'own-data': ({ owner, cluster, foreign, observed: { data } }) => {
    if (data.kind === 'unknown') return `what stands in the data dir cannot be told: ${data.why}`;
    if (data.kind !== 'data') return undefined;
    if (!owner) return 'its write-ahead log does not say whose data these are';
    if (foreign && foreign.servedBy === undefined)
      return `the data are of member ${foreign.member.id} (${foreign.member.name}), which is another node's and does not serve there`;
    if (owner.clusterId === cluster.clusterId) return undefined;
    return `the data are of cluster ${owner.clusterId}; the others are ${cluster.clusterId || 'silent'}`;
  },
  'not-ahead': ({ owner, examination, ahead, saidAhead, cluster: { serving } }) => {
    if (owner && examination && !examination.logRead)
      return `what this member has committed is not known, as its log was not read to its end: ${examination.notLookedAt.join('; ')}`;
    const says = `this member has committed index ${examination?.commit}; the cluster knows ${serving.map(({ reply }) => reply.raftIndex).join(', ') || 'nothing'}`;
    return ahead && (saidAhead?.replace(/\.$/, '') ?? says);
  },
  birthmark: (s) => s.birthmarkMismatch,
  quorum: ({ cluster: { serving, quorum, members, silent } }) => {
    const led = serving.filter(({ reply }) => reply.leader !== '0');
    if (members.length > 0 && led.length >= quorum) return undefined;
    const why = silent.map((s) => `${s.endpoint}: ${s.why}`).join('; ');
    return `${led.length} of ${members.length || '?'} members serve without this one, ${members.length ? quorum : 'a quorum'} are needed${why && ` (${why})`}`;
  },
  agreement: ({ cluster: { disagreement } }) => disagreement,
  'own-member': ({ cluster, config }) => {
    if (!config) return 'the settings of etcd cannot be read';
    if (cluster.own?.isLearner)
      return `member ${cluster.own.id}, listed for this node, is a learner; promote or remove it by hand`;
    const mine = cluster.members.filter((member) => isOwn(member, config));
    if (mine.length > 1)
      return `${mine.length} listed members have peer URLs of this node: ${mine.map((m) => m.id).join(', ')}`;
    // A clone that ran here has published our name as that of the member whose data it had, which serves elsewhere.
    const serves = (id: string) => cluster.serving.some(({ reply }) => reply.memberId === id);
    const silent = cluster.members.filter((member) => !isOwn(member, config) && !serves(member.id));
    const namesake = silent.find(({ name }) => name === config.name);
    if (namesake)
      return `member ${namesake.id} has this node's name ${config.name} with other peer URLs ${namesake.peerUrls.join(',')}`;
    return (
      cluster.ownServedBy &&
      `member ${cluster.own?.id}, listed for this node, is served by ${cluster.ownServedBy}`
    );
  },
  // The app's new node joins by a list that this one is on: it has to be back on it, or neither joins.
  'app-quiet': (s, { goesOn }) => appAtWork(s, goesOn && /^un(listed|started)$/.test(s.membership)),
  'by-hand': (_, { leftToPerson }) => leftToPerson,
  // A heal that has begun goes on to its end.
  'not-paused': ({ paused, swapped }, { goesOn }) => !swapped && !goesOn && paused,
  version: (s) => s.etcdTooOld,
  mounted: ({ observed: { host } }) => (host?.ok ? host.value.diskNotMounted : host?.why),
  credentials: credentialsWanted,
  certificates: ({ observed: { host }, certificatesMissing, certificatesToBring }, { offerRefused }) => {
    if (certificatesToBring) return offerRefused;
    const faults = host?.ok ? [...host.value.certificateFaults, ...host.value.unusable] : [];
    return certificatesMissing ?? faults[0];
  },
  'daily-limit': (_, { healsInLastDay, maxPerDay }) => {
    // One that was refused or taken back has changed nothing; one may have added several.
    const changed = healsInLastDay.filter(changedTheCluster);
    const again = changed.flatMap(({ steps }) => steps.filter(({ id, did }) => id === 'add' && did).slice(1));
    const count = changed.length + again.length;
    if (count < maxPerDay) return undefined;
    return `${count} replacements were begun in 24 hours, HEAL_MAX_PER_DAY is ${maxPerDay}; a member that goes stale again and again has a cause. The last one ended with: ${healsInLastDay.at(-1)?.message ?? 'none'}`;
  },
  'disk-room': (s, { freeBytes, reclaimableBytes }) => {
    // Where the data are to be is not known then, and how much is free there.
    if (!s.config) return 'the settings of etcd cannot be read';
    const needed = neededBytes(s);
    if (freeBytes + reclaimableBytes >= needed) return undefined;
    return `${freeBytes} bytes are free, ${needed} are needed; delete other files there, or set HEAL_KEEP_ASIDE=0, with which this node's old data are not kept at all`;
  },
  'swap-room': (_, { swapRoom: { path, rootBytes, inodes } }) =>
    (rootBytes < SWAP_ROOM.rootBytes || inodes < SWAP_ROOM.inodes) &&
    `${rootBytes} bytes and ${inodes} inodes are free for ${path}, ${SWAP_ROOM.rootBytes} and ${SWAP_ROOM.inodes} are needed; make room on that disk`,
} as const satisfies Readonly<Record<string, Guard>>;

export type GuardId = keyof typeof guards;

/** These may pass by themselves within seconds: worth asking again before it is called a refusal. */
const TRANSIENT: readonly GuardId[] = ['quorum', 'agreement', 'app-quiet'];
/** Between two crashes nothing tells how the last run ended; a moment later it does again. */
const comesAgain = (id: GuardId, { unit }: Situation): boolean =>
  TRANSIENT.includes(id) || (id === 'stale' && unit?.active === 'activating');

/** Which guards are asked. */
export type Asked = 'all' | readonly GuardId[];

/** Asks guards, in the order of the table. */
export function askGuards(s: Situation, facts: GuardFacts, ids: Asked = 'all') {
  const all = Object.entries(guards) as [GuardId, Guard][];
  const asked = all.filter(([id]) => ids === 'all' || ids.includes(id));
  return asked.map(([id, refuses]) => {
    const why = refuses(s, facts);
    return { id, asks: questionOf(id), pass: !why, why: why || 'yes', transient: comesAgain(id, s) };
  });
}
