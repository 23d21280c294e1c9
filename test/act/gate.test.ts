import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gate } from '../../src/act/gate.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { BIRTHMARK_KEY } from '../fake/world.ts';

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const asked = (fake: ThreeMembers): string | undefined => fake.run(gate);

test('a node that has never been a member may start on nothing, whoever is in reach', () => {
  const fake = new ThreeMembers('WAL gone');
  const nobody = () => {
    throw new Error('nobody is asked when a cluster is created');
  };
  assert.is(
    fake.run((world) => gate({ ...world, cluster: nobody })),
    undefined,
  );
  fake.othersOff();
  assert.is(asked(fake), undefined);
});

test('a node that has been one may not, while nobody is in reach', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.run(({ machine }) => markMember(machine, PLACES));
  assert.is(asked(fake), undefined, 'the others are in reach: they will tell etcd');
  fake.othersOff();
  assert.match(asked(fake) ?? '', /could found a second, empty cluster/);
});

test('nor while those in reach are another cluster than the one that it was a member of', () => {
  for (const [broken, refusal] of [
    ['WAL gone', /the cluster has no birthmark, this node remembers a+/],
    ['none', undefined],
  ] as const) {
    const fake = new ThreeMembers(broken);
    fake.run(({ machine }) => markMember(machine, PLACES, A));
    // A key that is merely gone keeps no member down that has its data.
    if (refusal === undefined) assert.is(asked(fake), undefined);
    else assert.match(asked(fake) ?? '', refusal);
    fake.putKey(BIRTHMARK_KEY, B);
    assert.match(asked(fake) ?? '', /the cluster shows birthmark b+/);
    fake.putKey(BIRTHMARK_KEY, A);
    assert.is(asked(fake), undefined);
  }
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
});

test('a proxy is not asked', () => {
  const fake = new ThreeMembers('none');
  const [, other] = fake.others;
  if (other?.data) fake.node.putData({ ...other.data });
  const view = fake.node.disk.entries.get(PLACES.appEnv)?.text ?? '';
  fake.putFile(PLACES.appEnv, view.replace('etcd-node', 'etcd-proxy'));
  assert.is(asked(fake), undefined);
});

test.run();
