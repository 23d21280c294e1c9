import type { Verdict } from '../diagnose/verdicts.ts';
import type { World } from '../observe/world.ts';
import { newRecord, unfinishedRecord } from '../report/heal-record.ts';
import { ifPossible } from '../report/if-possible.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import { rememberCluster } from './birthmark.ts';
import { HealContext } from './heal-context.ts';
import { isParked, readRequest, writeOutcome } from './heal-request.ts';
import { lookUntilTold } from './look-until-told.ts';
import { type Outcome, runHeal } from './run-heal.ts';

/** After a boot the network and the others may need a moment; an unfinished heal waits for them that long. */
const SETTLE_MS = 60_000;
const MAY_SETTLE: readonly Verdict[] = ['starting', 'quorum-lost', 'unknown', 'stopped', 'amnesia'];

/**
 * What `heal-node.service` does: takes up an unfinished heal, or begins one that was asked for, and writes down
 * how it ended. Everything is looked at afresh; a request only says that somebody wants it looked at.
 */
export async function runHealService(world: World, settings: Settings, log: Log): Promise<Outcome> {
  const { machine, places } = world;
  const ended = await decide(world, settings, log).catch((error: Error): Outcome => {
    log.error({ event: 'failed', error: error.message }, `The heal stopped: ${error.message}`);
    return { outcome: 'failed', message: `The heal stopped: ${error.message}` };
  });
  const verdict = ended.outcome === 'healed' ? 'healthy' : 'unknown';
  await ifPossible(log, `The end of ${places.request}`, machine.remove(places.request));
  await ifPossible(log, places.outcome, writeOutcome(machine, places, ended));
  await ifPossible(log, places.metrics, writeMetrics(machine, places, verdict));
  return ended;
}

async function decide(world: World, settings: Settings, log: Log): Promise<Outcome> {
  const { machine, places } = world;
  const nothing = (message: string): Outcome => {
    log.info({ event: 'nothing' }, message);
    return { outcome: 'nothing', message };
  };
  const parked = async (): Promise<string | undefined> =>
    (await isParked(machine, places))
      ? 'the app was stopped; the next start takes it up again'
      : (await world.mode()) === 'off'
        ? 'HEAL_MODE is off; `heal-node restore` brings the originals back'
        : undefined;
  const request = await readRequest(machine, places);
  const unfinished = await unfinishedRecord(machine, places);
  const swapped =
    (await machine.kindOf(places.unit1File)) !== 'none' ||
    (await machine.kindOf(places.originals)) !== 'none';
  if (!request && !unfinished && !swapped) return nothing('No heal was asked for and none is unfinished.');
  const why = await parked();
  if (why !== undefined) return { outcome: 'parked', message: `No heal is begun or taken up: ${why}.` };
  const { situation, diagnosis } = await lookUntilTold(
    world,
    SETTLE_MS,
    ({ diagnosis: { verdict } }) => unfinished !== undefined && MAY_SETTLE.includes(verdict),
  );
  const { verdict, reason, means, evidence } = diagnosis;
  log.info({ event: 'verdict', verdict, reason, evidence }, `Verdict ${verdict} (${reason}): ${means}.`);
  const begins = verdict === 'stale' && (request !== undefined || unfinished !== undefined);
  const goesOn = verdict === 'healing' || (unfinished !== undefined && verdict === 'healthy');
  if (!begins && !goesOn) {
    return nothing(`There is nothing to heal: the verdict is ${verdict} (${reason}), ${means}.`);
  }
  if (begins && unfinished === undefined && settings.mode === 'manual' && request?.by !== 'operator') {
    return { outcome: 'refused', message: 'HEAL_MODE is manual: heal by hand with `heal-node heal`.' };
  }
  const record = unfinished ?? newRecord(machine.now(), request?.by ?? 'boot', reason);
  const heal = new HealContext(world, settings, log, record, situation.seen);
  const outcome = await runHeal(heal, parked);
  if (outcome.outcome === 'healed') {
    await ifPossible(log, 'What marks this node', rememberCluster(world, heal.situation));
    // What it said was of the data that are set aside now; the next check compares anew.
    await ifPossible(log, `The end of ${places.deepCheck}`, machine.remove(places.deepCheck));
  }
  return outcome;
}
