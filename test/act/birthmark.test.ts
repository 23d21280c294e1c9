import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rememberCluster } from '../../src/act/birthmark.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { markMember, rememberedBirthmark } from '../../src/state/member-mark.ts';
import { PLACES } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';

const KEY = 'heal-node/birthmark';
const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];

async function remembers(fake: FakeWorld, adopts = false) {
  const said = await rememberCluster(fake.world, situationOf(await observe(fake.world), PLACES), adopts);
  return { said, known: await rememberedBirthmark(fake.world.machine, PLACES) };
}

test('the first look while all are well marks the cluster, and the mark is remembered on both disks', async () => {
  const fake = new FakeWorld();
  const { said, known } = await remembers(fake);
  assert.is(said, undefined);
  assert.match(known, /^[0-9a-f]{32}$/);
  assert.equal(fake.keys.get(KEY), { value: known, lease: '' });
  assert.equal(fake.disk.get(PLACES.rootDiskMark), fake.disk.get(PLACES.dataDiskMark));
});

test('a mark that stands there already is taken over, and garbage is not', async () => {
  const fake = new FakeWorld();
  fake.keys.set(KEY, { value: A, lease: '' });
  assert.is((await remembers(fake)).known, A);
  const other = new FakeWorld();
  other.keys.set(KEY, { value: '$(reboot)', lease: '' });
  assert.is((await remembers(other)).known, '');
});

for (const shown of ['', B])
  test(`a cluster that shows ${shown || 'none'} is not the one that is remembered, until it is adopted`, async () => {
    const fake = new FakeWorld();
    await markMember(fake.world.machine, PLACES, A);
    if (shown) fake.keys.set(KEY, { value: shown, lease: '' });
    const { said, known } = await remembers(fake);
    assert.match(said ?? '', /this node remembers a+: it has been founded anew, or restored/);
    assert.is(known, A);
    assert.is(fake.keys.get(KEY)?.value ?? '', shown, 'nothing is written over it');
    const adopted = await remembers(fake, true);
    assert.is(adopted.said, undefined);
    assert.is(adopted.known, fake.keys.get(KEY)?.value);
    assert.is.not(adopted.known, A);
  });

test('where not all are well nothing is written, and what is adopted is that there is none yet', async () => {
  const fake = new FakeWorld();
  await markMember(fake.world.machine, PLACES, A);
  fake.listed = [
    ...fake.listed,
    { id: 'f4', name: 'etcd4', peerUrls: ['http://10.0.0.4:2380'], clientUrls: [] },
  ];
  const { known } = await remembers(fake, true);
  assert.is(known, '');
  assert.not(fake.keys.has(KEY));
  assert.is((await remembers(fake)).said, undefined);
});

test.run();
