import * as v from 'valibot';
import { type Machine, ROOT_ONLY_FILE } from '../node/machine.ts';
import { HEAL_UNIT, type Places } from '../node/places.ts';
import type { Outcome } from './run-heal.ts';

/** Who may ask for a heal. In manual mode only an operator's request begins one. */
const askers = ['health-check', 'health-action', 'start', 'operator'] as const;
export type Asker = (typeof askers)[number];

const requestSchema = v.object({ by: v.picklist(askers), atMs: v.number() });
const outcomeSchema = v.object({
  outcome: v.picklist(['healed', 'refused', 'failed', 'parked', 'nothing']),
  message: v.string(),
  atMs: v.number(),
});

async function readOwn<S extends v.GenericSchema>(
  machine: Machine,
  path: string,
  schema: S,
): Promise<v.InferOutput<S> | undefined> {
  const file = await machine.readFile(path);
  try {
    return file && v.parse(schema, JSON.parse(file.text));
  } catch {
    return undefined;
  }
}

export const readRequest = (machine: Machine, places: Places) =>
  readOwn(machine, places.request, requestSchema);
export const readOutcome = (machine: Machine, places: Places) =>
  readOwn(machine, places.outcome, outcomeSchema);

export async function writeOutcome(machine: Machine, places: Places, outcome: Outcome): Promise<void> {
  const text = JSON.stringify({ ...outcome, atMs: machine.now() });
  await machine.writeFile(places.outcome, `${text}\n`, ROOT_ONLY_FILE);
}

/** The outcome that was there when a heal was asked for: any other is a newer one, whatever the clock says. */
export type Before = v.InferOutput<typeof outcomeSchema> | undefined;

/**
 * Asks `heal-node.service` for a heal: a kill of the asker does not reach it there.
 * @throws when the request cannot be written; the service is started all the same, as an unfinished heal needs none
 */
export async function requestHeal(machine: Machine, places: Places, by: Asker): Promise<Before> {
  const before = await readOutcome(machine, places);
  const request = JSON.stringify({ by, atMs: machine.now() });
  try {
    await machine.writeFile(places.request, `${request}\n`, ROOT_ONLY_FILE);
  } finally {
    await machine.systemctl(['start', '--no-block', HEAL_UNIT]);
  }
  return before;
}

/**
 * Asks a heal to stop at its next safe point, and keeps one from beginning; undone by `unpark`.
 * @param forMs it ends by itself after so long, for one who may be killed before he can undo it
 * @returns whether it was so already
 */
export async function park(machine: Machine, places: Places, forMs?: number): Promise<boolean> {
  const already = await isParked(machine, places);
  const text = forMs === undefined ? 'until the next start\n' : `since=${machine.now()} for=${forMs}\n`;
  if (!already) await machine.writeFile(places.parked, text, ROOT_ONLY_FILE);
  return already;
}

export async function isParked(machine: Machine, places: Places): Promise<boolean> {
  const file = await machine.readFile(places.parked);
  const [, sinceMs, forMs] = /^since=(\d+) for=(\d+)$/m.exec(file?.text ?? '') ?? [];
  // Set back, the clock would make a moment of it long.
  return file !== undefined && !(Math.abs(machine.now() - Number(sinceMs)) >= Number(forMs));
}

export const unpark = (machine: Machine, places: Places): Promise<void> => machine.remove(places.parked);

/**
 * Asks for a heal and waits for its outcome; undefined when it is still under way after `boundMs`. One that could not
 * be asked for has failed.
 */
export async function healThrough(
  machine: Machine,
  places: Places,
  by: Asker,
  boundMs: number,
): Promise<Outcome | undefined> {
  const before = await requestHeal(machine, places, by).catch((error: Error) => error);
  if (before instanceof Error) {
    const message = `The heal could not be asked for: ${before.message}; mend that, and the next health action or start asks again.`;
    return { outcome: 'failed', message };
  }
  return awaitOutcome(machine, places, before, boundMs);
}

/** Whether the service is at work right now. */
export async function healRuns(machine: Machine): Promise<boolean> {
  const [facts] = await machine.units([HEAL_UNIT]);
  return facts !== undefined && ['active', 'activating', 'reloading', 'deactivating'].includes(facts.active);
}

/**
 * Waits for the outcome of a heal that was asked for; undefined when it is still under way after `boundMs`.
 * @param before what `requestHeal` returned
 * @param tick called now and then, for progress
 */
export async function awaitOutcome(
  machine: Machine,
  places: Places,
  before: Before,
  boundMs: number,
  tick: () => void = () => undefined,
): Promise<Outcome | undefined> {
  const beganMs = machine.monotonicMs();
  let lookedMs = beganMs;
  const newer = async (): Promise<Before> => {
    const found = await readOutcome(machine, places);
    return found?.atMs === before?.atMs ? undefined : found;
  };
  while (machine.monotonicMs() - beganMs < boundMs) {
    const ended = await newer();
    if (ended !== undefined) return ended;
    if (machine.monotonicMs() - lookedMs > 2000) {
      lookedMs = machine.monotonicMs();
      if (!(await healRuns(machine))) {
        const late = await newer();
        if (late !== undefined) return late;
        return {
          outcome: 'failed',
          message: `${HEAL_UNIT} ended without a word; see journalctl -u ${HEAL_UNIT}.`,
        };
      }
    }
    tick();
    await machine.sleep(10);
  }
  return undefined;
}
