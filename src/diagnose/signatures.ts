/** One line that etcd or systemd writes, and what it proves. */
export interface Signature {
  readonly id: string;
  /** stale: it speaks for a stale member; hint: for nothing alone, a rule asks for it beside what it sees. */
  readonly proves: 'stale' | 'local-fault' | 'hint';
  /** Matched on a line of either of etcd's formats as `plainLine` (src/machine/etcd/log-lines.ts) has it. */
  readonly pattern: RegExp;
  /** One sentence for people. */
  readonly means: string;
  /** Where etcd or systemd writes it. */
  readonly source: string;
  /** Lines as they were recorded: 3.4's two formats, and 3.5's. */
  readonly examples: readonly string[];
}

/**
 * What the log of a failed run can prove. To teach heal-node a new failure, add a row; its examples are its test
 * (test/diagnose/signatures.test.ts), and near misses stand there.
 */
export const signatures: readonly Signature[] = [
  {
    id: 'already-bootstrapped',
    proves: 'stale',
    pattern: /\bmember [0-9a-f]{1,16} has already been bootstrapped\b/,
    means: 'its data dir is gone or without a WAL, while the cluster remembers the member as started',
    source: 'etcd etcdserver/server.go, NewServer',
    examples: [
      '2026-11-23 19:02:03.084884 C | etcdmain: member 9e85cc091d4d15bb has already been bootstrapped',
      '{"level":"fatal","ts":"2026-11-23T19:02:22.803Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"member 9e85cc091d4d15bb has already been bootstrapped"}',
      '{"level":"fatal","ts":"2026-11-23T19:02:43.407105Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"member 9e85cc091d4d15bb has already been bootstrapped"}',
    ],
  },
  {
    id: 'removed',
    proves: 'stale',
    pattern: /\bthe member has been permanently removed from the cluster\b/,
    means: 'the cluster has removed the member that these data belong to',
    source: 'etcd etcdserver/server.go, ErrMemberRemoved',
    examples: [
      '2026-11-23 19:03:30.328160 E | etcdserver: the member has been permanently removed from the cluster',
      '{"level":"warn","ts":"2026-11-23T19:03:49.681Z","caller":"etcdserver/server.go:1078","msg":"server error","error":"the member has been permanently removed from the cluster"}',
      '{"level":"warn","ts":"2026-11-23T19:04:09.630353Z","caller":"etcdserver/server.go:1154","msg":"server error","error":"the member has been permanently removed from the cluster"}',
    ],
  },
  {
    id: 'never-joined',
    proves: 'hint',
    pattern:
      /\brestarting (?:member [0-9a-f]+ in cluster [0-9a-f]+ at commit index 0$|local member .*\bcommit-index=0\b)/,
    means: 'it starts on a WAL that knows nothing yet, and not for the first time',
    source: 'etcd etcdserver/raft.go, restartNode',
    examples: [
      '2026-11-24 12:40:16.083095 I | etcdserver: restarting member b71f75320dc06a6c in cluster 510f94e18d75fa0d at commit index 0',
      '{"level":"info","ts":"2026-11-24T12:57:48.880Z","caller":"etcdserver/raft.go:586","msg":"restarting local member","cluster-id":"510f94e18d75fa0d","local-member-id":"b71f75320dc06a6c","commit-index":0}',
    ],
  },
  {
    id: 'wal-damaged',
    proves: 'stale',
    pattern:
      /\bwalpb: crc mismatch\b|\bread wal error \(.+\) and cannot be repaired\b|\bfailed to read WAL, cannot be repaired\b/,
    means: 'bytes in its write-ahead log have changed',
    source: 'etcd wal/walpb/record.go, ErrCRCMismatch; etcdserver/storage.go, readWAL',
    examples: [
      '2026-11-23 19:03:23.283832 C | etcdmain: walpb: crc mismatch',
      '{"level":"fatal","ts":"2026-11-23T19:03:42.779Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"walpb: crc mismatch"}',
      '{"level":"fatal","ts":"2026-11-23T19:04:02.513973Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"walpb: crc mismatch"}',
      'read wal error (walpb: crc mismatch) and cannot be repaired',
    ],
  },
  {
    id: 'wal-garbled',
    proves: 'stale',
    pattern:
      /\bproto: (Record: (illegal tag|wiretype end group)|wrong wireType = \d+ for field (Type|Crc|Data)\b)/,
    means: 'a record of its write-ahead log is not one any more',
    source: 'etcd wal/walpb/record.pb.go, Record.Unmarshal, by wal.ValidSnapshotEntries',
    examples: [
      '2026-11-23 19:03:23.459812 C | etcdmain: proto: Record: illegal tag 0 (wire type 0)',
      '{"level":"fatal","ts":"2026-11-23T19:03:42.965Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"proto: Record: illegal tag 0 (wire type 0)"}',
      '{"level":"fatal","ts":"2026-11-23T19:04:02.732752Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"proto: Record: illegal tag 0 (wire type 0)"}',
    ],
  },
  {
    id: 'wal-incomplete',
    proves: 'stale',
    pattern: /\b(open wal error: |failed to open WAL error=)wal: (file not found|files? not match)/,
    means: 'files of its write-ahead log are missing',
    source: 'etcd wal/wal.go, ErrFileNotFound; etcdserver/storage.go, readWAL',
    examples: [
      '2026-11-23 19:02:03.823177 C | etcdserver: open wal error: wal: file not found',
      '{"level":"fatal","ts":"2026-11-23T19:03:43.355Z","caller":"etcdserver/storage.go:95","msg":"failed to open WAL","error":"wal: file not found"}',
      '{"level":"fatal","ts":"2026-11-23T19:04:03.158786Z","caller":"etcdserver/storage.go:96","msg":"failed to open WAL","error":"wal: file not found"}',
    ],
  },
  {
    id: 'log-short',
    proves: 'stale',
    pattern: /\btocommit\(\d+\) is out of range \[lastIndex\(\d+\)\]/,
    means: 'its log ends before what it had already acknowledged: a cut log or an older copy',
    source: 'etcd raft/log.go, commitTo',
    examples: [
      'raft2026/11/23 19:02:03 tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?',
      '{"level":"panic","ts":"2026-11-23T19:03:43.302Z","caller":"raft/log.go:203","msg":"tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?"}',
      '{"level":"panic","ts":"2026-11-23T19:04:03.098677Z","logger":"raft","caller":"etcdserver/zap_raft.go:101","msg":"tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?"}',
    ],
  },
  {
    id: 'db-damaged',
    proves: 'stale',
    pattern:
      /\b(cannot open database at \S+\/snap\/db \(|failed to open database path=\S+\/snap\/db error=)(invalid database|file size too small|checksum error|version mismatch)/,
    means: 'its database file cannot be opened',
    source: 'etcd mvcc/backend/backend.go, newBackend; bbolt errors.go',
    examples: [
      '2026-11-23 19:03:23.517089 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (invalid database)',
      '2026-11-23 19:03:23.569759 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (file size too small)',
      '{"level":"panic","ts":"2026-11-23T19:03:43.010Z","caller":"backend/backend.go:162","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"invalid database"}',
      '{"level":"panic","ts":"2026-11-23T19:04:02.852328Z","caller":"backend/backend.go:201","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"file size too small"}',
    ],
  },
  {
    id: 'half-added',
    proves: 'stale',
    pattern: /\berror validating peerURLs .*\bmember count is unequal\b/,
    means: 'it was removed and added again, but its environment does not list the cluster as it is',
    source: 'etcd etcdserver/api/membership/cluster.go, ValidateClusterAndAssignIDs',
    examples: [
      '2026-11-23 19:02:04.133635 C | etcdmain: error validating peerURLs {ClusterID:ccdc7cc402c3ef0c Members:[&{ID:6e6b8f8115827a25 RaftAttributes:{PeerURLs:[http://127.0.0.1:2383] IsLearner:false} Attributes:{Name:e3 ClientURLs:[http://127.0.0.1:2373]}}] RemovedMemberIDs:[]}: member count is unequal',
      '{"level":"fatal","ts":"2026-11-23T19:02:44.509103Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"error validating peerURLs {ClusterID:ccdc7cc402c3ef0c Members:[&{ID:9d3e65edfa29c46 RaftAttributes:{PeerURLs:[http://127.0.0.1:2381] IsLearner:false} Attributes:{Name:e1 ClientURLs:[http://127.0.0.1:2371]}}] RemovedMemberIDs:[]}: member count is unequal"}',
    ],
  },
];
