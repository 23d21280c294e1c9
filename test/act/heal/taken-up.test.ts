import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HealContext } from '../../../src/act/heal/heal-context.ts';
import { restoreByHand } from '../../../src/act/restore-by-hand.ts';
import { observe } from '../../../src/observe/observe.ts';
import { noLog } from '../../../src/report/log.ts';
import { newRecord } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { copyOf } from '../../fake/log.ts';
import { PLACES } from '../../fake/observation.ts';
import { DATA_DIR, ETCD_RIGHTS, WAL } from '../../fake/paths.ts';
import { journalOf } from '../../fake/switching.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const begun = (...ids: readonly string[]) => ids.map((id) => ({ id, startedAt }));
const done = (...ids: readonly string[]) => begun(...ids).map((step) => ({ ...step, did: 'it' }));

for (const there of [false, true])
  test(`a run that takes a heal up knows whether the data of the member that it had added were set aside (still there: ${there})`, () => {
    const fake = new ThreeMembers('none');
    if (there && fake.node.data) fake.node.putData({ ...fake.node.data, memberId: 'abc' });
    for (const [steps, stale] of [
      [done('fence', 'set-aside', 'stage', 'remove', 'add', 'start'), ''],
      [[...done('add', 'start', 'set-aside', 'stage'), ...begun('remove')], 'abc'],
      [[...done('add', 'start'), ...begun('set-aside')], 'abc'],
      [done('add', 'start', 'set-aside', 'remove'), ''],
      // The old one was out of the list already: only the new one is named.
      [done('fence', 'set-aside', 'stage', 'add', 'start'), ''],
      [[...done('fence', 'set-aside', 'stage'), ...begun('add')], ''],
    ] as const) {
      const record = { ...newRecord(0, 'operator', 'stale/removed'), newMemberId: 'abc', steps: [...steps] };
      const heal = fake.run(
        async (world) => new HealContext(world, fake.settings, noLog, record, await observe(world)),
      );
      assert.is(heal.memory.staleMemberId, there ? '' : stale, steps.map(({ id }) => id).join(', '));
    }
  });

test('a log that is too short stays known to a run that takes the heal up: it is not put back while the others are silent', () => {
  const fake = new ThreeMembers('log short');
  const { node } = fake;
  const { data } = node;
  if (data) node.disk.set(WAL, { data: copyOf(data, { short: data.last.index + 6 }), rights: ETCD_RIGHTS });
  const isMoved = () => [...node.disk.entries.keys()].some((path) => path.startsWith(`${PLACES.aside}/`));
  let killed = false;
  node.onEffect = (what) => {
    if (what !== HEAL_UNIT) return;
    if (isMoved()) fake.othersOff();
    else if (!killed && journalOf(fake)?.steps.some(({ id }) => id === 'set-aside')) {
      killed = true;
      fake.clock.after(1, () => {
        node.systemctl(['kill', HEAL_UNIT]);
        return true;
      });
    }
  };
  fake.heal('operator');
  fake.pass(120_000);
  node.onEffect = () => undefined;
  assert.ok(killed && isMoved());
  assert.not(node.disk.has(WAL), 'its data are aside');
  assert.not(node.disk.has(PLACES.unitFile), 'and it is fenced');
  fake.othersOn();
  fake.pass(30_000);
  assert.is(fake.resume()?.outcome, 'healed');
});

test('the new member is damaged by a power loss, and nothing has crashed in this boot: it is replaced again', () => {
  const fake = new ThreeMembers('WAL gone');
  const { node } = fake;
  let harmed = '';
  fake.once(
    () => node.etcd !== undefined && node.etcd.unit === PLACES.copyUnit && (node.data?.last.index ?? 0) > 5,
    () => {
      node.powerOff();
      harmed = node.data?.memberId ?? '';
      if (node.data) node.putData({ ...node.data, harm: 'crc mismatch' });
      fake.clock.after(30_000, () => {
        node.powerOn(false);
        return true;
      });
    },
  );
  fake.heal('health-action');
  fake.pass(120_000);
  fake.resume();
  fake.pass(60_000);
  assert.ok(harmed);
  assert.ok(fake.healthy(node), fake.outcome?.message);
  assert.is.not(node.data?.memberId, harmed);
});

const ends = {
  'a heal that is refused': (fake: ThreeMembers) => fake.resume()?.outcome === 'refused',
  'restore by hand': (fake: ThreeMembers) =>
    fake.run((world) => restoreByHand(world, fake.settings, noLog)).code === 1,
} as const;
for (const [what, end] of Object.entries(ends))
  test(`the new member's data are gone before the heal has ended, and ${what} brings no data of the old one back`, () => {
    const fake = new ThreeMembers('WAL damaged', { maxPerDay: 1 });
    const { node } = fake;
    fake.once(
      () => fake.running === PLACES.copyUnit && fake.healthy(node),
      () => fake.putFile(PLACES.parked, `since=${fake.clock.nowMs} for=600000\n`),
    );
    assert.is(fake.heal('operator')?.outcome, 'parked');
    node.disk.delete(PLACES.parked);
    node.systemctl(['stop', PLACES.copyUnit]);
    fake.pass(2000);
    node.disk.delete(DATA_DIR);
    assert.ok(end(fake));
    assert.is(node.data, undefined);
    assert.ok(fake.files().some(([path]) => path.startsWith(`${PLACES.aside}/`)));
  });

test.run();
