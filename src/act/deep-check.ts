import { diagnose } from '../diagnose/diagnose.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { credentialsWanted } from '../plan/guards.ts';
import { bestEffort } from '../report/best-effort.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import { type DeepCheckResult, deepCheckFile, differs, notCompared } from '../state/deep-check-file.ts';
import { healRecordFile } from '../state/heal-record.ts';
import { isParked } from '../state/parked.ts';
import { healRuns, requestHeal } from './ask-for-heal.ts';
import { rememberCluster } from './birthmark.ts';
import { compareAsAllowed } from './heal/compare-as-allowed.ts';
import { whyLeftToPerson } from './heal/left-to-person.ts';

/** What is left of the limit is for looking before the comparison, and for writing down after it. */
const BESIDE_COMPARING_MS = 1000;
/**
 * A confirmed difference fails this check for so long, time and again, without another comparison: AppCenter calls
 * the action only after two failures in a row.
 */
const STANDS_MS = 10 * 60_000;

type Found = {
  readonly code: 0 | 1;
  readonly message: string;
  /** Undefined when it did not look. */
  readonly situation?: Situation;
  /** To be written down; without one the file stays as it is, and the next check looks again. */
  readonly result?: DeepCheckResult;
  /** The data differ, seen in this check or in one before. */
  readonly diverged?: boolean;
  /** An unfinished heal is to be taken up. */
  readonly takesUp?: true;
};

/** Where nothing could be found out now, a difference that was found stands, and what it cost to ask is not forgotten. */
const nothingNew = (text: string, atMs: number, last: DeepCheckResult | undefined): DeepCheckResult =>
  differs(last) ? last : notCompared(text, atMs, '', last);

async function check(world: World, settings: Settings, log: Log, limitMs: number): Promise<Found> {
  const { machine, places } = world;
  const situation = situationOf(await observe(world), places);
  const { config, cluster, self } = situation;
  const { verdict, reason, means, node } = diagnose(situation);
  const found = `${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`;
  const unfinished =
    verdict === 'healing' || (await healRecordFile.read(machine, places.journal)) !== undefined;
  if (unfinished && settings.mode === 'auto' && !(await healRuns(machine))) {
    // It serves, on the copy or on what a migration has put back: no health action will ever be called for it.
    const parked =
      (await isParked(machine, places)) && 'the app was stopped; the next start takes it up again';
    const left = parked || (situation.paused ?? (await whyLeftToPerson(world, settings, situation)));
    if (left !== undefined) return { code: 0, message: `${found} It is left alone: ${left}.`, situation };
    return { code: 0, message: `${found} It is taken up again.`, situation, takesUp: true };
  }
  // It has answered healthy: only who it is, and what it holds, can still be wrong with it.
  if (['stale', 'local-fault', 'amnesia'].includes(verdict)) return { code: 1, message: found, situation };
  const last = await deepCheckFile.read(machine, places.deepCheck);
  const fine = (message: string, result = nothingNew(message, machine.now(), last)): Found => {
    return { code: 0, message, situation, result };
  };
  if (verdict !== 'healthy' || config === undefined) return fine(found);
  const mismatch = await bestEffort(log, 'The member mark', rememberCluster(world, situation));
  if (mismatch !== undefined) log.error({ event: 'birthmark' }, `${config.name}: ${mismatch}.`);
  const memberId = self?.memberId ?? '';
  const wanted = credentialsWanted(situation);
  if (wanted) return fine(`${config.name}: a heal would be refused now: ${wanted}.`);
  const heals = settings.onDivergence === 'heal';
  const agoMs = Math.abs(machine.now() - (last?.atMs ?? 0));
  if (heals && last?.confirmed && last.memberId === memberId && agoMs < STANDS_MS)
    return { code: 1, message: `${config.name}: ${last.text}.`, situation, diverged: true };
  if (cluster.serving.length < 2 || cluster.serving.length < cluster.members.length - 1) {
    const message = `${config.name}: its data are not compared now: not all others serve.`;
    return fine(message, last?.memberId === memberId ? last : notCompared(message, machine.now(), '', last));
  }
  const compareMs = Math.max(1, limitMs - BESIDE_COMPARING_MS);
  const { result, notAsked } = await compareAsAllowed(world, settings, situation, compareMs);
  if (notAsked !== undefined)
    return fine(`${config.name}: its data are not compared now: ${notAsked}.`, result);
  const message = `${config.name}: ${result.text}.`;
  const diverged = differs(result);
  return { code: result.confirmed && heals ? 1 : 0, message, situation, result, diverged };
}

/**
 * The rarer, deeper half of the health check: whether this member is who it should be, and, as often as `HEAL_COMPARE`
 * allows, whether it has the same data as all others. Within `limitMs`, and never on two members at once. A difference
 * is reported; with `HEAL_ON_DIVERGENCE=heal` one that was found twice makes the check fail, and the action finds the
 * rest.
 * @returns 0, or 1 when the member is not healthy after all
 */
export async function deepCheck(world: World, settings: Settings, log: Log, limitMs: number): Promise<Found> {
  const { machine, places } = world;
  const asUnknown = async (message: string): Promise<Found> => {
    const last = await deepCheckFile.read(machine, places.deepCheck);
    return { code: 0, message, result: nothingNew(message, machine.now(), last) };
  };
  const found = await Promise.race([
    check(world, settings, log, limitMs).catch((error: Error) =>
      asUnknown(`The deep check failed: ${error.message}.`),
    ),
    machine.sleep(limitMs).then(() => asUnknown(`The deep check was not done within ${limitMs} ms.`)),
  ]);
  // Not by the check itself: late, it would end between the request and the start that it is for.
  if (found.takesUp) await bestEffort(log, places.request, requestHeal(world, 'health-check'));
  if (found.result)
    await bestEffort(log, places.deepCheck, deepCheckFile.write(machine, places.deepCheck, found.result));
  if (found.situation) await bestEffort(log, places.metrics, writeMetrics(machine, places, found.situation));
  const warns = found.situation?.cluster.credentialsRefused;
  const level = found.diverged || found.code === 1 ? 'error' : warns ? 'warn' : 'info';
  log[level]({ event: found.diverged ? 'diverged' : 'deep-check', ...found.result }, found.message);
  return found;
}
