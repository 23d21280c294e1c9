import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterError } from '../../src/cluster/cluster.ts';
import { etcdctlCluster } from '../../src/cluster/etcdctl.ts';
import { withFastReads } from '../../src/cluster/gateway.ts';

/** Replies in the form in which etcdctl 3.4.23 prints them. */
const HEADER = '"header":{"cluster_id":9962439068284289499,"member_id":1723823089873074802,"raft_term":2}';
const LIST = `{${HEADER},"members":[{"ID":1723823089873074802,"name":"etcd1","peerURLs":["http://10.77.0.11:2380"],"clientURLs":["http://10.77.0.11:2379"]},{"ID":18333404513829859855,"peerURLs":["http://10.77.0.12:2380"]}]}`;
const STATUS = `[{"Endpoint":"http://10.77.0.11:2379","Status":{"header":{"cluster_id":9962439068284289499,"member_id":1723823089873074802,"revision":6,"raft_term":2},"version":"3.4.23","dbSize":20480,"leader":1723823089873074802,"raftIndex":13,"raftTerm":2,"raftAppliedIndex":13,"dbSizeInUse":20480}}]`;

const test = suite<{ dir: string; program: string }>('etcdctl');
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'etcdctl-'));
  context.program = join(context.dir, 'etcdctl');
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

/** A stand-in that prints a reply by its first two words and writes down how it was called. */
function standIn(program: string, script: string): void {
  writeFileSync(
    program,
    `#!/bin/sh\necho "$* | $ETCDCTL_USER" >> ${program}.calls\ncase "$1 $2" in\n${script}\nesac\n`,
  );
  chmodSync(program, 0o755);
}

const cluster = (program: string, credentials?: string) =>
  etcdctlCluster({ program, tls: undefined, credentials: () => credentials, readTimeoutMs: 5000 });

test('IDs keep all their digits, and an added member that has not started has no name', async ({
  program,
}) => {
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n"get "*) echo '{${HEADER}}';;`,
  );
  const reply = await cluster(program).ask('http://x:2379');
  assert.is(reply.clusterId, '8a41b18ca18f01db');
  assert.equal(
    reply.members.map(({ id, name }) => [id, name]),
    [
      ['17ec3ff78f803a72', 'etcd1'],
      ['fe6d5645525f320f', ''],
    ],
  );
  assert.is(reply.raftIndex, 13n);
  assert.is(reply.serves, true);
});

test('a member that answers but does not serve says why', async ({ program }) => {
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n*) echo 'Error: etcdserver: no leader' >&2; exit 1;;`,
  );
  const reply = await cluster(program).ask('http://x:2379');
  assert.is(reply.serves, false);
  assert.match(reply.unavailableReason, /no leader/);
});

for (const [said, transient] of [
  ['Error: etcdserver: unhealthy cluster', true],
  ['Error: context deadline exceeded', true],
  ['Error: etcdserver: re-configuration failed due to not enough started members', true],
  ['Error: etcdserver: member not found', false],
  ['Error: etcdserver: Peer URLs already exists', false],
] as const) {
  test(`${said} ${transient ? 'is asked again' : 'is an error'}`, async ({ program }) => {
    standIn(program, `*) echo '{"level":"warn"}' >&2; echo '${said}' >&2; exit 1;;`);
    const error = await cluster(program)
      .removeMember(['http://x:2379'], 'abc')
      .catch((e: Error) => e);
    assert.ok(error instanceof ClusterError && error.transient === transient, String(error));
  });
}

test('a reply that is not understood is an error that shows it', async ({ program }) => {
  for (const text of ['', 'garbage', '{"header":{}}', `{${HEADER},"members":"none"}`]) {
    standIn(program, `*) echo '${text}';;`);
    const error = await cluster(program)
      .removeMember(['http://x:2379'], 'abc')
      .catch((e: Error) => e);
    assert.match(String(error), /the reply is not understood/);
  }
});

test('a password is in the environment of etcdctl, and not among its arguments', async ({ program }) => {
  standIn(program, `*) echo '${LIST}';;`);
  await cluster(program, 'root:s3cret').removeMember(['http://x:2379'], 'abc');
  const [words = '', user = ''] = readFileSync(`${program}.calls`, 'utf8').trim().split(' | ');
  assert.is(user, 'root:s3cret');
  assert.not.match(words, /s3cret/);
});

test('where the gateway does not answer, etcdctl is asked', async ({ program }) => {
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n"get "*) echo '{${HEADER}}';;`,
  );
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('{"header":{"cluster_id":12}}'),
  });
  try {
    const reply = await withFastReads(cluster(program), undefined, 500).ask(
      `http://127.0.0.1:${server.port}`,
    );
    assert.is(reply.members.length, 2);
    assert.match(readFileSync(`${program}.calls`, 'utf8'), /member list/);
  } finally {
    await server.stop(true);
  }
});

test.run();
