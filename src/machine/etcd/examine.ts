import { HeldDir, ifThere } from '../os/held-dir.ts';
import { Damaged } from './bolt-file.ts';
import { type Budget, budgetOf } from './bounded-file.ts';
import type { Damage, ExamineOptions } from './examination.ts';
import { damageOfLog } from './log-damage.ts';
import { newestSnapshot, type Snapshot } from './read-snapshots.ts';
import { DatabaseScan, scanDatabase } from './scan-database.ts';
import { LogScan, segmentsOf } from './scan-log.ts';

/** These take records of any length, and cut off one that is longer than the rest of the file (wal/decoder.go). */
const SINCE_3_5 = /^(3\.([5-9]|\d\d)|[4-9])/;

/** One examination: the parts that it looks at, in the order in which etcd does. */
class Examiner {
  private readonly budget: Budget;
  private readonly damage: Damage[] = [];
  private readonly notLookedAt: string[] = [];
  private readonly log = new LogScan();
  private database = new DatabaseScan();
  private snapshot: Snapshot = { index: 0, term: 0 };
  private snapDir: HeldDir | undefined;
  private snapNames: readonly string[] = [];
  private hasLog: boolean | undefined;
  /** Every record of the log was read, up to its end or to what etcd refuses. */
  private logRead = false;

  constructor(private readonly options: ExamineOptions) {
    this.budget = budgetOf(options);
  }

  /** @returns whether it was done to its end; a limit, a link or a failing disk says nothing about the data */
  private attempt(what: string, look: () => void): boolean {
    try {
      look();
      return true;
    } catch (error) {
      this.notLookedAt.push(`${what}: ${(error as Error).message}`);
      return false;
    }
  }

  private say(file: string, what: string): void {
    this.damage.push({ file, what });
  }

  look(walDir: string, snapDir: string): void {
    using held = new DisposableStack();
    const open = (path: string) => held.use(ifThere(() => HeldDir.open(path)));
    this.attempt('the snapshots and the database', () => {
      this.snapDir = open(snapDir);
      this.snapNames = this.snapDir?.names() ?? [];
    });
    this.attempt('the log', () => this.all(open(walDir)));
  }

  private all(dir: HeldDir | undefined): void {
    const { log, budget, options } = this;
    const names = dir?.names() ?? [];
    this.hasLog = names.some((name) => name.endsWith('.wal')); // wal/util.go, `Exist`
    // Each of a log's files begins with whose it is, and with the state of then (wal/wal.go, `cut`): the last two say what
    // was committed, however long the log is.
    const segments = segmentsOf(names).slice(options.depth === 'log' ? -2 : 0);
    if (this.hasLog && segments.length === 0)
      this.say('wal', 'file not found: none has the name of a log’s file');
    if (dir !== undefined && segments.length > 0)
      this.logRead = this.attempt('the log', () => log.read(dir, segments, budget, options.depth === 'kind'));
    if (options.depth === 'kind' && this.logRead && !log.founding && log.problems.length === 0) {
      this.logRead = false;
      return void this.notLookedAt.push('more than its kind: it was not asked for');
    }
    if (options.depth === 'log') return void this.notLookedAt.push('the database: it was not asked for');
    const snapshotKnown = this.logRead && this.readSnapshots();
    const hasDatabase = this.snapNames.includes('db');
    if (hasDatabase) this.scan('db');
    if (log.tooLong && SINCE_3_5.test(this.database.clusterVersion)) {
      this.logRead = false;
      this.notLookedAt.push('the log from a record on that etcd 3.4 would refuse for its length');
    } else if (snapshotKnown) this.damage.push(...damageOfLog(segments, log, this.snapshot));
    this.readReceived(hasDatabase);
  }

  /** etcd starts from the newest snapshot that the log has recorded as committed. */
  private readSnapshots(): boolean {
    const recorded = this.log.snapshots.filter(({ index }) => index <= this.log.commit);
    return this.attempt('the snapshots', () => {
      const { snapDir, budget, snapshot } = this;
      this.snapshot = (snapDir && newestSnapshot(snapDir, recorded, budget)) ?? snapshot;
    });
  }

  /** The database must not be older than the snapshot, unless the one that came with that is there. */
  private readReceived(hasDatabase: boolean): void {
    const { index } = this.snapshot;
    const applied = () => Number(this.database.applied ?? (hasDatabase ? Number.POSITIVE_INFINITY : 0));
    if (this.damage.length > 0 || index <= applied()) return;
    // etcdserver/backend.go, `recoverSnapshotBackend`: the one that came with the snapshot takes its place.
    const received = `${index.toString(16).padStart(16, '0')}.snap.db`;
    const without = `the snapshot is at index ${index}`;
    if (!hasDatabase) this.say('db', `the database is missing, and ${without}`);
    else if (!this.snapNames.includes(received))
      this.say('db', `it has applied index ${applied()}, ${without}, and ${received} is missing`);
    else if (this.scan(received) && applied() !== 0 && applied() < index)
      this.say(received, `it has applied index ${applied()} and does not match: ${without}`);
  }

  private scan(name: string): boolean {
    return this.attempt(name, () => {
      using held = this.snapDir?.openFile(name);
      if (held === undefined) return;
      this.database = new DatabaseScan();
      try {
        scanDatabase(held, this.budget, this.database, (what) => this.notLookedAt.push(`${name}: ${what}`));
      } catch (error) {
        // Whose kind alone is asked for may run, and the database of one that runs cannot be judged.
        if (!(error instanceof Damaged) || this.options.depth !== 'all') throw error;
        this.damage.push({ file: name, at: error.at, what: error.message });
      }
    });
  }

  result() {
    const { damage, notLookedAt, log, snapshot } = this;
    const { applied, removed, clusterVersion } = this.database;
    const lastIndex = BigInt(Math.max(log.lastEntry, snapshot.index));
    const logShort = this.logRead && applied !== undefined && applied > lastIndex;
    return {
      kind: this.kind(logShort),
      /** A leader was elected, and this member followed it: it has been in a cluster that served. */
      elected: log.elected,
      /** What etcd does not start with; empty unless the kind is damaged. */
      damage,
      /** Whose data these are: hexadecimal, as etcdctl prints it; empty when not known. */
      memberId: log.memberId,
      clusterId: log.clusterId,
      term: BigInt(log.term),
      /** The highest index that this member knew to be committed when it last wrote its state. */
      commit: BigInt(log.commit),
      /** The index of the last entry of the log, or of the snapshot that it begins with; 0 with a blank log. */
      lastIndex,
      /** The term of the last entry; 0 where the log has none. */
      lastTerm: BigInt(log.lastTerm),
      /** The last entry that the database has applied, 0 when it has none; undefined when that could not be read. */
      applied,
      /**
       * The log ends before what the database has applied: entries are lost that this member had acknowledged. etcd does
       * not notice; it answers no write until its log has caught up, and its vote could elect a leader that lacks them.
       */
      logShort,
      /** By these data themselves the member was removed from its cluster: etcd ends soon after it has started. */
      isRemoved: removed.includes(log.memberId),
      /** As the database has it, such as `3.4.0`; empty when it has none. */
      clusterVersion,
      /** The log was read to its end, or to where it is damaged: what it has committed is known. */
      logRead: this.logRead,
      /** Where etcd refuses a record it reads no further: more may have been committed than is known. */
      brokenOff: log.problems.length > 0,
      /** What was not looked at, and why; nothing is said about that. */
      notLookedAt,
    };
  }

  /**
   * none: no write-ahead log; founding: nothing but a cluster being founded, and no write of a client ever; whole:
   * etcd starts with it, as far as was looked; damaged: etcd refuses it; unknown: too little could be looked at.
   */
  private kind(logShort: boolean): 'none' | 'founding' | 'whole' | 'damaged' | 'unknown' {
    if (this.damage.length > 0) return 'damaged';
    if (this.hasLog === undefined) return 'unknown';
    if (!this.hasLog) return 'none';
    const isFounding = this.log.founding && !this.snapNames.some((name) => name.endsWith('.snap'));
    if (isFounding && !logShort) return this.logRead ? 'founding' : 'unknown';
    return this.log.memberId === '' ? 'unknown' : 'whole';
  }
}

/** What stands in a data dir, read without starting anything. */
export type Examination = Readonly<ReturnType<Examiner['result']>>;

/**
 * Says what stands in a data dir, as etcd 3.4 or 3.5 would find it: docs/examiner.md. Nothing is changed, no link is
 * followed, nothing is thrown. It blocks for `options.ms` at most; a limit that is reached leaves the rest not looked
 * at, which is never damage. Only where no etcd runs: a log that is being written reads as torn.
 * @param walDir where the log is: `<dataDir>/member/wal` unless etcd has it elsewhere
 */
export function examine(dataDir: string, walDir: string, options: ExamineOptions): Examination {
  const examiner = new Examiner(options);
  examiner.look(walDir, `${dataDir}/member/snap`);
  return examiner.result();
}
