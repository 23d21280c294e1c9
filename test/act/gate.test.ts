import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gate } from '../../src/act/gate.ts';
import { ClusterError } from '../../src/cluster/cluster.ts';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import type { World } from '../../src/observe/world.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { UNIT_DIR } from '../../src/state/places.ts';
import { ahead } from '../fake/log.ts';
import { PLACES } from '../fake/observation.ts';
import { BIRTHMARK_KEY } from '../fake/paths.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { losesVolume } from '../fake/tls.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const asked = (fake: ThreeMembers): string | undefined => fake.run(gate);
const mark = (fake: ThreeMembers, birthmark = ''): void =>
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark, dataDiskId: '' }));

/** Stopped, with data that have committed so many entries more than the cluster knows: it was restored without them. */
function stoppedAhead(by: number): ThreeMembers {
  const fake = new ThreeMembers('none');
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000);
  if (fake.node.data) fake.node.putData(ahead(fake.node.data, by));
  return fake;
}

test('a node that has never been a member may start on nothing, unless one that serves knows it as started', () => {
  const fake = new ThreeMembers('WAL gone');
  assert.match(
    asked(fake) ?? '',
    /10\.0\.0\.1:2379 lists this node as member \w+, which has been started before/,
  );
  fake.othersOff();
  assert.is(asked(fake), undefined, 'a cluster is being created');
});

test('nor where one that knows it as started only answers: no quorum serves', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.others[1]?.powerOff();
  fake.pass(10_000);
  assert.match(asked(fake) ?? '', /10\.0\.0\.1:2379 lists this node as member \w+, which has been started/);
  fake.others[0]?.powerOff();
  fake.pass(10_000);
  assert.is(asked(fake), undefined);
});

test('founders are listed before they have run: the last one of a cluster being created may start', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.lists((members) =>
    members.map((member) => (member.name === 'etcd2' ? { ...member, clientUrls: [] } : member)),
  );
  assert.is(asked(fake), undefined);
});

for (const left of ['nothing', 'a founding'] as const)
  test(`a node that has been one may never start on ${left}, and nobody is asked`, () => {
    const fake = new ThreeMembers(left === 'nothing' ? 'WAL gone' : 'none');
    if (left === 'a founding') fake.putFounding();
    mark(fake);
    const nobody = () => {
      throw new Error('nobody is asked');
    };
    const refused = fake.run((world) => gate({ ...world, cluster: nobody }));
    assert.match(refused ?? '', /has been a member.*could found a second, empty cluster.*adopt --found/);
  });

test('nor where a heal marks it while the gate looks and asks: the start of the app that follows writes etcd.env', () => {
  for (const [tls, env] of [
    [false, 'as it was'],
    [true, 'as it was'],
    [true, 'empty'],
  ] as const) {
    const fake = new ThreeMembers('none', {}, 3, tls);
    losesVolume(fake.node);
    fake.node.disk.delete(PLACES.rootDiskMark);
    if (env === 'empty') fake.putFile(PLACES.env, '');
    fake.node.systemctl(['stop', PLACES.unit]);
    fake.network.cable(fake.node, false);
    fake.clock.after(300, () => {
      fake.putFile(PLACES.rootDiskMark, 'has been a member\n');
      return true;
    });
    assert.match(asked(fake) ?? '', /has been a member/, `TLS ${tls}, etcd.env is ${env}`);
  }
});

test('a heal marks the node on both disks before it moves anything: one that is lost then leaves the other', () => {
  const fake = new ThreeMembers('WAL gone');
  for (const path of [PLACES.rootDiskMark, PLACES.dataDiskMark]) fake.node.disk.delete(path);
  let marks: unknown[] = [];
  fake.once(
    () => !fake.node.disk.has(PLACES.unitFile),
    () => {
      marks = [fake.file(PLACES.rootDiskMark), fake.file(PLACES.dataDiskMark)];
    },
  );
  assert.is(fake.heal('operator')?.outcome, 'healed');
  assert.ok(marks.length === 2 && marks.every(Boolean));
});

test('nor with data into another cluster than the one that it was a member of', () => {
  const fake = new ThreeMembers('none');
  mark(fake, A);
  assert.match(asked(fake) ?? '', /the cluster has no birthmark/, 'founded anew, as far as anybody knows');
  fake.putKey(BIRTHMARK_KEY, B);
  assert.match(asked(fake) ?? '', /the cluster shows birthmark b+/);
  fake.putKey(BIRTHMARK_KEY, A);
  assert.is(asked(fake), undefined);
});

test('a key that somebody has deleted keeps no member down: it stood there when this node saw it', () => {
  const fake = new ThreeMembers('none');
  const then = (value: string | undefined) =>
    fake.run(async (world) => {
      const known = { birthmark: A, birthmarkRevision: 7n, dataDiskId: '' };
      await markMember(world.machine, PLACES, known);
      const asked: (bigint | undefined)[] = [];
      const cluster: World['cluster'] = (tls) => ({
        ...world.cluster(tls),
        get: async (_endpoints, _key, revision) => {
          asked.push(revision);
          if (value === undefined) throw new ClusterError('required revision has been compacted', false);
          return { value, lease: '' };
        },
      });
      const why = await gate({ ...world, cluster });
      assert.equal(new Set(asked), new Set([7n]));
      return why;
    });
  assert.is(then(A), undefined);
  assert.match(then(B) ?? '', /the cluster has no birthmark/);
  assert.match(
    then(undefined) ?? '',
    /the cluster has no birthmark/,
    'where nobody can say, it is not started',
  );
});

test('nor on a marked node whose settings are blank: the app may write them in the same moment', () => {
  for (const text of ['', undefined]) {
    const fake = new ThreeMembers('WAL gone');
    if (text === undefined) fake.node.disk.delete(PLACES.env);
    else fake.putFile(PLACES.env, text);
    assert.is(asked(fake), undefined, 'without a mark nothing is known');
    mark(fake, A);
    assert.match(asked(fake) ?? '', /etcd\.env says nothing.*the app's start writes the file/);
    // Of what it cannot read it knows nothing.
    fake.putFile(PLACES.env, 'ETCD_NAME=\n');
    assert.is(asked(fake), undefined);
  }
});

test('nor where a line of its unit keeps the settings from being known, but not where the data are', () => {
  const says = (line: string) => {
    const fake = new ThreeMembers('WAL gone');
    mark(fake, A);
    fake.putFile(`${UNIT_DIR}/${PLACES.unit}.d/own.conf`, `[Service]\nEnvironment=${line}\n`);
    return fake.run((world) => gate(world));
  };
  assert.match(says('ETCD_LOG_OUTPUTS=/var/log/etcd.log') ?? '', /has been a member, and .* holds no data/);
  assert.is(says('ETCD_DATA_DIR=/data'), undefined);
  // Whose data these are is not asked then: its name and URLs may stand elsewhere.
  const fake = new ThreeMembers('none');
  const env = fake.node.disk.text(PLACES.env) ?? '';
  fake.putFile(
    PLACES.env,
    env.replaceAll('10.0.0.2', '10.0.0.9').replace('ETCD_NAME=etcd2', 'ETCD_NAME=other'),
  );
  const own = 'ETCD_NAME=etcd2 ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.2:2380';
  fake.putFile(`${UNIT_DIR}/${PLACES.unit}.d/own.conf`, `[Service]\nEnvironment=${own}\n`);
  assert.is(asked(fake), undefined);
});

test('one that is silent keeps a start waiting no longer than the others need, while those serve', () => {
  const fake = new ThreeMembers('none', {}, 5);
  fake.others[0]?.powerOff();
  fake.pass(20_000);
  const beganMs = fake.clock.nowMs;
  assert.is(asked(fake), undefined);
  // Five starts within ten seconds are what systemd gives a unit up after (systemd.unit(5), StartLimitBurst).
  assert.ok(fake.clock.nowMs - beganMs < 1500, `${fake.clock.nowMs - beganMs} ms`);
});

test('nor with data that are ahead of the cluster: it was restored without them', () => {
  const fake = new ThreeMembers('none');
  const { data } = fake.node;
  if (data) fake.node.putData(ahead(data, 1000));
  assert.match(
    asked(fake) ?? '',
    /committed index 1\d+.*restored without this member.*adopt --discard-ahead/,
  );
  const commit = fake
    .run(({ machine }) =>
      machine.examine(
        { dataDir: '/var/lib/etcd/default.etcd', walDir: '/var/lib/etcd/default.etcd/member/wal' },
        'log',
      ),
    )
    .commit.toString();
  fake.putFile(PLACES.adopted, JSON.stringify({ memberId: data?.memberId, commit }));
  assert.match(asked(fake) ?? '', /A person has given these data up/);
  fake.othersOff();
  assert.match(asked(fake) ?? '', /A person has given these data up/, 'nobody need be asked for that');
  fake.node.disk.delete(PLACES.adopted);
  assert.match(
    asked(fake) ?? '',
    /restored without this member/,
    'what the cluster has said holds while it is silent',
  );
  fake.node.disk.delete(PLACES.foreign);
  assert.is(asked(fake), undefined, 'nobody has ever said that it is');
});

test('data that were ahead are of another history also when the cluster has overtaken them, until other data are there', () => {
  const fake = new ThreeMembers('none');
  const { data } = fake.node;
  fake.node.systemctl(['stop', PLACES.unit]);
  fake.pass(2000);
  if (data) fake.node.putData(ahead(data, 30));
  assert.match(asked(fake) ?? '', /restored without this member/);
  for (let writes = 0; writes < 50; writes++) {
    fake.pass(1000);
    fake.write();
  }
  assert.match(asked(fake) ?? '', /restored without this member/);
  const situation = fake.run(async (world) => situationOf(await observe(world), PLACES));
  assert.is(diagnose(situation).reason, 'amnesia/ahead');
  if (data) fake.node.putData(data);
  assert.is(asked(fake), undefined);
  assert.not(fake.file(PLACES.foreign));
});

test('silence between two questions takes nothing back, and nothing is kept of what was said once', () => {
  const fake = stoppedAhead(1000);
  const goesSilent = (world: World): World => ({
    ...world,
    machine: {
      ...world.machine,
      examine: async (config, depth) => {
        const found = await world.machine.examine(config, depth);
        if (depth === 'log') fake.othersOff();
        return found;
      },
    },
  });
  assert.match(fake.run((world) => gate(goesSilent(world))) ?? '', /restored without this member/);
  assert.not(fake.file(PLACES.foreign));
});

const slow = (world: World): World => ({
  ...world,
  machine: {
    ...world.machine,
    examine: async (config, depth) => {
      const found = await world.machine.examine(config, depth);
      return depth === 'kind' ? { ...found, kind: 'unknown', memberId: '', clusterId: '' } : found;
    },
  },
});

test('on a slow disk the first look does not come to whose data they are, and what was said of them holds', () => {
  const fake = stoppedAhead(1000);
  const refused = () => fake.run((world) => gate(slow(world))) ?? '';
  assert.match(refused(), /restored without this member/);
  fake.othersOff();
  assert.match(refused(), /restored without this member/);
});

const cut = (world: World): World => ({
  ...world,
  machine: {
    ...world.machine,
    examine: async (config, depth) => {
      const found = await world.machine.examine(config, depth);
      return depth === 'log' ? { ...found, commit: 5n, logRead: false } : found;
    },
  },
});

test('what a log that is not read to its end has committed is not known, and what was said of its member holds', () => {
  for (const [place, says] of [
    [PLACES.adopted, /A person has given these data up/],
    [PLACES.foreign, /restored without this member/],
  ] as const)
    for (const others of ['serve', 'are off']) {
      const fake = stoppedAhead(1000);
      assert.match(asked(fake) ?? '', /restored without this member/);
      const said = fake.node.disk.text(PLACES.foreign) ?? '';
      fake.node.disk.delete(PLACES.foreign);
      fake.putFile(place, said);
      if (others === 'are off') fake.othersOff();
      assert.match(fake.run((world) => gate(cut(world))) ?? '', says, `${place}, the others ${others}`);
    }
});

test('nor of one that is damaged, which may have committed more than can be read; data that have moved on are others', () => {
  const fake = stoppedAhead(1000);
  assert.match(asked(fake) ?? '', /restored without this member/);
  const reasonWith = (found: object) => {
    const observed = fake.run((world) => observe(world));
    if (!observed.examination) throw new Error('it is read');
    const examination = { ...observed.examination, kind: 'damaged' as const, brokenOff: true, ...found };
    return diagnose(situationOf({ ...observed, examination }, PLACES)).reason;
  };
  assert.is(reasonWith({ commit: 5n }), 'amnesia/ahead');
  assert.is(reasonWith({ commit: 5n, logRead: false, kind: 'whole' }), 'amnesia/ahead');
  const broken = (world: World): World => ({
    ...world,
    machine: {
      ...world.machine,
      examine: async (...words) => ({
        ...(await world.machine.examine(...words)),
        commit: 5n,
        brokenOff: true,
      }),
    },
  });
  assert.match(fake.run((world) => gate(broken(world))) ?? '', /restored without this member/);
  const noted = JSON.parse(fake.node.disk.text(PLACES.foreign) ?? '');
  fake.putFile(PLACES.foreign, JSON.stringify({ ...noted, commit: '3' }));
  assert.not.match(reasonWith({ commit: 5n }), /ahead/);
});

test('what a person has given up is over as well, once other data are started beside those that serve', () => {
  const fake = new ThreeMembers('none');
  const memberId = fake.node.data?.memberId;
  fake.putFile(PLACES.adopted, JSON.stringify({ memberId, commit: '7' }));
  assert.is(asked(fake), undefined);
  assert.not(fake.file(PLACES.adopted));
});

test('beside a verb that replaces data it is let through; data that are there still are refused after it', () => {
  const fake = stoppedAhead(1000);
  assert.match(asked(fake) ?? '', /restored without this member/);
  const beside = (world: World): World => ({
    ...world,
    machine: {
      ...world.machine,
      commandLines: async () => [['/bin/bash', '/opt/app/bin/ctl.sh', 'repair']],
    },
  });
  assert.is(
    fake.run((world) => gate(beside(world))),
    undefined,
  );
  fake.othersOff();
  assert.match(asked(fake) ?? '', /restored without this member/);
});

test('what a cluster has said of data is over with them, and once it says so no more', () => {
  const fake = new ThreeMembers('none');
  const { data } = fake.node;
  mark(fake, A);
  assert.match(asked(fake) ?? '', /this node remembers a{32}/);
  if (data) fake.node.putData(ahead(data, 1000));
  fake.othersOff();
  assert.is(asked(fake), undefined, 'said of other data');
  fake.othersOn();
  fake.pass(20_000);
  if (data) fake.node.putData(data);
  assert.match(asked(fake) ?? '', /this node remembers a{32}/);
  fake.node.disk.delete(PLACES.rootDiskMark);
  fake.node.disk.delete(PLACES.dataDiskMark);
  assert.is(asked(fake), undefined);
  fake.othersOff();
  assert.is(asked(fake), undefined, 'nothing is remembered of it');
});

test('nor old data into a cluster in which nothing was ever written: that one never had a birthmark', () => {
  const fake = new ThreeMembers('none');
  mark(fake, A);
  const unwritten = (world: World): World => ({
    ...world,
    cluster: (tls) => {
      const cluster = world.cluster(tls);
      return {
        ...cluster,
        ask: async (endpoint) => ({ ...(await cluster.ask(endpoint)), revision: 1n, birthmark: '' }),
      };
    },
  });
  assert.match(fake.run((world) => gate(unwritten(world))) ?? '', /the cluster has no birthmark/);
});

test('a founding is its own data where no mark stands and a leader was elected', () => {
  const fake = new ThreeMembers('none');
  const founding = (elected: boolean) => (world: World) =>
    gate({
      ...world,
      machine: {
        ...world.machine,
        examine: async (...of) => ({ ...(await world.machine.examine(...of)), kind: 'founding', elected }),
      },
    });
  assert.is(fake.run(founding(true)), undefined);
  assert.match(fake.run(founding(false)) ?? '', /holds nothing but a founding, while .* has been started/);
  mark(fake);
  assert.match(fake.run(founding(true)) ?? '', /has been a member, and .* nothing but a founding/);
});

test('its own data may be started, with or without the others', () => {
  const fake = new ThreeMembers('none');
  assert.is(asked(fake), undefined);
  fake.othersOff();
  assert.is(asked(fake), undefined);
});

test('the data of a member of another node may not', () => {
  const fake = new ThreeMembers('none');
  const [, other] = fake.others;
  if (other?.data) fake.node.putData({ ...other.data });
  assert.match(
    asked(fake) ?? '',
    new RegExp(`those of member ${other?.data?.memberId} \\(etcd3, http://10.0.0.3:2380\\)`),
  );
  fake.othersOff();
  assert.match(
    asked(fake) ?? '',
    /those of member \w+ \(etcd3,/,
    'what the cluster has said holds while it is silent',
  );
  fake.node.disk.delete(PLACES.foreign);
  assert.is(asked(fake), undefined, 'nobody has ever said so');
});

test('nor on a slow disk, where a first look does not come to whose they are', () => {
  const fake = new ThreeMembers('none');
  const [, other] = fake.others;
  if (other?.data) fake.node.putData({ ...other.data });
  const refused = () => fake.run((world) => gate(slow(world))) ?? '';
  assert.match(refused(), /those of member \w+ \(etcd3,/);
  fake.othersOff();
  assert.match(refused(), /those of member \w+ \(etcd3,/);
});

test('what the cluster has said of them is over once it lists that member for this node', () => {
  const fake = new ThreeMembers('none');
  const [, other] = fake.others;
  const id = other?.data?.memberId;
  if (other?.data) fake.node.putData({ ...other.data });
  assert.match(asked(fake) ?? '', /those of member \w+ \(etcd3,/);
  const own = fake.listed.find(({ name }) => name === 'etcd2')?.peerUrls ?? [];
  fake.lists((all) =>
    all
      .filter(({ name }) => name !== 'etcd2')
      .map((each) => (each.id === id ? { ...each, peerUrls: own } : each)),
  );
  assert.is(asked(fake), undefined, 'somebody has updated the member, and not carried the disk');
  fake.othersOff();
  assert.is(asked(fake), undefined, 'and after a power cut for all');
});

test('nor while no quorum serves and another only answers; its own may, whatever name a clone has put on it', () => {
  const clone = (own: boolean): ThreeMembers => {
    const fake = new ThreeMembers('none');
    const [one, other] = fake.others;
    fake.node.powerOff();
    if (own)
      fake.lists((all) => all.map((each) => (each.name === 'etcd2' ? { ...each, name: 'etcd3' } : each)));
    if (!own && other?.data) fake.node.putData({ ...other.data });
    other?.powerOff();
    fake.pass(10_000);
    assert.is(one?.etcd && fake.raft.serves(one.etcd), false, 'it answers, and serves nobody');
    fake.node.powerOn(false);
    return fake;
  };
  assert.match(asked(clone(false)) ?? '', /those of member \w+ \(etcd3, http:\/\/10\.0\.0\.3:2380\)/);
  assert.is(asked(clone(true)), undefined);
});

test('a proxy is not asked', () => {
  const fake = new ThreeMembers('none');
  const [, other] = fake.others;
  if (other?.data) fake.node.putData({ ...other.data });
  const view = fake.node.disk.text(PLACES.appEnv) ?? '';
  fake.putFile(PLACES.appEnv, view.replace('etcd-node', 'etcd-proxy'));
  assert.is(asked(fake), undefined);
});

test.run();
