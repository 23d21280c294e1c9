import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { history } from '../../../src/state/heal-record.ts';
import { PLACES } from '../../fake/observation.ts';
import { DB, ETCD_RIGHTS } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const OLD = ['20250101T000000Z-aaaaaa', '20250102T000000Z-bbbbbb', '20250103T000000Z-cccccc'];
const MB = 1 << 20;

/** A stale node with a few megabytes free, of the 128 that are needed, and three data dirs set aside of that size. */
function crowded(eachMb: number, keepAside = 1, meanwhile: (fake: ThreeMembers) => void = () => undefined) {
  const fake = new ThreeMembers('WAL gone', { keepAside });
  meanwhile(fake);
  const { node } = fake;
  const bytes = eachMb * MB;
  for (const name of OLD) fake.putFile(`${PLACES.aside}/${name}/default.etcd/db`, 'x', bytes);
  node.disk.set(DB, { text: fake.oldId, rights: ETCD_RIGHTS, bytes });
  node.capacity.data = node.disk.used('data') + 20 * MB;
  const removed: string[] = [];
  node.onRemove = (path) => {
    if (path.startsWith(`${PLACES.aside}/`)) removed.push(path.slice(PLACES.aside.length + 1));
  };
  return { fake, removed, ended: fake.heal('health-action') };
}

test('data set aside by older heals go first, the oldest first, and no more than are needed', () => {
  const { ended, removed, fake } = crowded(60, 3);
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(removed.slice(0, 2), OLD.slice(0, 2));
  assert.ok(fake.node.disk.entries.has(`${PLACES.aside}/${OLD[2]}/default.etcd/db`));
});

test('then the heal is refused, and nothing is gone', () => {
  const { ended, removed, fake } = crowded(10);
  assert.is(ended?.outcome, 'refused');
  assert.match(ended?.message ?? '', /disk-room: .* bytes are free, .* are needed; .*HEAL_KEEP_ASIDE=0/);
  assert.equal(removed, []);
  assert.equal(fake.removed, []);
});

test('its own old data are never discarded unasked, also where the disk fills up when they have been set aside', () => {
  const { ended, removed, fake } = crowded(40, 1, (world) =>
    world.once(
      () => world.node.disk.entries.has(PLACES.copyEnv),
      () => Object.assign(world.node.capacity, { data: 0 }),
    ),
  );
  assert.is(ended?.outcome, 'refused', ended?.message);
  assert.match(ended?.message ?? '', /refused before remove: disk-room: .*All steps were taken back/);
  assert.equal(removed, []);
  assert.equal(fake.removed, []);
});

test('unless it is told to discard the old data, as the runbook does: right before the start, not before', () => {
  const { ended, removed, fake } = crowded(28, 0);
  assert.is(ended?.outcome, 'healed', ended?.message);
  assert.equal(removed.slice(0, 3), OLD);
  assert.is(removed.length, 4, 'its own last');
  assert.not(fake.files().some(([path]) => path.startsWith(`${PLACES.aside}/`)));
});

test('HEAL_MODE turned off in the middle parks the heal where the cluster is whole', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.once(
    () => fake.node.disk.entries.has(PLACES.copyEnv),
    () => {
      fake.node.mode = 'off';
    },
  );
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'parked');
  assert.match(ended?.message ?? '', /parked before remove: HEAL_MODE is off: give it back first/);
  assert.equal(fake.removed, []);
});

test('what is kept of the heals is kept of this one, whatever the clock says, and what a person keeps there is no heal', () => {
  const fake = new ThreeMembers('WAL damaged', { keepAside: 1 });
  const at = (name: string) => `${PLACES.aside}/${name}/db`;
  const [later, persons] = [at('20990101T000000Z-dddddd'), [at('of-a-person'), `${PLACES.aside}/zz.tar`]];
  for (const path of [later, ...persons]) fake.putFile(path, 'x');
  assert.is(fake.heal('health-action')?.outcome, 'healed');
  const [heal] = fake.run(({ machine }) => history(machine, PLACES));
  const left = fake.files().flatMap(([path]) => (path.startsWith(`${PLACES.aside}/`) ? path : []));
  const isOwn = (path: string) => path.startsWith(`${PLACES.aside}/${heal?.id}/`);
  assert.ok(left.some(isOwn), left.join());
  assert.equal(
    left.filter((path) => !isOwn(path)),
    persons,
  );
});

test.run();
