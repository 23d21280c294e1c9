import * as act from '../act/effects.ts';
import type { HealContext } from '../act/heal-context.ts';
import type { Situation } from '../diagnose/situation.ts';
import type { Part } from '../observe/observation.ts';
import { expectedCluster } from './expected-cluster.ts';
import type { GuardId } from './guards.ts';

export type StepId =
  | 'fence'
  | 'set-aside'
  | 'stage'
  | 'remove'
  | 'add'
  | 'start'
  | 'verify'
  | 'restore'
  | 'confirm';

/** The two steps that only look: what they saw is not to be seen in the world. */
export interface RunMemory {
  readonly verified: boolean;
  readonly confirmed: boolean;
}

export interface HealStep {
  readonly id: StepId;
  /** The runbook's step that it replaces (PLATFORM.md). */
  readonly runbookStep: number;
  /** A sentence for people. */
  readonly what: string;
  /** What a person would have typed, for the demo and the docs; `$…` stands for this node's own values. */
  readonly typed: string;
  /** What must hold: guards asked right before it acts. */
  readonly needs: readonly GuardId[];
  /** What is looked at again right before. */
  readonly looks: readonly Part[];
  /** How to see in the world that it is done, or no longer called for. */
  readonly done: (s: Situation, run: RunMemory) => boolean;
  /** Does it; returns what was done, in a sentence. May be cut off anywhere and run again. */
  readonly act: (heal: HealContext) => Promise<string>;
  /** Takes it back; none for what cannot be. */
  readonly undo?: (heal: HealContext) => Promise<string>;
}

/** The original unit is back and nothing of the swap is left. */
const onOriginals = ({ seen: { swap, unit1 } }: Situation): boolean =>
  swap.unitFile === 'file' &&
  swap.unit1File === 'none' &&
  !swap.env1 &&
  !swap.dropIns1 &&
  !swap.pointsAway &&
  !(unit1.ok && (unit1.value.mainPid > 0 || unit1.value.active === 'activating'));

const up = (s: Situation): boolean => s.unit !== undefined && (s.runs || s.unit.active === 'activating');

/** Its data fit and the original unit is in place: it only has to come up and be looked at. */
const homeAndJoined = (s: Situation): boolean => s.joined && s.seen.swap.unitFile === 'file';

const fenced = ({ seen: { swap, unit } }: Situation): boolean =>
  swap.unitFile === 'none' &&
  swap.unit1File === 'file' &&
  swap.originals &&
  loaded(unit) &&
  !(
    unit.ok &&
    (unit.value.mainPid > 0 || ['active', 'activating', 'deactivating'].includes(unit.value.active))
  );

/** systemd has in memory what stands on the disk: a start would use the rest of what a cut left behind. */
const loaded = (unit: Situation['seen']['unit']): boolean => unit.ok && !unit.value.needsReload;

/** While nobody says whom the cluster lists, what has been staged is left as it is. */
const staged = (s: Situation): boolean =>
  s.seen.swap.staged?.state === 'existing' &&
  loaded(s.seen.unit1) &&
  (s.joined || s.cluster.members.length === 0 || s.seen.swap.staged.initialCluster === expectedCluster(s));

const emptyEnough = ({ seen: { data } }: Situation): boolean =>
  data.kind === 'empty' && data.walDir !== 'link';

/** The new member runs and has not written its WAL yet: what stands in the data dir is its own. */
const arriving = (s: Situation): boolean =>
  up(s) && s.unit === (s.seen.unit1.ok ? s.seen.unit1.value : undefined) && s.seen.data.kind === 'no-wal';

const LOCAL: readonly GuardId[] = ['role', 'unit-file', 'data-dir', 'app-quiet'];
const ALL_FOR_A_NEW_MEMBER: readonly GuardId[] = [
  ...LOCAL,
  'stale',
  'not-serving',
  'own-data',
  'not-ahead',
  'birthmark',
  'quorum',
  'agreement',
  'own-member',
  'certificates',
  'daily-limit',
  'disk-room',
  'swap-room',
];

/**
 * The heal, whole: reversible steps first, so that the cluster is short of a member for as brief a time as
 * possible. The runner takes the first row that is not done.
 */
export const healSteps: readonly HealStep[] = [
  {
    id: 'fence',
    runbookStep: 1,
    what: 'move the unit aside, so that nothing restarts etcd, and stop it',
    typed: 'mv etcd.service etcd1.service; systemctl daemon-reload; systemctl stop etcd',
    needs: ALL_FOR_A_NEW_MEMBER,
    looks: [],
    done: (s) => s.joined || fenced(s),
    act: act.fence,
    undo: act.putUnitBack,
  },
  {
    id: 'set-aside',
    runbookStep: 3,
    what: 'rename the data dir aside; nothing is deleted',
    typed: 'rm -rf $dataDir',
    needs: [...LOCAL, 'stale', 'own-data', 'not-ahead', 'birthmark'],
    looks: [],
    done: (s) => s.joined || emptyEnough(s) || arriving(s),
    act: act.setAside,
    undo: act.bringDataBack,
  },
  {
    id: 'stage',
    runbookStep: 3,
    what: 'make the unit and environment that join an existing cluster, as its members list it',
    typed: 'cp etcd.env etcd1.env; vi etcd1.env etcd1.service; systemctl daemon-reload',
    needs: ['role'],
    looks: [],
    done: (s) => homeAndJoined(s) || staged(s),
    act: act.stage,
    undo: act.unstage,
  },
  {
    id: 'remove',
    runbookStep: 2,
    what: "remove this member's old ID from the cluster",
    typed: 'etcdctl member list; etcdctl member remove $oldMemberId',
    needs: ALL_FOR_A_NEW_MEMBER,
    looks: ['files', 'units', 'self', 'cluster'],
    done: (s) => s.joined || (s.cluster.members.length > 0 && (!s.cluster.own || s.cluster.own.name === '')),
    act: act.removeOldMember,
  },
  {
    id: 'add',
    runbookStep: 2,
    what: "add this member's name and peer URLs as a new member",
    typed: 'etcdctl member add $name --peer-urls=$peerUrls',
    needs: ['role', 'app-quiet', 'birthmark', 'quorum', 'agreement', 'own-member'],
    looks: ['files'],
    done: (s) => s.joined || s.cluster.own?.name === '',
    act: act.addNewMember,
  },
  {
    id: 'start',
    runbookStep: 3,
    what: 'start etcd on the existing-state unit',
    typed: 'systemctl start etcd1',
    needs: ['role'],
    looks: [],
    done: (s) => up(s) && (s.joined || arriving(s) || s.unit?.active === 'activating'),
    act: act.startMember,
  },
  {
    id: 'verify',
    runbookStep: 4,
    what: 'wait until the member is healthy, listed once, and its data equal those of the others',
    typed: 'etcdctl endpoint health; etcdctl member list; etcdctl endpoint health --cluster',
    needs: [],
    looks: [],
    done: (_, { verified }) => verified,
    act: act.verify,
  },
  {
    id: 'restore',
    runbookStep: 5,
    what: 'put the original unit back byte for byte, drop the copies, and start etcd on it',
    typed:
      'mv etcd1.service etcd.service; rm etcd1.env; vi etcd.service; systemctl daemon-reload; systemctl stop etcd1; systemctl start etcd',
    needs: [],
    looks: [],
    done: (s) => onOriginals(s) && !s.seen.swap.originals && up(s),
    act: act.restore,
  },
  {
    id: 'confirm',
    runbookStep: 6,
    what: 'see the member healthy on its originals',
    typed: 'etcdctl endpoint health; look at the console',
    needs: [],
    looks: [],
    done: (_, { confirmed }) => confirmed,
    act: act.confirm,
  },
];

/** The first step that the world does not show as done; undefined when all are. */
export const firstNotDone = (s: Situation, run: RunMemory): HealStep | undefined =>
  healSteps.find((step) => !step.done(s, run));
