import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { localFaults } from '../../src/diagnose/local-faults.ts';
import { LOG_SHORT } from '../../src/diagnose/log-words.ts';
import { plainLine } from '../../src/machine/etcd/log-lines.ts';
import { recordedLines } from './recorded-lines.ts';

/** Every pattern that words are looked for with. */
const signatures = [
  { id: 'log-short', pattern: LOG_SHORT },
  ...Object.entries(localFaults).flatMap(([id, { says }]) => (says ? [{ id, pattern: says }] : [])),
];

for (const { id, pattern } of signatures) {
  const examples = recordedLines[id] ?? [];
  test(`${id} is told by each of its recorded lines, and by no other row`, () => {
    assert.ok(
      examples.some((line) => line.startsWith('{')) && examples.some((line) => !line.startsWith('{')),
      'both formats are recorded',
    );
    for (const line of examples.map(plainLine)) {
      assert.match(line, pattern);
      const others = signatures.filter((other) => other.id !== id && other.pattern.test(line));
      assert.equal(
        others.map((other) => other.id),
        [],
        line,
      );
    }
  });
}

/** Lines that look alike and prove nothing of the kind, one or more a row. */
const nearMisses = [
  'member has already been bootstrapped',
  'etcdserver: member 59b0fd95b07996d8 has been bootstrapped already',
  'peer 3e1cf3c4299a991 has been removed from the cluster',
  'the member may be permanently removed from the cluster',
  '{"level":"info","msg":"removed member","removed-remote-peer-id":"3e1cf3c4299a991"}',
  'walpb: unexpected record type',
  'added member 3e1cf3c4299a991 [http://10.0.0.2:2380] to cluster 8a43c497ec2fe5db',
  'cannot open database at /var/lib/etcd/default.etcd/member/snap/db (timeout)',
  'cannot open database at /var/lib/etcd/default.etcd/member/snap/db (permission denied, try again)',
  '{"level":"info","msg":"opened backend db","path":"/var/lib/etcd/default.etcd/member/snap/db","took":"241µs"}',
  'listen tcp 10.77.0.12:2380: use of closed network connection',
  'dial tcp 10.77.0.12:2380: connect: cannot assign requested address',
  'error validating peerURLs {ClusterID:9f3b}: unmatched member while checking PeerURLs',
  'raft: tocommit is out of range',
  'read wal error (unexpected EOF)',
  'repaired /var/lib/etcd/default.etcd/member/wal/0.wal for unexpected EOF',
  'wal: file not found',
  'proto: Snapshot: illegal tag 0 (wire type 1)',
  'lost the TCP streaming connection with peer 59b0fd95b07996d8 (stream MsgApp v2 reader)',
  'verified flags',
  'found local name "e2" in the initial cluster configuration',
  'remote error: tls: bad certificate',
  'open /etc/etcd.conf: no such file or directory',
  'permission granted: denied',
  'there is no space left for doubt',
];

for (const line of nearMisses) {
  test(`near miss: ${line}`, () => {
    assert.equal(
      signatures.filter(({ pattern }) => pattern.test(plainLine(line))).map(({ id }) => id),
      [],
    );
  });
}

test.run();
