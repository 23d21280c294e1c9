import type { HeldDir } from '../os/held-dir.ts';
import { Budget, type Limits } from './bounded-file.ts';
import { newestSnapshot, type Snapshot } from './read-snapshots.ts';
import { Damaged, type DatabaseScan, type StoredMember, scanDatabase } from './scan-database.ts';
import { type Segment, scanWal, segmentsOf, type WalScan } from './scan-wal.ts';

export interface Damage {
  /** The file's name. */
  readonly file: string;
  /** The byte where it was found. */
  readonly at?: number;
  readonly what: string;
}

/** What stands in a data dir, read without starting anything. */
export interface Examination {
  /**
   * none: no write-ahead log; founding: nothing but a cluster being founded, no write of a client ever; whole: etcd
   * starts with it, as far as was looked; damaged: etcd refuses it; unknown: the log could not be looked at.
   */
  readonly kind: 'none' | 'founding' | 'whole' | 'damaged' | 'unknown';
  /** A leader was elected, and this member followed it: it has been in a cluster that served. */
  readonly elected: boolean;
  /** What etcd does not start with. */
  readonly damage: readonly Damage[];
  /** Whose data these are: hexadecimal, as etcdctl prints it; empty when not known. */
  readonly memberId: string;
  readonly clusterId: string;
  readonly term: bigint;
  /** The highest index that this member knew to be committed when it last wrote its state. */
  readonly commit: bigint;
  /** The index of the last entry of the log, or of the snapshot that it begins with. */
  readonly lastIndex: bigint;
  /** The index of the raft snapshot that etcd starts from; 0 when there is none. */
  readonly snapshot: bigint;
  /** The last entry that the database has applied; undefined when that could not be read. */
  readonly applied: bigint | undefined;
  /**
   * The log ends before what the database has applied: entries are lost that this member had acknowledged. etcd
   * does not notice, and its vote could elect a leader that lacks them.
   */
  readonly logShort: boolean;
  /** The log's last record is torn, from this byte of this file: etcd cuts it off there. */
  readonly torn: Damage | undefined;
  /** As the database has them: those that were added to the cluster and not removed. */
  readonly members: readonly StoredMember[];
  readonly clusterVersion: string;
  /** The log was read to its end, or to where it is damaged: what it has committed is known. */
  readonly logRead: boolean;
  /** What was not looked at, and why; nothing is said about that. */
  readonly notLookedAt: readonly string[];
}

export interface ExamineOptions extends Limits {
  /** Stop when it is known whose data these are and whether they are more than a founding. */
  readonly onlyKind?: boolean;
}

/** Where the files are; undefined for a directory that is not there. */
export interface EtcdDirs {
  readonly wal: HeldDir | undefined;
  readonly snap: HeldDir | undefined;
}

/** Of a dir that could not be opened at all. */
export const notExamined = (why: string): Examination => ({
  kind: 'unknown',
  elected: false,
  damage: [],
  memberId: '',
  clusterId: '',
  term: 0n,
  commit: 0n,
  lastIndex: 0n,
  snapshot: 0n,
  applied: undefined,
  logShort: false,
  torn: undefined,
  members: [],
  clusterVersion: '',
  logRead: false,
  notLookedAt: [why],
});

const NO_SCAN = (): WalScan => ({
  memberId: '',
  clusterId: '',
  term: 0,
  commit: 0,
  lastEntry: 0,
  jump: 0,
  snapshots: [],
  founding: false,
  elected: false,
  torn: undefined,
  problems: [],
});

/** The file that etcd reads from when it starts at a snapshot (wal/util.go, `searchIndex`); -1 when none is. */
const firstRead = (segments: readonly Segment[], snapshot: number): number =>
  segments.findLastIndex(({ index }) => index <= snapshot);

/** What etcd refuses in a log that was read to its end, when it starts from `snapshot`. */
function* damageOfLog(segments: readonly Segment[], log: WalScan, snapshot: Snapshot): Generator<Damage> {
  const from = firstRead(segments, snapshot.index);
  const [first] = segments;
  if (first === undefined) return;
  if (from < 0) {
    const what = `file not found: the log begins at index ${first.index}, and the snapshot is at ${snapshot.index}`;
    yield { file: first.name, what };
    return;
  }
  for (const { segment, at, what, readFrom } of log.problems)
    if (readFrom === undefined || from <= readFrom) yield { file: segment.name, at, what };
  // wal/util.go, `isValidSeq`, which takes no notice of a gap behind sequence 0.
  const gap = segments.find(({ sequence }, n) => {
    const before = segments[n - 1]?.sequence;
    return n > from && before !== undefined && before !== 0 && sequence !== before + 1;
  });
  if (gap) yield { file: gap.name, what: 'file not found: the file before it is missing' };
  if (log.problems.some(({ readFrom }) => readFrom === undefined)) return; // nothing behind it was read
  const last = segments.at(-1)?.name ?? '';
  if (log.jump > snapshot.index + 1)
    yield { file: last, what: `entries before index ${log.jump} are missing` };
  const other = log.snapshots.find(({ index, term }) => index === snapshot.index && term !== snapshot.term);
  if (other)
    yield {
      file: last,
      what: `snapshot mismatch: index ${other.index} in terms ${other.term} and ${snapshot.term}`,
    };
  if (/^0*$/.test(log.memberId)) yield { file: last, what: 'it does not say whose data these are' };
  // raft/raft.go, `loadState`
  const lastIndex = Math.max(log.lastEntry, snapshot.index);
  const empty = log.term === 0 && log.commit === 0;
  if (!empty && (log.commit < snapshot.index || log.commit > lastIndex))
    yield {
      file: last,
      what: `state.commit ${log.commit} is out of range [${snapshot.index}, ${lastIndex}]`,
    };
}

/**
 * Says what stands in a data dir, as etcd 3.4 would find it. Nothing is changed, no link is followed, and nothing is
 * thrown. It blocks for `limits.ms` at most; a limit that is reached leaves the rest not looked at, which is never
 * damage. Only where no etcd runs: a log that is being written reads as torn.
 */
export function examine({ wal, snap }: EtcdDirs, options: ExamineOptions): Examination {
  const budget = new Budget(options);
  const notLookedAt: string[] = [];
  const damage: Damage[] = [];
  /** @returns whether it was done, to its end */
  const attempt = (what: string, look: () => void): boolean => {
    try {
      look();
      return true;
    } catch (error) {
      notLookedAt.push(`${what}: ${(error as Error).message}`);
      return false;
    }
  };

  let segments: Segment[] = [];
  const log = NO_SCAN();
  let hasLog = false;
  const named = attempt('the log', () => {
    const names = wal?.names() ?? [];
    hasLog = names.some((name) => name.endsWith('.wal'));
    segments = segmentsOf(names);
  });
  if (hasLog && segments.length === 0)
    damage.push({ file: 'wal', what: 'file not found: no file of the log has a name of the log’s' });
  const logRead =
    segments.length > 0 &&
    wal !== undefined &&
    attempt('the log', () => scanWal(wal, segments, budget, options.onlyKind ?? false, log));

  let names: readonly string[] = [];
  attempt('the snapshots', () => {
    names = snap?.names() ?? [];
  });
  const founding = log.founding && logRead && !names.some((name) => name.endsWith('.snap'));
  if (options.onlyKind && logRead && !founding && log.problems.length === 0) {
    notLookedAt.push('what stands behind the first entry that is not one of a founding');
  }
  const stopsHere = notLookedAt.length > 0 && options.onlyKind;

  // etcd starts from the newest snapshot that the log has recorded as committed.
  let snapshot: Snapshot = { index: 0, term: 0 };
  const snapshotKnown =
    logRead &&
    !stopsHere &&
    snap !== undefined &&
    attempt('the snapshots', () => {
      const recorded = log.snapshots.filter(({ index }) => index <= log.commit);
      snapshot = newestSnapshot(snap, names, recorded, budget) ?? snapshot;
    });
  if (logRead && !stopsHere && (snapshotKnown || snap === undefined))
    damage.push(...damageOfLog(segments, log, snapshot));

  const db: DatabaseScan = { applied: 0n, members: [], clusterVersion: '' };
  let applied: bigint | undefined;
  const look = (name: string): void => {
    const held = snap?.openFile(name);
    if (held === undefined) return;
    Object.assign(db, { applied: 0n, members: [], clusterVersion: '' });
    try {
      scanDatabase(held, budget, db, (what) => notLookedAt.push(`${name}: ${what}`));
      applied = db.applied;
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      damage.push({ file: name, at: error.at, what: error.message });
    } finally {
      held.close();
    }
  };
  if (!stopsHere) {
    const hasDb = names.includes('db');
    const done = attempt('db', () => look('db'));
    // etcdserver/backend.go, `recoverSnapshotBackend`: the database that came with a newer snapshot takes its place.
    const received = `${snapshot.index.toString(16).padStart(16, '0')}.snap.db`;
    if (done && damage.length === 0 && snapshotKnown && BigInt(snapshot.index) > db.applied) {
      if (!hasDb) damage.push({ file: 'db', what: 'it is missing, and the log begins with a snapshot' });
      else if (!names.includes(received))
        damage.push({
          file: 'db',
          what: `it has applied index ${db.applied}, the snapshot is at ${snapshot.index}, and there is no ${received}`,
        });
      else if (
        attempt(received, () => look(received)) &&
        applied !== undefined &&
        applied !== 0n &&
        applied < BigInt(snapshot.index)
      )
        damage.push({
          file: received,
          what: `it has applied index ${applied} and does not match with snapshot ${snapshot.index}`,
        });
    }
  }

  const lastIndex = BigInt(Math.max(log.lastEntry, snapshot.index));
  const logShort = logRead && !stopsHere && applied !== undefined && applied > lastIndex;
  const kind = (): Examination['kind'] => {
    if (damage.length > 0) return 'damaged';
    if (!named) return 'unknown';
    if (!hasLog) return 'none';
    if (founding && !logShort) return 'founding';
    return log.memberId === '' ? 'unknown' : 'whole';
  };
  return {
    kind: kind(),
    elected: log.elected,
    damage,
    memberId: log.memberId,
    clusterId: log.clusterId,
    term: BigInt(log.term),
    commit: BigInt(log.commit),
    lastIndex,
    snapshot: BigInt(snapshot.index),
    applied,
    logShort,
    torn: log.torn && { file: log.torn.segment.name, at: log.torn.at, what: 'a record without an end' },
    members: db.members,
    clusterVersion: db.clusterVersion,
    logRead,
    notLookedAt,
  };
}
