import { diagnose } from '../diagnose/diagnose.ts';
import { situationOf } from '../diagnose/situation.ts';
import type { Verdict } from '../diagnose/verdicts.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { askAsClient } from './heal/ask-as-client.ts';

/** What another look may find to be otherwise, as soon as the others serve. */
export const MAY_SETTLE: readonly Verdict[] = ['starting', 'stopped', 'unknown', 'quorum-lost', 'amnesia'];

export type Settled = Awaited<ReturnType<typeof look>>;

/** Between two crashes a process looks like one that is on its way up. */
export const mayCrash = ({ situation: { unit }, diagnosis: { verdict } }: Settled): boolean =>
  unit?.active === 'activating' && unit.restarts > 0 && ['starting', 'unknown'].includes(verdict);

/**
 * It was started while its data were read, so that nothing is known of them, and has ended again. Where the others have
 * no quorum, nothing that the data say changes what is done.
 */
const isUnread = ({ situation: { process, observed, examination, cluster } }: Settled): boolean =>
  process === 'dead' && observed.data.kind === 'data' && !examination && cluster.hasQuorumWithoutSelf;

/** One look, and another where there is something new to ask the others with; where that cannot be had it says why. */
async function look(world: World) {
  let situation = situationOf(await observe(world), world.places);
  const asks = await askAsClient(world, situation).catch((error: Error) => error.message);
  if (asks === true) situation = situationOf(await observe(world), world.places);
  const diagnosis = diagnose(situation);
  if (typeof asks === 'boolean') return { situation, diagnosis };
  const means = `${diagnosis.means}; what it takes to ask the others cannot be had: ${asks}`;
  return { situation, diagnosis: { ...diagnosis, means } };
}

/**
 * Looks, and looks again while what it sees may be other in a moment: between two crashes, and as long as `waits`
 * says, for up to `boundMs`.
 * @param everyMs how long it waits between two looks
 * @throws when its own disks cannot be looked at in that time
 */
export async function diagnoseWhenSettled(
  world: World,
  boundMs: number,
  waits: (settled: Settled) => boolean | Promise<boolean> = () => false,
  everyMs = 300,
): Promise<Settled> {
  const { machine } = world;
  let last: Settled | Error = new Error('this node was not looked at');
  await waitUntil(machine, boundMs, everyMs, async () => {
    // Disks that are busy may not answer in time.
    last = await look(world).catch((error: Error) => error);
    const goesOn = last instanceof Error || (await waits(last)) || mayCrash(last) || isUnread(last);
    return goesOn ? undefined : last;
  });
  if (last instanceof Error) throw last;
  return last;
}
