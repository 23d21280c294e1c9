import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gate } from '../../src/act/gate.ts';
import { markMember } from '../../src/state/member-mark.ts';
import { members, OWN, PLACES } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';

/** A node whose data dir is as told, and whose etcd does not run. */
function node(walOwner?: string): FakeWorld {
  const fake = new FakeWorld();
  fake.runs.clear();
  if (walOwner !== undefined) fake.setWal(walOwner);
  return fake;
}

test('a node that has never been a member may start on nothing, whoever is in reach', async () => {
  const fake = node();
  fake.othersServe = () => {
    throw new Error('nobody is asked when a cluster is created');
  };
  assert.is(await gate(fake.world), undefined);
});

test('a node that has been one may not, while nobody is in reach', async () => {
  const fake = node();
  await markMember(fake.world.machine, PLACES);
  assert.is(await gate(fake.world), undefined, 'the others are in reach: they will tell etcd');
  fake.othersServe = () => false;
  assert.match((await gate(fake.world)) ?? '', /could found a second, empty cluster/);
});

test('nor while those in reach are another cluster than the one that it was a member of', async () => {
  const fake = node();
  await markMember(fake.world.machine, PLACES, 'a'.repeat(32));
  assert.match((await gate(fake.world)) ?? '', /the cluster has no birthmark, this node remembers a+/);
  fake.setWal(OWN);
  assert.is(
    await gate(fake.world),
    undefined,
    'a key that is merely gone keeps no member down that has its data',
  );
  fake.keys.set('heal-node/birthmark', { value: 'b'.repeat(32), lease: '' });
  assert.match((await gate(fake.world)) ?? '', /the cluster shows birthmark b+/);
  fake.keys.set('heal-node/birthmark', { value: 'a'.repeat(32), lease: '' });
  assert.is(await gate(fake.world), undefined);
});

test('its own data may be started, with or without the others', async () => {
  const fake = node(OWN);
  assert.is(await gate(fake.world), undefined);
  fake.othersServe = () => false;
  assert.is(await gate(fake.world), undefined);
});

test('the data of a member of another node may not', async () => {
  const fake = node(members[2]?.id);
  assert.match((await gate(fake.world)) ?? '', /those of member 59b0fd95b07996d8 \(etcd3/);
});

test('a proxy is not asked', async () => {
  const fake = node(members[2]?.id);
  const view = fake.disk.get(PLACES.appEnv);
  fake.disk.set(PLACES.appEnv, {
    text: view?.text?.replace('etcd-node', 'etcd-proxy') ?? '',
    rights: { mode: 0o644, uid: 0, gid: 0 },
  });
  assert.is(await gate(fake.world), undefined);
});

test.run();
