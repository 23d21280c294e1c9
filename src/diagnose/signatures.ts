/** One line that etcd or systemd writes, and what it proves. */
export interface Signature {
  readonly id: string;
  /** Which kind of verdict it speaks for. */
  readonly proves: 'stale' | 'local-fault';
  readonly pattern: RegExp;
  /** One sentence for people. */
  readonly means: string;
  /** Where etcd or systemd writes it. */
  readonly source: string;
  /** A line as it was recorded. */
  readonly example: string;
}

/**
 * What the log of a failed run can prove. To teach heal-node a new failure, add a row; its example is its test
 * (test/diagnose/signatures.test.ts), and near misses stand there.
 */
export const signatures: readonly Signature[] = [
  {
    id: 'already-bootstrapped',
    proves: 'stale',
    pattern: /\bmember [0-9a-f]{1,16} has already been bootstrapped\b/,
    means: 'its data dir is gone or without a WAL, while the cluster remembers the member as started',
    source: 'etcd etcdserver/server.go, NewServer',
    example: 'member 3e1cf3c4299a991 has already been bootstrapped',
  },
  {
    id: 'removed',
    proves: 'stale',
    pattern: /\bthe member has been permanently removed from the cluster\b/,
    means: 'the cluster has removed the member that these data belong to',
    source: 'etcd etcdserver/server.go, ErrMemberRemoved',
    example: 'the member has been permanently removed from the cluster',
  },
  {
    id: 'wal-damaged',
    proves: 'stale',
    pattern: /\bwalpb: crc mismatch\b|\bread wal error \(.+\) and cannot be repaired\b/,
    means: 'bytes in its write-ahead log have changed',
    source: 'etcd wal/walpb/record.go, ErrCRCMismatch',
    example: 'read wal error (walpb: crc mismatch) and cannot be repaired',
  },
  {
    id: 'wal-garbled',
    proves: 'stale',
    pattern:
      /\bproto: (Record: (illegal tag|wiretype end group)|wrong wireType = \d+ for field (Type|Crc|Data)\b)/,
    means: 'a record of its write-ahead log is not one any more',
    source: 'etcd wal/walpb/record.pb.go, Record.Unmarshal, by wal.ValidSnapshotEntries',
    example: 'proto: Record: illegal tag 0 (wire type 1)',
  },
  {
    id: 'log-short',
    proves: 'stale',
    pattern: /\btocommit\(\d+\) is out of range \[lastIndex\(\d+\)\]/,
    means: 'its log ends before what it had already acknowledged: a cut log or an older copy',
    source: 'etcd raft/log.go, commitTo',
    example: 'tocommit(68) is out of range [lastIndex(31)]. Was the raft log corrupted, truncated, or lost?',
  },
  {
    id: 'db-damaged',
    proves: 'stale',
    pattern:
      /\bcannot open database at \S+\/snap\/db \((invalid database|file size too small|checksum error|version mismatch)\)/,
    means: 'its database file cannot be opened',
    source: 'etcd mvcc/backend/backend.go, newBackend; bbolt errors.go',
    example: 'cannot open database at /var/lib/etcd/default.etcd/member/snap/db (invalid database)',
  },
  {
    id: 'half-added',
    proves: 'stale',
    pattern: /\berror validating peerURLs .*\bmember count is unequal\b/,
    means: 'it was removed and added again, but its environment does not list the cluster as it is',
    source: 'etcd etcdserver/api/membership/cluster.go, ValidateClusterAndAssignIDs',
    example:
      'error validating peerURLs {ClusterID:9f3b Members:[&{ID:1}] RemovedMemberIDs:[]}: member count is unequal',
  },
  {
    id: 'port-taken',
    proves: 'local-fault',
    pattern: /\blisten tcp \S+: bind: address already in use\b/,
    means: 'another process has its port; find it with `ss -ltnp` and stop it',
    source: 'Go net package, EADDRINUSE',
    example: 'listen tcp 10.77.0.12:2380: bind: address already in use',
  },
  {
    id: 'address-missing',
    proves: 'local-fault',
    pattern: /\blisten tcp \S+: bind: cannot assign requested address\b/,
    means: 'this machine does not have the address that etcd is told to listen on',
    source: 'Go net package, EADDRNOTAVAIL',
    example: 'listen tcp 10.77.0.99:2380: bind: cannot assign requested address',
  },
  {
    id: 'permission',
    proves: 'local-fault',
    pattern: /\berror listing data dir: |\bcannot access data directory: |: permission denied\b/,
    means: "etcd's user cannot read or write a file that it needs",
    source: 'etcd etcdmain/etcd.go, identifyDataDirOrDie; Go os package, EACCES',
    example: 'error listing data dir: /var/lib/etcd/default.etcd',
  },
  {
    id: 'bad-setting',
    proves: 'local-fault',
    pattern: /\berror verifying flags, /,
    means: 'a value in etcd.env is not one that etcd takes; the app writes the file anew on restart',
    source: 'etcd etcdmain/etcd.go, startEtcdOrProxyV2',
    example:
      'error verifying flags, invalid value "abc" for ETCD_HEARTBEAT_INTERVAL: parse error. See \'etcd --help\'.',
  },
  {
    id: 'disk-full',
    proves: 'local-fault',
    pattern: /: no space left on device\b/,
    means: 'the disk is full; make room on it',
    source: 'Go syscall package, ENOSPC',
    example: 'write /var/lib/etcd/default.etcd/member/wal/0.tmp: no space left on device',
  },
];
