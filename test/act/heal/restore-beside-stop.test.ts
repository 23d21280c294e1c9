import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restoreByHand } from '../../../src/act/restore-by-hand.ts';
import { noLog } from '../../../src/report/log.ts';
import { isStoppedByApp } from '../../../src/state/parked.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

for (const stops of [false, true])
  test(`originals that are brought back by hand ${stops ? 'while the app stops are not started' : 'are started where the data fit'}`, () => {
    const fake = new ThreeMembers('WAL gone');
    // The heal is held once the new member runs on its copy.
    fake.once(
      () => fake.running === PLACES.copyUnit,
      () => fake.putFile(PLACES.parked, `since=${fake.clock.nowMs} for=600000\n`),
    );
    assert.is(fake.heal('health-action')?.outcome, 'parked');
    fake.node.disk.delete(PLACES.parked);
    if (stops)
      fake.once(
        () => fake.node.disk.kindOf(PLACES.parked) === 'file',
        () => fake.putFile(PLACES.parked, `since=${fake.clock.nowMs}\n`),
      );
    const { message } = fake.run((world) => restoreByHand(world, fake.settings, noLog));
    assert.match(
      message,
      stops ? /etcd is not started, because the app was stopped/ : /etcd is started on it/,
    );
    assert.is(
      fake.run(({ machine }) => isStoppedByApp(machine, PLACES)),
      stops,
    );
    fake.pass(5000);
    assert.is(fake.running, stops ? undefined : PLACES.unit);
  });

test.run();
