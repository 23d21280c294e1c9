import * as assert from 'uvu/assert';
import { healSteps } from '../../../src/plan/heal-steps.ts';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { etcdFailed, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

/**
 * One heal that is cut off once in every step, right after the step has begun, and ends all the same without a
 * person. How far into the step the cut falls differs from run to run, as it does in life.
 */
export function cutOffInEveryStep(title: string, cut: (machine: TestMachine) => Promise<void>): void {
  scenario(title, {}, async (stage) => {
    const { bed, machine, client } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const writer = client();
    await writer.writes(20);
    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    await bad.powerOn();
    await etcdFailed(bad);

    const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
    const cutIn = new Set<string>();
    await bad.sh('/opt/heal-node/bin/health-action >/dev/null 2>&1 &');
    await until(
      'every step was cut off once, and the heal has ended',
      async () => {
        for (const line of tail()) {
          const { event, step } = JSON.parse(line) as { event: string; step?: string };
          if (event === 'healed') return true;
          if (event !== 'step-begins' || step === undefined || cutIn.has(step)) continue;
          cutIn.add(step);
          await cut(bad);
          break;
        }
        await sleep(1);
        return false;
      },
      180_000,
      1,
    );
    await healed(bad);
    await writer.writes(20);
    await writer.stop();

    // A step that has ended before the cut fell is seen done afterwards, so the last ones may be skipped.
    const must = healSteps.map(({ id }) => id).filter((id) => id !== 'confirm');
    assert.equal(
      must.filter((id) => !cutIn.has(id)),
      [],
      `cut off in ${[...cutIn].join(', ')}`,
    );
    await expectHealed(stage, 2, before);
    assert.ok(await bed.etcdctl([bad.endpoint], 'get', 'w/', '--prefix', '--keys-only'));
  });
}
