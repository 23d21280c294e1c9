import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { whatNext } from '../../src/cli/diagnose-command.ts';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { asked, healthy, members, NO_DATA, OWN, settings, situation } from '../fake/observation.ts';

test('what a pause keeps from going on is said so, and nothing else', () => {
  const swapped: Observation = {
    ...healthy,
    ...NO_DATA,
    self: undefined,
    swap: { ...healthy.swap, unitFile: 'none', copyUnitFile: 'file', originals: true },
    pause: 'heals are paused on this node',
  };
  const short = members.filter(({ id }) => id !== OWN);
  const next = (observed: Observation) => {
    const s = situation(observed);
    return whatNext({ diagnosis: diagnose(s), settings, situation: s }).join(' ');
  };
  assert.match(next(swapped), /^No heal is begun or taken up: heals are paused on this node\./);
  assert.match(
    next({ ...swapped, others: [asked(1, { members: short }), asked(3, { members: short })] }),
    /^The health action takes the heal up again/,
  );
});

test.run();
