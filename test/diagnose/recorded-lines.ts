/**
 * Lines that etcd printed, as they were recorded: 3.4's two formats, and 3.5's; by the ID of the row that they belong to
 * (src/diagnose/local-faults.ts), or the proof that they corroborate (src/diagnose/stale-proofs.ts).
 */
export const recordedLines: Readonly<Record<string, readonly string[]>> = {
  'already-bootstrapped': [
    '2026-11-23 19:02:03.084884 C | etcdmain: member 9e85cc091d4d15bb has already been bootstrapped',
    '{"level":"fatal","ts":"2026-11-23T19:02:22.803Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"member 9e85cc091d4d15bb has already been bootstrapped"}',
    '{"level":"fatal","ts":"2026-11-23T19:02:43.407105Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"member 9e85cc091d4d15bb has already been bootstrapped"}',
  ],
  removed: [
    '2026-11-23 19:03:30.328160 E | etcdserver: the member has been permanently removed from the cluster',
    '{"level":"warn","ts":"2026-11-23T19:03:49.681Z","caller":"etcdserver/server.go:1078","msg":"server error","error":"the member has been permanently removed from the cluster"}',
    '{"level":"warn","ts":"2026-11-23T19:04:09.630353Z","caller":"etcdserver/server.go:1154","msg":"server error","error":"the member has been permanently removed from the cluster"}',
  ],
  'wal-damaged': [
    '2026-11-23 19:03:23.283832 C | etcdmain: walpb: crc mismatch',
    '{"level":"fatal","ts":"2026-11-23T19:03:42.779Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"walpb: crc mismatch"}',
    '{"level":"fatal","ts":"2026-11-23T19:04:02.513973Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"walpb: crc mismatch"}',
    'read wal error (walpb: crc mismatch) and cannot be repaired',
  ],
  'wal-garbled': [
    '2026-11-23 19:03:23.459812 C | etcdmain: proto: Record: illegal tag 0 (wire type 0)',
    '{"level":"fatal","ts":"2026-11-23T19:03:42.965Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"proto: Record: illegal tag 0 (wire type 0)"}',
    '{"level":"fatal","ts":"2026-11-23T19:04:02.732752Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"proto: Record: illegal tag 0 (wire type 0)"}',
  ],
  'wal-incomplete': [
    '2026-11-23 19:02:03.823177 C | etcdserver: open wal error: wal: file not found',
    '{"level":"fatal","ts":"2026-11-23T19:03:43.355Z","caller":"etcdserver/storage.go:95","msg":"failed to open WAL","error":"wal: file not found"}',
    '{"level":"fatal","ts":"2026-11-23T19:04:03.158786Z","caller":"etcdserver/storage.go:96","msg":"failed to open WAL","error":"wal: file not found"}',
  ],
  'log-short': [
    'raft2026/11/23 19:02:03 tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?',
    '{"level":"panic","ts":"2026-11-23T19:03:43.302Z","caller":"raft/log.go:203","msg":"tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?"}',
    '{"level":"panic","ts":"2026-11-23T19:04:03.098677Z","logger":"raft","caller":"etcdserver/zap_raft.go:101","msg":"tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?"}',
  ],
  'db-damaged': [
    '2026-11-23 19:03:23.517089 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (invalid database)',
    '2026-11-23 19:03:23.569759 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (file size too small)',
    '{"level":"panic","ts":"2026-11-23T19:03:43.010Z","caller":"backend/backend.go:162","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"invalid database"}',
    '{"level":"panic","ts":"2026-11-23T19:04:02.852328Z","caller":"backend/backend.go:201","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"file size too small"}',
  ],
  'half-added': [
    '2026-11-23 19:02:04.133635 C | etcdmain: error validating peerURLs {ClusterID:ccdc7cc402c3ef0c Members:[&{ID:6e6b8f8115827a25 RaftAttributes:{PeerURLs:[http://127.0.0.1:2383] IsLearner:false} Attributes:{Name:e3 ClientURLs:[http://127.0.0.1:2373]}}] RemovedMemberIDs:[]}: member count is unequal',
    '{"level":"fatal","ts":"2026-11-23T19:02:44.509103Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"error validating peerURLs {ClusterID:ccdc7cc402c3ef0c Members:[&{ID:9d3e65edfa29c46 RaftAttributes:{PeerURLs:[http://127.0.0.1:2381] IsLearner:false} Attributes:{Name:e1 ClientURLs:[http://127.0.0.1:2371]}}] RemovedMemberIDs:[]}: member count is unequal"}',
  ],
  'disk-full': [
    '2026-11-23 19:03:24.162295 C | mvcc/backend: cannot open database at /var/lib/etcd/default.etcd/member/snap/db (write /var/lib/etcd/default.etcd/member/snap/db: no space left on device)',
    '{"level":"panic","ts":"2026-11-23T19:04:03.446227Z","caller":"backend/backend.go:201","msg":"failed to open database","path":"/var/lib/etcd/default.etcd/member/snap/db","error":"write /var/lib/etcd/default.etcd/member/snap/db: no space left on device"}',
    '{"level":"panic","ts":"2026-11-25T03:36:09.286Z","caller":"etcdserver/raft.go:513","msg":"failed to create WAL","error":"no space left on device"}',
  ],
  'read-only': [
    '2026-11-24 10:21:55.779603 C | etcdmain: cannot access data directory: open /tmp/w/d/.touch: read-only file system',
    '{"level":"fatal","ts":"2026-11-24T10:22:00.041Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"cannot access data directory: open /tmp/w/d/.touch: read-only file system"}',
  ],
  // Put together from etcd's own form of a line and Go's text of the error: no disk failed here.
  'disk-failing': [
    '2026-11-24 10:21:55.779603 C | etcdmain: read /var/lib/etcd/default.etcd/member/wal/0000000000000000-0000000000000000.wal: input/output error',
    '{"level":"fatal","ts":"2026-11-24T10:22:00.041Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"open /var/lib/etcd/default.etcd/member/snap/db: structure needs cleaning"}',
  ],
  permission: [
    '2026-11-23 19:06:06.655151 C | etcdmain: error listing data dir: /tmp/pp/d',
    '{"level":"fatal","ts":"2026-11-23T19:06:06.694Z","caller":"etcdmain/etcd.go:562","msg":"failed to list data directory","dir":"/tmp/pp/d","error":"open /tmp/pp/d: permission denied"}',
    '{"level":"fatal","ts":"2026-11-23T19:06:06.751898Z","caller":"etcdmain/etcd.go:435","msg":"failed to list data directory","dir":"/tmp/pp/d","error":"open /tmp/pp/d: permission denied"}',
  ],
  certificate: [
    '2026-11-23 19:02:04.057742 C | etcdmain: open /nonexist.pem: no such file or directory',
    '{"level":"fatal","ts":"2026-11-23T19:02:44.420581Z","caller":"etcdmain/etcd.go:219","msg":"listener failed","error":"open /nonexist.pem: no such file or directory"}',
  ],
  'port-taken': [
    '2026-11-23 19:02:03.866217 C | etcdmain: listen tcp 127.0.0.1:2381: bind: address already in use',
    '{"level":"fatal","ts":"2026-11-23T19:02:23.626Z","caller":"etcdmain/etcd.go:271","msg":"discovery failed","error":"listen tcp 127.0.0.1:2381: bind: address already in use"}',
  ],
  'address-missing': [
    '2026-11-23 19:02:03.892015 C | etcdmain: listen tcp 10.99.0.1:2382: bind: cannot assign requested address',
    '{"level":"fatal","ts":"2026-11-23T19:02:44.250413Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"listen tcp 10.99.0.1:2382: bind: cannot assign requested address"}',
  ],
  'bad-setting': [
    '2026-11-23 19:06:06.668458 E | etcdmain: error verifying flags, invalid value "abc" for ETCD_HEARTBEAT_INTERVAL: parse error. See \'etcd --help\'.',
    '{"level":"warn","ts":"2026-11-23T19:02:44.302182Z","caller":"etcdmain/etcd.go:75","msg":"failed to verify flags","error":"--election-timeout[20ms] should be at least as 5 times as --heartbeat-interval[100ms]"}',
    '2026-11-23 19:02:04.156909 C | etcdmain: couldn\'t find local name "e2" in the initial cluster configuration',
    '{"level":"fatal","ts":"2026-11-23T19:02:44.537155Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"couldn\'t find local name \\"e2\\" in the initial cluster configuration"}',
  ],
};
