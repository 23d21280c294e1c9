import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cluster, ClusterError, type Member, type MemberReply } from '../../src/cluster/cluster.ts';
import { etcdCluster } from '../../src/cluster/etcd-cluster.ts';

/** Replies in the form in which etcdctl 3.4.23 prints them. */
const HEADER = '"header":{"cluster_id":9962439068284289499,"member_id":1723823089873074802,"raft_term":2}';
const LIST = `{${HEADER},"members":[{"ID":1723823089873074802,"name":"etcd1","peerURLs":["http://10.77.0.11:2380"],"clientURLs":["http://10.77.0.11:2379"]},{"ID":18333404513829859855,"peerURLs":["http://10.77.0.12:2380"]}]}`;
const STATUS = `[{"Endpoint":"http://10.77.0.11:2379","Status":{"header":{"cluster_id":9962439068284289499,"member_id":1723823089873074802,"revision":6,"raft_term":2},"version":"3.4.23","dbSize":20480,"leader":1723823089873074802,"raftIndex":13,"raftTerm":2,"raftAppliedIndex":13,"dbSizeInUse":20480}}]`;

const test = suite<{ dir: string; program: string; endpoint: string; server: Bun.Server<undefined> }>(
  'etcd cluster',
);
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'etcdctl-'));
  context.program = join(context.dir, 'etcdctl');
  // A gateway that knows none of our questions, as before etcd 3.4.
  context.server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('no', { status: 404 }),
  });
  context.endpoint = `http://127.0.0.1:${context.server.port}`;
});
test.after.each(async ({ dir, server }) => {
  await server.stop(true);
  rmSync(dir, { recursive: true });
});

/** A stand-in that prints a reply by its first two words and writes down how it was called. */
function standIn(program: string, script: string): void {
  writeFileSync(
    program,
    `#!/bin/sh\necho "$* | $ETCDCTL_USER" >> ${program}.calls\ncase "$1 $2" in\n${script}\nesac\n`,
  );
  chmodSync(program, 0o755);
}

const cluster = (program: string, credentials?: string) =>
  etcdCluster({ program, tls: undefined, credentials: () => credentials });

test('IDs keep all their digits, and an added member that has not started has no name', async ({
  program,
  endpoint,
}) => {
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n"get "*) echo '{${HEADER}}';;`,
  );
  const reply = await cluster(program).ask(endpoint);
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
  // What a member says of others and of itself is no older than a linearizable read, by this way too.
  assert.match(readFileSync(`${program}.calls`, 'utf8'), /^(get .*\n)+((?!get ).*\n){2}$/);
});

test('a member that answers but does not serve says why', async ({ program, endpoint }) => {
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n*) echo 'Error: etcdserver: no leader' >&2; exit 1;;`,
  );
  const reply = await cluster(program).ask(endpoint);
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
  test(`${said} ${transient ? 'is asked again' : 'is an error'}`, async ({ program, endpoint }) => {
    standIn(program, `*) echo '{"level":"warn"}' >&2; echo '${said}' >&2; exit 1;;`);
    const error = await cluster(program)
      .removeMember([endpoint], 'abc')
      .catch((e: Error) => e);
    assert.ok(error instanceof ClusterError && error.transient === transient, String(error));
  });
}

test('a reply that is not understood is an error that shows it', async ({ program, endpoint }) => {
  for (const text of ['', 'garbage', '{"header":{}}', `{${HEADER},"members":"none"}`]) {
    standIn(program, `*) echo '${text}';;`);
    const error = await cluster(program)
      .removeMember([endpoint], 'abc')
      .catch((e: Error) => e);
    assert.match(String(error), /the reply is not understood/);
  }
});

test('a password is in the environment of etcdctl, and not among its arguments', async ({
  program,
  endpoint,
}) => {
  standIn(program, `*) echo '${LIST}';;`);
  await cluster(program, 'root:s3cret').removeMember([endpoint], 'abc');
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
    const reply = await cluster(program).ask(`http://127.0.0.1:${server.port}`);
    assert.is(reply.members.length, 2);
    assert.match(readFileSync(`${program}.calls`, 'utf8'), /member list/);
  } finally {
    await server.stop(true);
  }
});

/** A gateway that answers as etcd 3.4.23 does; what was asked of it, by path. */
async function gateway(
  program: string,
  answers: (path: string, body: unknown) => Response | Promise<Response>,
  ask: (through: Cluster, endpoint: string) => Promise<unknown>,
) {
  const asked: [path: string, body: unknown][] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const path = new URL(request.url).pathname;
      const body = await request.json();
      asked.push([path, body]);
      return answers(path, body);
    },
  });
  try {
    const through = cluster(program);
    const said = await ask(through, `http://127.0.0.1:${server.port}`).catch((error: Error) => error);
    return { said, asked, calls: existsSync(`${program}.calls`) };
  } finally {
    await server.stop(true);
  }
}

test("the gateway's hash is of all that a member stores, whatever the revision: etcdctl is asked", async ({
  program,
}) => {
  standIn(program, `"endpoint hashkv") echo '[{"HashKV":{"hash":7,"compact_revision":5}}]';;`);
  const { said, asked } = await gateway(
    program,
    () => Response.json({ header: {}, hash: 3_735_928_559 }),
    (through, endpoint) => through.hashKv(endpoint, 12n, 1000),
  );
  assert.equal(said, { hash: '7', compactRevision: '5' });
  assert.equal(asked, []);
});

test('one alarm of one member is disarmed, by its ID and kind', async ({ program }) => {
  standIn(program, '*) exit 1;;');
  const alarm = { memberId: 'fe6bc03fdf86b20f', alarm: 'NOSPACE' };
  const { said, asked } = await gateway(
    program,
    () => Response.json({}),
    (through, endpoint) => through.disarm([endpoint], alarm),
  );
  assert.is(said, undefined);
  const body = { action: 'DEACTIVATE', memberID: '18332958088707355151', alarm: 'NOSPACE' };
  assert.equal(asked, [['/v3/maintenance/alarm', body]]);
});

test('a member is removed and added through the gateway, by its whole ID', async ({ program }) => {
  standIn(program, '*) exit 1;;');
  const removed = await gateway(
    program,
    () => new Response(LIST.replace(/:(\d{5,})/g, ':"$1"')), // protobuf's JSON has them as text
    (through, endpoint) => through.removeMember([endpoint], 'fe6bc03fdf86b20f'),
  );
  assert.equal(removed.asked, [['/v3/cluster/member/remove', { ID: '18332958088707355151' }]]);
  assert.is((removed.said as Member[]).length, 2);
  const added = await gateway(
    program,
    () => Response.json({ header: {}, member: { ID: '12', peerURLs: ['http://x:2380'] }, members: [] }),
    (through, endpoint) => through.addMember([endpoint], 'etcd2', ['http://x:2380']),
  );
  assert.equal(added.asked, [['/v3/cluster/member/add', { peerURLs: ['http://x:2380'] }]]);
  assert.equal(added.said, { id: 'c', members: [] });
  assert.not(removed.calls || added.calls);
});

test('a refusal that passes is the answer; any other is put to etcdctl, which has credentials', async ({
  program,
}) => {
  standIn(program, `"member remove") echo '${LIST}';;`);
  const refuse = (error: string) => () => Response.json({ error, code: 14 }, { status: 503 });
  const remove = (through: Cluster, endpoint: string) => through.removeMember([endpoint], 'abc');
  const passing = await gateway(program, refuse('etcdserver: unhealthy cluster'), remove);
  assert.ok(passing.said instanceof ClusterError && passing.said.transient);
  assert.not(passing.calls);
  const other = await gateway(program, refuse('etcdserver: user name is empty'), remove);
  assert.ok(Array.isArray(other.said) && other.calls);
});

for (const [what, refuse] of [
  [
    'a certificate with a common name',
    () => new Response('CommonName of client sending a request against gateway will be …', { status: 400 }),
  ],
  [
    "its server's certificate as a client's",
    () => Response.json({ error: 'all SubConns are in TransientFailure', code: 14 }, { status: 503 }),
  ],
] as const)
  test(`where the gateway refuses ${what}, etcdctl says whether the member serves`, async ({ program }) => {
    standIn(program, `"get "*) echo '{${HEADER}}';;`);
    const ask = (through: Cluster, endpoint: string) => through.whyNotServing(endpoint);
    assert.is((await gateway(program, refuse, ask)).said, undefined);
    standIn(program, "*) echo 'Error: etcdserver: no leader' >&2; exit 1;;");
    assert.match(String((await gateway(program, refuse, ask)).said), /no leader/);
  });

test('where etcd itself says that it does not serve, or wants a user, etcdctl is not asked', async ({
  program,
}) => {
  standIn(program, '*) exit 1;;');
  const refuse = (error: string) => () => Response.json({ error, code: 14 }, { status: 503 });
  const ask = (through: Cluster, endpoint: string) => through.whyNotServing(endpoint);
  const without = await gateway(program, refuse('etcdserver: no leader'), ask);
  assert.match(String(without.said), /no leader/);
  const wanting = await gateway(program, refuse('etcdserver: user name is empty'), ask);
  assert.is(wanting.said, undefined);
  assert.not(without.calls || wanting.calls);
});

for (const [what, kvs, more] of [
  ['one value', [{ key: btoa('heal-node/note'), value: btoa('x'.repeat(9000)) }]],
  ['their number', [], { more: true }],
  [
    'all of them',
    Array.from({ length: 300 }, (_, i) => ({ key: btoa(`heal-node/${i}`), value: btoa('x'.repeat(7000)) })),
  ],
] as const)
  test(`where ${what} under heal-node/ is too much to read, the member serves, and no heal is begun until it is gone`, async ({
    program,
  }) => {
    standIn(program, '*) exit 1;;');
    const header = { cluster_id: '1', member_id: '2', revision: '9' };
    const answers = (path: string, body: unknown) => {
      if (path.endsWith('/member/list')) return Response.json({ header, members: [] });
      if (path.endsWith('/status'))
        return Response.json({ header, leader: '2', raftIndex: '3', raftTerm: '4', dbSize: '5' });
      const mark = { key: btoa('heal-node/birthmark'), value: btoa('abc'), mod_revision: '7' };
      return Response.json({
        header,
        kvs: [mark, ...((body as { range_end?: string }).range_end ? kvs : [])],
        ...((body as { range_end?: string }).range_end && more),
      });
    };
    const { said, calls } = await gateway(program, answers, (through, endpoint) => through.ask(endpoint));
    const { serves, pause, birthmark, birthmarkRevision } = said as MemberReply;
    assert.equal([serves, birthmark, birthmarkRevision], [true, 'abc', 7n], String(said));
    assert.match(String(pause), /^the keys under heal-node\/ are too many, or too long .*; `etcdctl get /);
    assert.not(calls);
    const why = await gateway(program, answers, (through, endpoint) => through.whyNotServing(endpoint));
    assert.is(why.said, undefined);
  });

for (const bytes of [9000, 1_400_000])
  test(`a birthmark of ${bytes} bytes, which somebody has put in its place, makes no member silent`, async ({
    dir,
    program,
  }) => {
    const mark = { key: btoa('heal-node/birthmark'), value: btoa('x'.repeat(bytes)), mod_revision: '7' };
    writeFileSync(join(dir, 'mark'), JSON.stringify({ header: {}, kvs: [mark] }));
    standIn(program, `"get heal-node/birthmark") cat ${dir}/mark;;`);
    const header = { cluster_id: '1', member_id: '2', revision: '9' };
    const { said } = await gateway(
      program,
      (path) => Response.json({ header, members: [], ...(path.endsWith('/range') && { kvs: [mark] }) }),
      (through, endpoint) => through.ask(endpoint),
    );
    const { serves, pause, birthmark } = said as MemberReply;
    assert.equal([serves, birthmark], [true, ''], String(said));
    assert.match(String(pause), /^the keys under heal-node\//);
  });

test('more than etcdctl may print is an answer to the read, too', async ({ dir, program, endpoint }) => {
  writeFileSync(join(dir, 'much'), 'x'.repeat(5_000_000));
  standIn(
    program,
    `"member list") echo '${LIST}';;\n"endpoint status") echo '${STATUS}';;\n"get "*) case $3 in heal-node/pause0) exec cat ${dir}/much ;; *) echo '{${HEADER}}' ;; esac;;`,
  );
  const { serves, pause } = await cluster(program).ask(endpoint);
  assert.ok(serves && pause?.startsWith('the keys under heal-node/'), pause);
});

test('what stands before a member, and refuses for its own reasons, does not make it one that serves', async ({
  program,
}) => {
  standIn(program, "*) echo 'Error: etcdserver: no leader' >&2; exit 1;;");
  const { said } = await gateway(
    program,
    () => new Response('this client sends more than 5 requests a second', { status: 429 }),
    (through, endpoint) => through.whyNotServing(endpoint),
  );
  assert.match(String(said), /no leader/);
});

test('a learner, which answers next to nothing, says so at once', async ({ program }) => {
  standIn(program, '*) exit 1;;');
  const refusal = { error: 'etcdserver: rpc not supported for learner', code: 14 };
  const { said, calls } = await gateway(
    program,
    () => Response.json(refusal, { status: 503 }),
    (through, endpoint) => through.ask(endpoint),
  );
  assert.match(String(said), /is a learner$/);
  assert.not(calls);
});

test('list and status are asked for when the linearizable read is answered, over a connection that is there', async ({
  program,
}) => {
  standIn(program, '*) exit 1;;');
  const order: string[] = [];
  const ports = new Set<number | undefined>();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request, itself) => {
      const path = new URL(request.url).pathname;
      order.push(path);
      ports.add(itself.requestIP(request)?.port);
      if (!path.endsWith('kv/range')) return wantsUser(path);
      await Bun.sleep(50);
      order.push('read');
      return new Response(`{${HEADER}}`.replace(/":(\d+)/g, '":"$1"'));
    },
  });
  try {
    const reply = await cluster(program).ask(`http://127.0.0.1:${server.port}`);
    assert.is(reply.serves, true);
    assert.equal(order.slice(0, 2), ['/v3/kv/range', 'read']);
    assert.is(order.length, 4);
    assert.is(ports.size, 2);
  } finally {
    await server.stop(true);
  }
});

test('a change of the list that an old connection has not answered is not sent again by itself', async ({
  program,
}) => {
  standIn(program, '*) exit 1;;');
  let connections = 0;
  const asked: string[] = [];
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const [, path] = /^POST (\S+)/.exec(data.toString()) ?? [];
      if (path === undefined) return;
      asked.push(path);
      if (path.endsWith('member/remove')) socket.destroy();
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"kvs": []}`);
    });
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const endpoints = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
    const through = cluster(program);
    await through.get(endpoints, 'key').catch(() => undefined);
    await through.removeMember(endpoints, 'abc').catch(() => undefined);
    assert.equal(asked, ['/v3/kv/range', '/v3/cluster/member/remove']);
    assert.is(connections, 1);
  } finally {
    server.close();
  }
});

/** With authentication on a member wants a user for a read, and answers the rest without. */
function wantsUser(path: string): Response {
  const asText = (json: string) => new Response(json.replace(/":(\d+)/g, '":"$1"'));
  if (path.endsWith('member/list')) return asText(LIST);
  if (path.endsWith('status')) return asText(STATUS.slice(1, -2).replace(/^.*"Status":/, ''));
  return Response.json({ error: 'etcdserver: user name is empty', code: 3 }, { status: 400 });
}

test('with authentication on, etcdctl is asked for the read that wants a user, and for nothing else', async ({
  program,
}) => {
  standIn(program, `"get "*) echo '{${HEADER}}';;`);
  const { said } = await gateway(program, wantsUser, (through, endpoint) => through.ask(endpoint));
  const { serves, members, version } = said as MemberReply;
  assert.equal([serves, members.length, version], [true, 2, '3.4.23']);
  assert.match(readFileSync(`${program}.calls`, 'utf8'), /^get [^\n]*\n$/);
});

test('a member that wants a user serves, also where there is no password to show it', async ({ program }) => {
  standIn(program, '*) exit 1;;');
  const credentials = () => {
    throw new Error('HEAL_ETCD_PASSWORD_FILE=/none cannot be read.');
  };
  const { said } = await gateway(program, wantsUser, (_, endpoint) =>
    etcdCluster({ program, tls: undefined, credentials }).ask(endpoint),
  );
  const { serves, unavailableReason, credentialsRefused } = said as MemberReply;
  assert.equal([serves, unavailableReason], [true, ''], String(said));
  assert.match(credentialsRefused, /HEAL_ETCD_PASSWORD_FILE=\/none cannot be read/);
});

test.run();
