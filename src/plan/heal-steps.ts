import { isLogShort } from '../diagnose/log-words.ts';
import type { Situation } from '../diagnose/situation.ts';
import { isAside, isBusy, isUp } from '../observe/look-at-units.ts';
import type { Part } from '../observe/observation.ts';
import type { HealRecord } from '../state/heal-record.ts';
import { byHand } from './by-hand.ts';
import { expectedCluster } from './expected-cluster.ts';
import type { Asked } from './guards.ts';
import texts from './heal-steps.json';

/** What one run of a heal has learned and the world does not show; a run that takes it up begins without it. */
export const nothingLearned = () => ({
  /** Guards have found the data stale in this run, before they were moved. */
  provenStale: false,
  /**
   * Whose data those were; empty where there were none. systemd forgets the last run of a unit that is moved aside, and
   * its log with it: without this they would look whole again.
   */
  staleMemberId: '',
  /** What proved it was a log that is too short: started without a quorum of others, it could lose committed writes. */
  logShort: false,
  /** The new member, as the heal has written it down when it was added. */
  newMemberId: '',
  /** This run has seen every member that serves list the new member, and no longer the old one. */
  listedByAll: false,
  /** Verify has passed in this run. */
  verified: false,
  /** Confirm has seen the member well on its originals in this run. */
  confirmed: false,
});

export type RunMemory = ReturnType<typeof nothingLearned>;

/** One step of the heal: data and pure functions. What it does to the world stands in src/act/heal/effects.ts. */
interface StepRow {
  /** What must hold: guards asked right before it acts. */
  readonly needs?: Asked;
  /** What is observed again right before. */
  readonly looksBefore?: readonly Part[];
  /** What it changes, and is observed again right after; membership calls return the new list themselves. */
  readonly looksAfter?: readonly Part[];
  /** How the world shows that it is done, or no longer called for. */
  readonly done: (s: Situation, run: RunMemory) => boolean;
  /** It can be taken back, or may stay; the first of which neither holds is the point of no return. */
  readonly reversible?: true | 'may stay';
  /** What this run learns from the situation in which the step begins. */
  readonly learns?: (s: Situation) => Partial<RunMemory>;
}

/** The original unit is back and nothing of the swap is left. */
const onOriginals = ({ swapped, observed: { swap, copyUnit } }: Situation): boolean =>
  !swapped && swap.unitFile === 'file' && !swap.copyDropIns && !(copyUnit.ok && isUp(copyUnit.value));

/** Its etcd runs, or is on its way up. */
export const up = ({ unit }: Situation): boolean => unit !== undefined && isUp(unit);

/**
 * The data are those of the member that is listed, and nothing in this boot or in this run has proved them bad; or, where
 * nobody says whom the cluster lists, of the one that this heal has added: without it there may be no quorum. Once verify
 * has passed they are so to the end of the run: read while etcd writes it, a log may look torn.
 */
export const joined = (s: Situation, run: RunMemory): boolean => {
  const { memberId, kind } = s.observed.data;
  // One that was cut off before its first data had come cannot have lost any, unless it is known to have served.
  const hasServed = s.cluster.known.some(({ id, name }) => id === memberId && name !== '');
  const isThere = kind === 'data' || (kind === 'founding' && !hasServed);
  const isSound = isThere && !s.foreign && !s.provenStale && s.examination?.kind !== 'damaged';
  const isNew = isSound && memberId === run.newMemberId && s.cluster.members.length === 0;
  return run.verified || ((s.joined || isNew) && memberId !== run.staleMemberId);
};

const fenced = ({ observed: { swap, unit } }: Situation): boolean =>
  isAside(swap) &&
  swap.originals &&
  // Of a masked unit that has drop-ins systemd (252) says that it needs a reload after every reload.
  unit.ok &&
  (loaded(unit) || unit.value.load === 'masked') &&
  !(unit.value.mainPid > 0 || isBusy(unit.value));

/** systemd has in memory what stands on the disk: a start would use the rest of what a cut left behind. */
const loaded = (unit: Situation['observed']['unit']): boolean => unit.ok && !unit.value.needsReload;

/**
 * Where the environment has been changed since, its copy is none any more: what was wrong with it, and has been put
 * right, would stay there. Under an etcd that runs it is left as it is, and while nobody says whom the cluster lists.
 */
const staged = (s: Situation, run: RunMemory): boolean =>
  s.observed.swap.staged?.state === 'existing' &&
  (s.observed.swap.staged.asOriginal || up(s)) &&
  !s.stagedBefore &&
  loaded(s.observed.copyUnit) &&
  (joined(s, run) ||
    s.cluster.members.length === 0 ||
    s.observed.swap.staged.initialCluster === expectedCluster(s));

const emptyEnough = ({ observed: { data } }: Situation): boolean =>
  data.kind === 'none' && !data.occupied && data.walDir !== 'link';

/**
 * The new member runs on the copy: what stands in the data dir is its own, unless the log says that it is another's. A
 * log that is being written may not say anything for a moment. What dies of its data again and again is no new member,
 * but the old one, started on the copy by a run that did not know what was wrong with them.
 */
const arriving = (s: Situation): boolean => {
  const { memberId } = s.observed.data;
  const onCopy = s.observed.copyUnit.ok && s.unit === s.observed.copyUnit.value;
  const dies = s.process === 'dead' && s.provenStale;
  return up(s) && onCopy && !dies && (memberId === '' || !s.cluster.own || memberId === s.cluster.own.id);
};

/** What the guards have found by now; nothing of it is forgotten when a later look does not show it any more. */
const provenBad = (s: Situation) => ({ provenStale: true, ...(isLogShort(s) && { logShort: true }) });

/** Whose data and whose entry they are, and whether nothing is lost with them. */
const ITS_DATA = ['own-data', 'own-member', 'not-ahead', 'birthmark'] as const;

/**
 * The heal, whole: reversible steps first, so that the cluster is short of a member for as brief a time as
 * possible. The runner takes the first row that is not done. What people are told of each stands in heal-steps.json: the
 * runbook's step that it replaces (docs/runbook.md), 0 where the runbook takes it for granted; what it does; and how the
 * world shows that it is done, which is `done` as a sentence.
 */
const rows = {
  certificates: {
    needs: 'all',
    looksBefore: ['files', 'units', 'self', 'cluster'],
    looksAfter: ['files', 'units', 'host'],
    done: (s) => !s.certificatesToBring,
    reversible: 'may stay',
  },
  fence: {
    needs: 'all',
    looksBefore: ['files', 'units', 'self', 'cluster'],
    looksAfter: ['files', 'units'],
    done: (s, run) => joined(s, run) || fenced(s),
    reversible: true,
    learns: (s) => ({ ...provenBad(s), ...(s.owner && { staleMemberId: s.owner.memberId }) }),
  },
  'set-aside': {
    needs: ['role', 'unit-file', 'data-dir', 'app-quiet', 'stale', ...ITS_DATA],
    looksAfter: ['files'],
    done: (s, run) => joined(s, run) || emptyEnough(s) || arriving(s),
    reversible: true,
    // Etcd that had been started meanwhile is stopped first, which may hide how it ended before.
    learns: provenBad,
  },
  stage: {
    needs: ['role'],
    looksAfter: ['files', 'units'],
    // Its data fit and the original unit is in place: it only has to come up and be looked at.
    done: (s, run) => (joined(s, run) && s.observed.swap.unitFile === 'file') || staged(s, run),
    reversible: true,
  },
  remove: {
    needs: 'all',
    looksBefore: ['files', 'units', 'self', 'cluster'],
    done: (s, run) =>
      joined(s, run) ||
      s.membership === 'unlisted' ||
      (s.membership === 'unstarted' && s.cluster.own?.id !== run.staleMemberId),
  },
  add: {
    needs: ['role', 'app-quiet', 'birthmark', 'quorum', 'agreement', 'own-member', 'mounted'],
    looksBefore: ['files', 'units'],
    done: (s, run) => joined(s, run) || (s.membership === 'unstarted' && (run.listedByAll || up(s))),
  },
  start: {
    needs: ['role'],
    looksAfter: ['files', 'units'],
    done: (s, run) =>
      up(s) && !s.isEnvOld && (joined(s, run) || arriving(s) || s.unit?.active === 'activating'),
  },
  verify: {
    // With the unit back `restore` was cut off: by etcd.env, which may be new by now, the copy's etcd may never serve.
    done: ({ observed: { swap, copyUnit } }, { verified }) =>
      verified || (swap.originals && swap.unitFile === 'file' && copyUnit.ok && isUp(copyUnit.value)),
  },
  restore: {
    looksAfter: ['files', 'units'],
    done: (s) => onOriginals(s) && up(s),
  },
  confirm: {
    done: (_, { confirmed }) => confirmed,
  },
} as const satisfies Readonly<Record<keyof typeof texts, StepRow>>;

export type StepId = keyof typeof rows;
/** With its texts, and with what a person would do in its place (src/plan/by-hand.sh). */
export type HealStep = StepRow & { readonly id: StepId } & (typeof texts)[StepId] & ReturnType<typeof byHand>;
const stepOf = (id: StepId): HealStep => ({ ...rows[id], ...texts[id], ...byHand(id), id });
export const healSteps: readonly HealStep[] = (Object.keys(rows) as StepId[]).map(stepOf);

/** Whether a heal, as it was written down, went past the point of no return: it changed the member list. */
export const changedTheCluster = ({ steps, outcome }: Pick<HealRecord, 'steps' | 'outcome'>): boolean =>
  outcome === 'healed' ||
  steps.some(({ id }) => healSteps.some((step) => step.id === id && !step.reversible));

/** The first step that the world does not show as done; undefined when all are. */
export const firstNotDone = (s: Situation, run: RunMemory): HealStep | undefined =>
  healSteps.find((step) => !step.done(s, run));
