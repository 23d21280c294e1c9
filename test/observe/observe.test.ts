import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import type { World } from '../../src/observe/world.ts';
import { PLACES } from '../fake/observation.ts';
import { ROOT_FILE, UNIT_DIR } from '../fake/paths.ts';
import { ThreeMembers } from '../fake/three-members.ts';

/** Member 2 does not serve, and its log was read when the others had gone on by so much since they answered. */
function looked(goneOn: bigint): { ahead: boolean; asked: number } {
  const fake = new ThreeMembers('none');
  fake.node.systemctl(['stop', 'etcd.service']);
  fake.pass(5000);
  return fake.run(async (world) => {
    let asked = 0;
    let known = 0n;
    const examine: World['machine']['examine'] = async (dirs, depth) => {
      const examination = await world.machine.examine(dirs, depth);
      if (depth === 'kind') return examination;
      known = examination.commit;
      return { ...examination, commit: examination.commit + 50n };
    };
    const cluster: World['cluster'] = (tls) => ({
      ...world.cluster(tls),
      ask: async (endpoint) => {
        asked++;
        const reply = await world.cluster(tls).ask(endpoint);
        return known === 0n ? reply : { ...reply, raftIndex: reply.raftIndex + goneOn };
      },
    });
    const observed = await observe({ ...world, cluster, machine: { ...world.machine, examine } });
    return { ahead: situationOf(observed, PLACES).ahead, asked };
  });
}

const SHORT =
  'tocommit(105) is out of range [lastIndex(100)]. Was the raft log corrupted, truncated, or lost?';
const OTHER = 'runtime error: invalid memory address';
const inGo = (panic: string): string[] => [`panic: ${panic}`, '', 'goroutine 1 [running]:'];
const ended = {
  active: 'activating',
  sub: 'auto-restart',
  result: 'exit-code',
  mainPid: 0,
  exitKind: 1,
  exitStatus: 2,
};

/** systemd before 232, and a look while the gate is asked: only the PID of the last run tells one from the next. */
const runs = [
  { invocationId: '', restarts: 0 },
  { invocationId: 'b'.repeat(32), restarts: 3 },
];

test('a run that nobody saw begin is not told by the last words of the one before', () => {
  for (const run of runs) {
    const fake = new ThreeMembers('none');
    fake.node.systemctl(['stop', 'etcd.service']);
    fake.pass(3000);
    const found = fake.run(async (world) => {
      let looks = 0;
      const units: World['machine']['units'] = async (names) =>
        (await world.machine.units(names)).map((facts, i) =>
          i === 0 ? { ...facts, ...ended, ...run, exitPid: 101 + looks } : facts,
        );
      const journal = async () => inGo(looks === 0 ? SHORT : OTHER);
      const seen = { ...world, machine: { ...world.machine, units, journal } };
      const first = await observe(seen);
      looks++;
      const second = await observe(seen, first, ['files', 'units', 'self', 'cluster']);
      return [first, second].map((observed) => situationOf(observed, PLACES));
    });
    assert.equal(
      found.map(({ words, provenStale }) => [words[0], provenStale]),
      [
        [SHORT, true],
        [OTHER, false],
      ],
    );
  }
});

test('nor is what was read of its data believed where one has begun and ended meanwhile', () => {
  for (const run of runs) {
    const fake = new ThreeMembers('none');
    fake.node.systemctl(['stop', 'etcd.service']);
    fake.pass(3000);
    const found = fake.run(async (world) => {
      let exitPid = 101;
      const units: World['machine']['units'] = async (names) =>
        (await world.machine.units(names)).map((facts, i) =>
          i === 0 ? { ...facts, ...ended, ...run, exitPid } : facts,
        );
      const examine: World['machine']['examine'] = async (dirs, depth) => {
        const examination = await world.machine.examine(dirs, depth);
        if (depth !== 'all') return examination;
        exitPid++;
        return { ...examination, applied: examination.lastIndex + 5n, logShort: true };
      };
      return observe({ ...world, machine: { ...world.machine, units, examine } });
    });
    assert.is(found.examination, undefined);
  }
});

test('a log that was read after the others had answered is ahead of them only if it is when they are asked again', () => {
  const [gone, stood] = [looked(100n), looked(0n)];
  assert.equal([gone.ahead, stood.ahead], [false, true]);
  assert.is(gone.asked, stood.asked);
});

test("without TLS the app's view of this node says whom to ask, and etcd.env does not; that of another says nothing", () => {
  const fake = new ThreeMembers('none');
  const env = fake.node.disk.text(PLACES.env) ?? '';
  fake.putFile(PLACES.env, env.replace(/^ETCD_INITIAL_CLUSTER=.*$/m, '$&,etcd4=http://10.0.0.4:2380'));
  const asked = () =>
    fake.run((world) => observe(world)).others.map(({ endpoint }) => endpoint.replace('http://10.0.0.', ''));
  assert.equal(asked(), ['1:2379', '3:2379'], 'another cluster may serve where etcd4 was');
  fake.putFile(PLACES.appEnv, fake.node.appView({ STABLE_NODES: '2=10.0.0.2' }));
  assert.equal(asked().includes('4:2379'), false, 'scaled in to this one');
  fake.putFile(PLACES.appEnv, fake.node.appView({ MY_SID: '3' }));
  assert.equal(asked().sort(), ['1:2379', '3:2379', '4:2379']);
});

test('in a drop-in a log level leaves the settings readable, and a data dir does not', () => {
  const fake = new ThreeMembers('none');
  const config = (line: string) => {
    fake.putFile(`${UNIT_DIR}/${PLACES.unit}.d/own.conf`, `[Service]\nEnvironment=${line}\n`);
    return fake.run((world) => observe(world, undefined, ['files'])).config;
  };
  assert.ok(config('ETCD_LOG_LEVEL=debug').ok);
  const elsewhere = config('ETCD_DATA_DIR=/data');
  assert.match(elsewhere.ok ? '' : elsewhere.why, /says "Environment=ETCD_DATA_DIR"; keep etcd's/);
  const both = config('ETCD_PROXY=on\nEnvironment=ETCD_DATA_DIR=/data');
  assert.match(both.ok ? '' : both.why, /says "Environment=ETCD_PROXY, Environment=ETCD_DATA_DIR"/);
});

test('a drop-in that a person has switched off by a mask leaves the settings readable, and hides those of its name', () => {
  const fake = new ThreeMembers('none');
  fake.putFile(
    `/run/systemd/system/${PLACES.unit}.d/own.conf`,
    '[Service]\nEnvironment=ETCD_DATA_DIR=/data\n',
  );
  fake.node.disk.set(`${UNIT_DIR}/${PLACES.unit}.d/own.conf`, { kind: 'mask', rights: ROOT_FILE });
  assert.ok(fake.run((world) => observe(world, undefined, ['files'])).config.ok);
});

test.run();

test('the version is that of the program that systemd has loaded, whatever the unit on the disk starts', () => {
  for (const program of ['/opt/etcd/current/etcd', '/opt/other/etcd', '']) {
    const fake = new ThreeMembers('none');
    const version = fake.run(async (world) => {
      const units: World['machine']['units'] = async (names) =>
        (await world.machine.units(names)).map((facts) => ({ ...facts, program }));
      const versionText = async (of: string) =>
        `etcd Version: ${of === '/opt/other/etcd' ? '3.5.9' : '3.4.23'}`;
      const { host } = await observe({ ...world, machine: { ...world.machine, units, versionText } });
      return host?.ok && host.value.etcdVersion;
    });
    assert.is(version, program === '' ? '' : program === '/opt/other/etcd' ? '3.5.9' : '3.4.23');
  }
});
