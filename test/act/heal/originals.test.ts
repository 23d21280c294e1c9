import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** The unit, wherever it is now. */
const KEPT = [PLACES.unitFile, PLACES.copyUnitFile, PLACES.originalUnit];

for (const takenBack of [false, true])
  test(`a person moves the unit aside at any moment of a heal${takenBack ? ' that is taken back' : ''}, and it is not lost`, () => {
    let struck = 0;
    for (let at = 1, effects = at; at <= effects; at++) {
      const fake = new ThreeMembers('WAL gone');
      const { node } = fake;
      if (takenBack)
        fake.once(
          () => node.disk.kindOf(PLACES.copyEnv) === 'file',
          () => fake.othersOff(),
        );
      effects = 0;
      node.onEffect = (what, when) => {
        if (what !== HEAL_UNIT || when !== 'before' || ++effects !== at) return;
        if (node.disk.kindOf(PLACES.unitFile) !== 'file') return;
        struck++;
        // As mv does, over what stands there.
        node.disk.delete(PLACES.copyUnitFile);
        node.disk.move(PLACES.unitFile, PLACES.copyUnitFile);
      };
      const ended = fake.heal('health-action');
      const kept = KEPT.filter((path) => node.disk.kindOf(path) === 'file');
      assert.ok(kept.length > 0, `before effect ${at} of ${effects}: ${ended?.message}`);
    }
    assert.ok(struck > 5, `${struck} times`);
  });

test.run();
