import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { healRecordFile } from '../../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** What the steps of the only heal in the history have done. */
const did = (fake: ThreeMembers) =>
  fake.run(async ({ machine }) => {
    const [name] = await machine.list(PLACES.history);
    const record = await healRecordFile.read(machine, `${PLACES.history}/${name}`);
    return new Map(record?.steps.map((step) => [step.id, step.did ?? '']));
  });

test('the alarms of the removed member are disarmed, those of others stay and are reported', () => {
  const fake = new ThreeMembers('WAL gone');
  const others = [
    { memberId: fake.bornId(3), alarm: 'NOSPACE' },
    { memberId: '0', alarm: 'CORRUPT' },
  ];
  fake.raise([
    { memberId: fake.oldId, alarm: 'NOSPACE' },
    ...others,
    { memberId: fake.oldId, alarm: 'CORRUPT' },
  ]);
  const outcome = fake.heal('operator');
  assert.is(outcome?.outcome, 'healed', outcome?.message);
  assert.equal(fake.alarms, others);
  const steps = did(fake);
  assert.match(steps.get('remove') ?? '', new RegExp(`NOSPACE of ${fake.oldId} is disarmed`));
  assert.match(
    steps.get('verify') ?? '',
    new RegExp(`alarms that are raised: NOSPACE of ${fake.bornId(3)}, CORRUPT of 0$`),
  );
});

test('a heal that is cut off right after remove disarms them in the end', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.raise([{ memberId: fake.oldId, alarm: 'NOSPACE' }]);
  fake.once(
    () => fake.listed.length === 2,
    () => fake.node.systemctl(['kill', HEAL_UNIT]),
  );
  const outcome = fake.heal('operator');
  assert.is(outcome?.outcome, 'healed', outcome?.message);
  assert.equal(fake.alarms, []);
});

test.run();
