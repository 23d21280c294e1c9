/** Words with which etcd ends, and what they speak for. */
export interface Signature {
  readonly id: string;
  readonly proves: 'stale' | 'local-fault';
  /** Matched on a line of either of etcd's formats as `plainLine` (src/machine/etcd/log-lines.ts) has it. */
  readonly pattern: RegExp;
  /** One sentence for people. */
  readonly means: string;
  /** Where etcd or systemd writes it. */
  readonly source: string;
}

/**
 * What the log of a failed run says of its data. It corroborates what the files show (src/diagnose/stale-proofs.ts),
 * and decides alone only for a log that is too short. To teach heal-node new words, add a row, and the lines as they
 * were recorded (test/diagnose/recorded-lines.ts); near misses stand in test/diagnose/signatures.test.ts.
 */
export const signatures: readonly Signature[] = [
  {
    id: 'already-bootstrapped',
    proves: 'stale',
    pattern: /\bmember [0-9a-f]{1,16} has already been bootstrapped\b/,
    means: 'its data dir is gone or without a WAL, while the cluster remembers the member as started',
    source: 'etcd etcdserver/server.go, NewServer',
  },
  {
    id: 'removed',
    proves: 'stale',
    pattern: /\bthe member has been permanently removed from the cluster\b/,
    means: 'the cluster has removed the member that these data belong to',
    source: 'etcd etcdserver/server.go, ErrMemberRemoved',
  },
  {
    id: 'wal-damaged',
    proves: 'stale',
    pattern:
      /\bwalpb: crc mismatch\b|\bread wal error \(.+\) and cannot be repaired\b|\bfailed to read WAL, cannot be repaired\b/,
    means: 'bytes in its write-ahead log have changed',
    source: 'etcd wal/walpb/record.go, ErrCRCMismatch; etcdserver/storage.go, readWAL',
  },
  {
    id: 'wal-garbled',
    proves: 'stale',
    pattern:
      /\bproto: (Record: (illegal tag|wiretype end group)|wrong wireType = \d+ for field (Type|Crc|Data)\b)/,
    means: 'a record of its write-ahead log is not one any more',
    source: 'etcd wal/walpb/record.pb.go, Record.Unmarshal, by wal.ValidSnapshotEntries',
  },
  {
    id: 'wal-incomplete',
    proves: 'stale',
    pattern: /\b(open wal error: |failed to open WAL error=)wal: (file not found|files? not match)/,
    means: 'files of its write-ahead log are missing',
    source: 'etcd wal/wal.go, ErrFileNotFound; etcdserver/storage.go, readWAL',
  },
  {
    id: 'log-short',
    proves: 'stale',
    pattern: /\btocommit\(\d+\) is out of range \[lastIndex\(\d+\)\]/,
    means: 'its log ends before what it had already acknowledged: a cut log or an older copy',
    source: 'etcd raft/log.go, commitTo',
  },
  {
    id: 'db-damaged',
    proves: 'stale',
    pattern:
      /\b(cannot open database at \S+\/snap\/db \(|failed to open database path=\S+\/snap\/db error=)(invalid database|file size too small|checksum error|version mismatch)/,
    means: 'its database file cannot be opened',
    source: 'etcd mvcc/backend/backend.go, newBackend; bbolt errors.go',
  },
  {
    id: 'half-added',
    proves: 'stale',
    pattern: /\berror validating peerURLs .*\bmember count is unequal\b/,
    means: 'it was removed and added again, but its environment does not list the cluster as it is',
    source: 'etcd etcdserver/api/membership/cluster.go, ValidateClusterAndAssignIDs',
  },
];
