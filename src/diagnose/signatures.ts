/** One line that etcd or systemd writes, and what it proves. */
export interface Signature {
  readonly id: string;
  /** Which kind of verdict it speaks for; `hint`: for none alone, a rule asks for it beside what it sees. */
  readonly proves: 'stale' | 'local-fault' | 'hint';
  /** Matched on a line of either of etcd's formats as `plainLine` (src/node/log-lines.ts) has it. */
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
  {
    id: 'port-taken',
    proves: 'local-fault',
    pattern: /\blisten tcp \S+: bind: address already in use\b/,
    means: 'another process has its port; find it with `ss -ltnp` and stop it',
    source: 'Go net package, EADDRINUSE',
    examples: [
      '2026-11-23 19:02:03.866217 C | etcdmain: listen tcp 127.0.0.1:2381: bind: address already in use',
      '{"level":"fatal","ts":"2026-11-23T19:02:23.626Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"listen tcp 127.0.0.1:2381: bind: address already in use"}',
    ],
  },
  {
    id: 'address-missing',
    proves: 'local-fault',
    pattern: /\blisten tcp \S+: bind: cannot assign requested address\b/,
    means: 'this machine does not have the address that etcd is told to listen on',
    source: 'Go net package, EADDRNOTAVAIL',
    examples: [
      '2026-11-23 19:02:03.892015 C | etcdmain: listen tcp 10.99.0.1:2382: bind: cannot assign requested address',
      '{"level":"fatal","ts":"2026-11-23T19:02:44.250413Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"listen tcp 10.99.0.1:2382: bind: cannot assign requested address"}',
    ],
  },
  {
    id: 'read-only',
    proves: 'local-fault',
    pattern: /: read-only file system\b/,
    means:
      'its disk takes no changes, as the kernel sees to after a disk error: look at `dmesg`, check the disk',
    source: 'Go syscall package, EROFS; etcd etcdmain/etcd.go',
    examples: [
      '2026-11-24 10:21:55.779603 C | etcdmain: cannot access data directory: open /tmp/w/d/.touch: read-only file system',
      '{"level":"fatal","ts":"2026-11-24T10:22:00.041Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"cannot access data directory: open /tmp/w/d/.touch: read-only file system"}',
    ],
  },
  {
    id: 'permission',
    proves: 'local-fault',
    pattern:
      /\berror listing data dir: |\bcannot access data directory: (?!.*: (?:read-only|no space))|: permission denied\b/,
    means: "etcd's user cannot read or write a file that it needs; the app's start gives it its data back",
    source: 'etcd etcdmain/etcd.go, identifyDataDirOrDie; Go os package, EACCES',
    examples: [
      '2026-11-23 19:06:06.655151 C | etcdmain: error listing data dir: /tmp/pp/d',
      '{"level":"fatal","ts":"2026-11-23T19:06:06.694Z","caller":"etcdmain/etcd.go:562","msg":"failed to list data directory","dir":"/tmp/pp/d","error":"open /tmp/pp/d: permission denied"}',
      '{"level":"fatal","ts":"2026-11-23T19:06:06.751898Z","caller":"etcdmain/etcd.go:435","msg":"failed to list data directory","dir":"/tmp/pp/d","error":"open /tmp/pp/d: permission denied"}',
    ],
  },
  {
    id: 'bad-setting',
    proves: 'local-fault',
    pattern:
      /\berror verifying flags, |\bfailed to verify flags\b|\bcouldn't find local name "\S+" in the initial cluster configuration\b/,
    means: 'a value in etcd.env is not one that etcd takes; the app writes the file anew on restart',
    source: 'etcd etcdmain/etcd.go, startEtcdOrProxyV2; etcdserver/config.go, VerifyBootstrap',
    examples: [
      '2026-11-23 19:06:06.668458 E | etcdmain: error verifying flags, invalid value "abc" for ETCD_HEARTBEAT_INTERVAL: parse error. See \'etcd --help\'.',
      '{"level":"warn","ts":"2026-11-23T19:02:44.302182Z","caller":"etcdmain/etcd.go:75","msg":"failed to verify flags","error":"--election-timeout[20ms] should be at least as 5 times as --heartbeat-interval[100ms]"}',
      '2026-11-23 19:02:04.156909 C | etcdmain: couldn\'t find local name "e2" in the initial cluster configuration',
      '{"level":"fatal","ts":"2026-11-23T19:02:44.537155Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"couldn\'t find local name \\"e2\\" in the initial cluster configuration"}',
    ],
  },
  {
    id: 'certificate',
    proves: 'local-fault',
    pattern:
      /\bopen \S+\.(pem|crt|key): no such file or directory\b|\btls: (private key does not match public key|failed to find any PEM data)\b/,
    means: 'a certificate or key that etcd is told to use is missing or does not fit',
    source: 'etcd embed/serve.go by pkg/transport/listener.go; Go crypto/tls, X509KeyPair',
    examples: [
      '2026-11-23 19:02:04.057742 C | etcdmain: open /nonexist.pem: no such file or directory',
      '{"level":"fatal","ts":"2026-11-23T19:02:44.420581Z","caller":"etcdmain/etcd.go:219","msg":"listener failed","error":"open /nonexist.pem: no such file or directory"}',
    ],
  },
  {
    id: 'disk-full',
    proves: 'local-fault',
    pattern: /: no space left on device\b/,
    means: 'the disk is full; make room on it',
    source: 'Go syscall package, ENOSPC',
    examples: [
      '2026-11-23 19:03:24.162295 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (write /var/lib/etcd/default.etcd/member/snap/db: no space left on device)',
      '{"level":"panic","ts":"2026-11-23T19:04:03.446227Z","caller":"backend/backend.go:201","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"write /var/lib/etcd/default.etcd/member/snap/db: no space left on device"}',
    ],
  },
];
