/** What was found, and where: the file's name, and the byte where that is known. */
export interface Damage {
  readonly file: string;
  readonly at?: number;
  readonly what: string;
}

export interface StoredMember {
  /** Hexadecimal, as etcdctl prints it. */
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What stands in a data dir, read without starting anything. */
export interface Examination {
  /**
   * none: no write-ahead log; founding: nothing but a cluster being founded, and no write of a client ever; whole:
   * etcd starts with it, as far as was looked; damaged: etcd refuses it; unknown: too little could be looked at.
   */
  readonly kind: 'none' | 'founding' | 'whole' | 'damaged' | 'unknown';
  /** A leader was elected, and this member followed it: it has been in a cluster that served. */
  readonly elected: boolean;
  /** What etcd does not start with; empty unless the kind is damaged. */
  readonly damage: readonly Damage[];
  /** Whose data these are: hexadecimal, as etcdctl prints it; empty when not known. */
  readonly memberId: string;
  readonly clusterId: string;
  readonly term: bigint;
  /** The highest index that this member knew to be committed when it last wrote its state. */
  readonly commit: bigint;
  /** The index of the last entry of the log, or of the snapshot that it begins with; 0 with a blank log. */
  readonly lastIndex: bigint;
  /** The term of the last entry; 0 where the log has none. */
  readonly lastTerm: bigint;
  /** The index of the raft snapshot that etcd starts from; 0 when there is none. */
  readonly snapshot: bigint;
  /** The last entry that the database has applied, 0 when it has none; undefined when that could not be read. */
  readonly applied: bigint | undefined;
  /**
   * The log ends before what the database has applied: entries are lost that this member had acknowledged. etcd does
   * not notice; it answers no write until its log has caught up, and its vote could elect a leader that lacks them.
   */
  readonly logShort: boolean;
  /** The log's last record has no end, or was never written whole: etcd cuts the log off there, and starts. */
  readonly torn: Damage | undefined;
  /** By these data themselves the member was removed from its cluster: etcd ends soon after it has started. */
  readonly isRemoved: boolean;
  /** As the database has them: added to the cluster, and not removed. */
  readonly members: readonly StoredMember[];
  /** As the database has it, such as `3.4.0`; empty when it has none. */
  readonly clusterVersion: string;
  /** The log was read to its end, or to where it is damaged: what it has committed is known. */
  readonly logRead: boolean;
  /** What was not looked at, and why; nothing is said about that. */
  readonly notLookedAt: readonly string[];
}

export type Depth = 'kind' | 'log' | 'all';

export interface ExamineOptions {
  /** Reading stops when so many bytes have been read, or so many milliseconds have passed. */
  readonly bytes: number;
  readonly ms: number;
  /**
   * kind: stop as soon as it is known whose data these are, and that they are more than a founding; term, commit and
   * last index are then those of the log's beginning. log: the log alone. all: the database too, where no etcd runs.
   */
  readonly depth: Depth;
}
