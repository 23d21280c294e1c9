import { type Diagnosis, diagnose } from '../diagnose/diagnose.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';

export interface Told {
  readonly situation: Situation;
  readonly diagnosis: Diagnosis;
}

/** Between two crashes a process looks like one that is on its way up. */
const mayCrash = ({ situation: { unit }, diagnosis: { verdict } }: Told): boolean =>
  unit?.active === 'activating' && unit.restarts > 0 && ['starting', 'unknown'].includes(verdict);

/**
 * Looks, and looks again while what it sees may be other in a moment: between two crashes, and as long as `waits`
 * says, for up to `boundMs`.
 * @throws when its own disks cannot be looked at in that time
 */
export async function lookUntilTold(
  world: World,
  boundMs: number,
  waits: (told: Told) => boolean = () => false,
): Promise<Told> {
  const { machine, places } = world;
  const beganMs = machine.monotonicMs();
  for (;;) {
    const late = () => machine.monotonicMs() - beganMs > boundMs;
    // Disks that are busy may not answer in time.
    const seen = await observe(world).catch((error: Error) => {
      if (late()) throw error;
    });
    if (seen !== undefined) {
      const situation = situationOf(seen, places);
      const told = { situation, diagnosis: diagnose(situation) };
      if (!(mayCrash(told) || waits(told)) || late()) return told;
    }
    await machine.sleep(300);
  }
}
