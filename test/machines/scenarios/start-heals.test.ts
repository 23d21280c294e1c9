import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'a migration resets the root disk, the data are gone, and the start hook brings the member back',
  {},
  async (stage) => {
    const { machine } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };

    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    bad.resetRootDisk();
    await bad.powerOn();

    const started = await bad.hook('start');
    assert.is(started.code, 0, started.stdout);
    assert.match(
      started.stdout,
      /The app's start ended with exit \d+: stale \(stale\/already-bootstrapped\)/,
    );
    assert.match(started.stdout, /Healed in \d+ ms/);
    await expectHealed(stage, 2, before);
  },
);
