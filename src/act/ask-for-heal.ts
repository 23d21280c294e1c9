import type { Machine } from '../machine/machine.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { World } from '../observe/world.ts';
import { type Asker, requestFile } from '../state/heal-request.ts';
import { type Outcome, outcomeFile } from '../state/outcome.ts';
import { HEAL_UNIT } from '../state/places.ts';

/** The outcome that was there when a heal was asked for: any other is a newer one, whatever the clock says. */
export type Before = Awaited<ReturnType<typeof outcomeFile.read>>;

type Asking = Pick<World, 'machine' | 'places'>;

/** How long a systemd that hangs is waited for, where a call is answered at once by one that does not. */
export const ANSWER_MS = 5000;
/** How often the service itself is looked at, which costs a process; its outcome is looked for all the time. */
const LOOK_AT_SERVICE_MS = 2000;

/** Whether the service is at work right now; where systemd does not say, it may be. */
export async function healRuns(machine: Machine): Promise<boolean> {
  const [facts] = await machine.units([HEAL_UNIT]).catch(() => [undefined]);
  return facts === undefined || ['active', 'activating', 'reloading', 'deactivating'].includes(facts.active);
}

/**
 * Asks `heal-node.service` for a heal: a kill of the asker does not reach it there.
 * @throws when the request cannot be written; the service is started all the same, as an unfinished heal needs none
 */
export async function requestHeal({ machine, places }: Asking, by: Asker): Promise<Before> {
  const before = await outcomeFile.read(machine, places.outcome);
  try {
    // The gate is asked again every second: it does not take the place of somebody who waits for an answer.
    if (by !== 'gate' || (await requestFile.read(machine, places.request)) === undefined)
      await requestFile.write(machine, places.request, { by, atMs: machine.now() });
  } finally {
    await machine.systemctl(['start', '--no-block', HEAL_UNIT], ANSWER_MS);
  }
  return before;
}

/**
 * Waits for the outcome of a heal that was asked for; undefined when it is still under way after `boundMs`.
 * @param before what `requestHeal` returned
 * @param tick called now and then, for progress
 */
export async function awaitOutcome(
  { machine, places }: Asking,
  before: Before,
  boundMs: number,
  tick: () => void = () => undefined,
): Promise<Outcome | undefined> {
  let lookedMs = machine.monotonicMs();
  let startedAgain = false;
  const newer = async (): Promise<Outcome | undefined> => {
    const found = await outcomeFile.read(machine, places.outcome);
    return found?.atMs === before?.atMs ? undefined : found;
  };
  return waitUntil(machine, boundMs, 10, async (): Promise<Outcome | undefined> => {
    tick();
    const ended = await newer();
    if (ended !== undefined || machine.monotonicMs() - lookedMs <= LOOK_AT_SERVICE_MS) return ended;
    lookedMs = machine.monotonicMs();
    if (await healRuns(machine)) return undefined;
    const last = await newer();
    const unread = last === undefined && (await requestFile.read(machine, places.request)) !== undefined;
    if (unread && !startedAgain) {
      // Asked for while a run that had read all requests was ending: systemd does not start what still runs.
      startedAgain = true;
      await machine.systemctl(['start', '--no-block', HEAL_UNIT], ANSWER_MS).catch(() => undefined);
      return undefined;
    }
    const message = `${HEAL_UNIT} exited without writing a result; see journalctl -u ${HEAL_UNIT}.`;
    return last ?? { outcome: 'failed', message };
  });
}

/**
 * Asks for a heal and waits for its outcome; undefined when it is still under way after `leftMs()`, which is called
 * once the heal is requested. One that could not be asked for has failed.
 */
export async function healThrough(asking: Asking, by: Asker, leftMs: () => number, tick?: () => void) {
  const before = await requestHeal(asking, by).catch((error: Error) => error);
  if (before instanceof Error) {
    const message = `The heal could not be asked for: ${before.message}; fix that, and the next health action or start asks again.`;
    return { outcome: 'failed', message } as const;
  }
  return awaitOutcome(asking, before, leftMs(), tick);
}
