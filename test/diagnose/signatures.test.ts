import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signatures } from '../../src/diagnose/signatures.ts';

for (const { id, pattern, example } of signatures) {
  test(`${id} is told by its recorded line, and by no other row`, () => {
    assert.match(example, pattern);
    const zap = JSON.stringify({ level: 'fatal', msg: 'discovery failed', error: example });
    assert.match(zap, pattern, 'in a JSON line too');
    const others = signatures.filter((other) => other.id !== id && other.pattern.test(example));
    assert.equal(
      others.map((other) => other.id),
      [],
    );
  });
}

/** Lines that look alike and prove nothing of the kind. */
const nearMisses = [
  'member has already been bootstrapped',
  'peer 3e1cf3c4299a991 has been removed from the cluster',
  'the member may be permanently removed from the cluster',
  'walpb: unexpected record type',
  'added member 3e1cf3c4299a991 [http://10.0.0.2:2380] to cluster 8a43c497ec2fe5db',
  'cannot open database at /var/lib/etcd/default.etcd/member/snap/db (timeout)',
  'cannot open database at /var/lib/etcd/default.etcd/member/snap/db (permission denied, try again)',
  'listen tcp 10.77.0.12:2380: use of closed network connection',
  'error validating peerURLs {ClusterID:9f3b}: unmatched member while checking PeerURLs',
  'raft: tocommit is out of range',
  'read wal error (unexpected EOF)',
  'proto: Snapshot: illegal tag 0 (wire type 1)',
  'lost the TCP streaming connection with peer 59b0fd95b07996d8 (stream MsgApp v2 reader)',
];

for (const line of nearMisses) {
  test(`near miss: ${line}`, () => {
    assert.equal(
      signatures.filter(({ pattern }) => pattern.test(line)).map(({ id }) => id),
      [],
    );
  });
}

test.run();
