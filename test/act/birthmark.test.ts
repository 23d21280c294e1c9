import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rememberCluster } from '../../src/act/birthmark.ts';
import { ClusterError } from '../../src/cluster/cluster.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import type { TlsFiles } from '../../src/machine/etcd/etcd-config.ts';
import { observe } from '../../src/observe/observe.ts';
import { markMember, readMark } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { BIRTHMARK_KEY } from '../fake/paths.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];

const remembers = (fake: ThreeMembers, adopts = false) =>
  fake.run(async (world) => {
    const said = await rememberCluster(world, situationOf(await observe(world), PLACES), adopts);
    return { said, known: (await readMark(world.machine, PLACES)).birthmark };
  });

test('the first look while all are well marks the cluster, and the mark is remembered on both disks', () => {
  const fake = new ThreeMembers('none');
  const { said, known } = remembers(fake);
  assert.is(said, undefined);
  assert.match(known, /^[0-9a-f]{32}$/);
  assert.equal(fake.key(BIRTHMARK_KEY), { value: known, lease: '' });
  assert.ok(fake.file(PLACES.rootDiskMark));
  assert.equal(fake.file(PLACES.rootDiskMark), fake.file(PLACES.dataDiskMark));
});

test('a mark that stands there already is taken over, and garbage is not', () => {
  const fake = new ThreeMembers('none');
  fake.putKey(BIRTHMARK_KEY, A);
  assert.is(remembers(fake).known, A);
  const other = new ThreeMembers('none');
  other.putKey(BIRTHMARK_KEY, '$(reboot)');
  assert.is(remembers(other).known, '');
});

test('a cluster that shows another is not the one that is remembered, until it is adopted', () => {
  const fake = new ThreeMembers('none');
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: A, dataDiskId: '' }));
  fake.putKey(BIRTHMARK_KEY, B);
  const { said, known } = remembers(fake);
  assert.match(said ?? '', /this node remembers a+: it has been founded anew, or restored/);
  assert.is(known, A);
  assert.is(fake.key(BIRTHMARK_KEY)?.value, B, 'nothing is written over it');
  const adopted = remembers(fake, true);
  assert.is(adopted.said, undefined);
  assert.is(adopted.known, fake.key(BIRTHMARK_KEY)?.value);
  assert.is.not(adopted.known, A);
});

test('a key that somebody has deleted comes back as it was', () => {
  const fake = new ThreeMembers('none');
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: A, dataDiskId: '' }));
  assert.equal(remembers(fake), { said: undefined, known: A });
  assert.is(fake.key(BIRTHMARK_KEY)?.value, A);
});

test('nor has it to wait for all, as long as the history of the cluster itself has it', () => {
  for (const inHistory of [true, false]) {
    const fake = new ThreeMembers('none');
    const known = { birthmark: A, birthmarkRevision: 7n, dataDiskId: '' };
    fake.run(({ machine }) => markMember(machine, PLACES, known));
    fake.others[0]?.powerOff();
    fake.pass(10_000);
    const get = async () => {
      if (!inHistory) throw new ClusterError('etcdserver: mvcc: required revision has been compacted', false);
      return { value: A, lease: '' };
    };
    fake.run(async (world) => {
      const seen = { ...world, cluster: (tls?: TlsFiles) => ({ ...world.cluster(tls), get }) };
      await rememberCluster(world, situationOf(await observe(seen), PLACES));
    });
    assert.is(fake.key(BIRTHMARK_KEY)?.value, inHistory ? A : undefined);
  }
});

test('where not all are well nothing is written, and what is adopted is that there is none yet', () => {
  const fake = new ThreeMembers('none');
  fake.run(({ machine }) => markMember(machine, PLACES, { birthmark: A, dataDiskId: '' }));
  fake.others[0]?.powerOff();
  fake.pass(10_000);
  const { known } = remembers(fake, true);
  assert.is(known, '');
  assert.is(fake.key(BIRTHMARK_KEY), undefined);
  assert.is(remembers(fake).said, undefined);
});

test('one that a client has overwritten is no other cluster, as long as its history has ours', () => {
  for (const inHistory of [true, false]) {
    const fake = new ThreeMembers('none');
    fake.putKey(BIRTHMARK_KEY, B);
    const known = { birthmark: A, birthmarkRevision: 7n, dataDiskId: '' };
    fake.run(({ machine }) => markMember(machine, PLACES, known));
    const get = async () => ({ value: inHistory ? A : B, lease: '' });
    const { birthmarkMismatch } = fake.run(async (world) => {
      const seen = { ...world, cluster: (tls?: TlsFiles) => ({ ...world.cluster(tls), get }) };
      return situationOf(await observe(seen), PLACES);
    });
    assert.is(birthmarkMismatch === undefined, inHistory, birthmarkMismatch);
  }
});

test.run();
