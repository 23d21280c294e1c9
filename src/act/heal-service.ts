import type { Situation } from '../diagnose/situation.ts';
import type { World } from '../observe/world.ts';
import { bestEffort } from '../report/best-effort.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import { DAY_MS, healRecordFile, newRecord } from '../state/heal-record.ts';
import { requestFile } from '../state/heal-request.ts';
import { type Outcome, writeOutcome } from '../state/outcome.ts';
import { isParked } from '../state/parked.ts';
import { rememberCluster } from './birthmark.ts';
import { diagnoseWhenSettled, MAY_SETTLE, type Settled } from './diagnose-when-settled.ts';
import { HealContext } from './heal/heal-context.ts';
import { whyLeftToPerson } from './heal/left-to-person.ts';
import { runHeal, type WhyParked } from './heal/run-heal.ts';

/** After a boot the network and the others may need a moment; an unfinished heal waits for them that long. */
const SETTLE_MS = 60_000;
/** Asked by the gate it waits for a day: a look costs a few processes, so after the first minute there are fewer. */
const LOOK_SELDOM_MS = 5000;

type Request = Awaited<ReturnType<typeof requestFile.read>>;

/** How a run ended, with what it saw last; undefined when it did not look. */
type Ended = Outcome & { readonly situation?: Situation };

/**
 * What `heal-node.service` does: takes up an unfinished heal, or begins one that was asked for, and writes down
 * how it ended. Everything is looked at afresh; a request only says that somebody wants it looked at.
 */
export async function runHealService(world: World, settings: Settings, log: Log): Promise<Outcome> {
  const { machine, places } = world;
  const request = await requestFile.read(machine, places.request);
  const { situation, ...ended } = await decide(world, settings, log, request).catch((error: Error): Ended => {
    log.error({ event: 'failed', error: error.message }, `The heal stopped: ${error.message}`);
    return { outcome: 'failed', message: `The heal stopped: ${error.message}` };
  });
  // Somebody may have asked while this run looked, at what held before; systemd starts no second one then.
  const newer = await requestFile.read(machine, places.request);
  const unchanged = ended.outcome === 'nothing' || ended.outcome === 'refused';
  if (unchanged && newer !== undefined && newer.atMs !== request?.atMs)
    return runHealService(world, settings, log);
  // A request that stays would be answered again; what could not be removed is removed by the next run.
  await bestEffort(log, places.request, machine.remove(places.request));
  // The client's key of the metadata service: whoever looks next brings it anew.
  await bestEffort(log, places.client, machine.remove(places.client));
  await bestEffort(log, places.outcome, writeOutcome(machine, places.outcome, ended));
  // Whoever waits for the outcome has it by now.
  await machine.status(ended.message, true);
  if (situation === undefined) return ended;
  if (ended.outcome === 'healed') await bestEffort(log, 'The member mark', rememberCluster(world, situation));
  await bestEffort(log, places.metrics, writeMetrics(machine, places, situation));
  return ended;
}

async function decide(world: World, settings: Settings, log: Log, request: Request): Promise<Ended> {
  const { machine, places } = world;
  const nothing = (message: string, situation?: Situation): Ended => {
    log.info({ event: 'nothing' }, message);
    return { outcome: 'nothing', message, ...(situation && { situation }) };
  };
  const parked: WhyParked = async () =>
    (await isParked(machine, places))
      ? 'the app was stopped; the next start takes it up again'
      : (await world.mode()) === 'off'
        ? 'HEAL_MODE is off: give it back first; then `heal-node resume` goes on, and `heal-node restore` brings the originals back'
        : undefined;
  const unfinished = await healRecordFile.read(machine, places.journal);
  const swap = [places.copyUnitFile, places.originals].map((path) => machine.kindOf(path));
  const swapped = (await Promise.all(swap)).some((kind) => kind !== 'none');
  if (!request && !unfinished && !swapped) return nothing('No heal was asked for and none is unfinished.');
  const asParked = (why: string): Outcome => {
    const message = `No heal is begun or taken up: ${why}.`;
    log.warn({ event: 'parked' }, message);
    return { outcome: 'parked', message };
  };
  const why = await parked();
  if (why !== undefined) return asParked(why);
  // One that was cut off while the cluster is short of this member goes on all the same: left so, one more failure counts.
  const pauseOf = ({ paused, joined, membership }: Situation) =>
    unfinished === undefined || joined || membership === 'listed' ? paused : undefined;
  const byGate = request?.by === 'gate';
  const waits = async ({ diagnosis: { verdict }, situation }: Settled): Promise<boolean> =>
    (unfinished !== undefined || byGate) &&
    (MAY_SETTLE.includes(verdict) || (byGate && verdict !== 'healthy' && !!pauseOf(situation))) &&
    // Whoever stops the app, or asks for a heal too, waits for this.
    (await parked()) === undefined &&
    (await requestFile.read(machine, places.request))?.by === request?.by;
  let settled = await diagnoseWhenSettled(world, SETTLE_MS, waits);
  if (byGate && (await waits(settled))) {
    void machine.status(`Waits for the others: ${settled.diagnosis.means}`);
    // AppCenter may not hear of the gate's refusal; and the others may be off for hours, after a power cut for all.
    settled = await diagnoseWhenSettled(world, DAY_MS, waits, LOOK_SELDOM_MS);
  }
  const { situation, diagnosis } = settled;
  const { verdict, reason, means, advice, evidence } = diagnosis;
  log.info({ event: 'verdict', verdict, reason, evidence }, `Verdict ${verdict} (${reason}): ${means}.`);
  const begins = verdict === 'stale' && (request !== undefined || unfinished !== undefined);
  const goesOn = verdict === 'healing' || (unfinished !== undefined && verdict === 'healthy');
  if (!begins && !goesOn) {
    const found = `There is nothing to heal: the verdict is ${verdict} (${reason}), ${means}.`;
    return nothing(advice === '' ? found : `${found} Action: ${advice}.`, situation);
  }
  const paused = pauseOf(situation);
  if (paused) return { ...asParked(paused), situation };
  const refused = (message: string): Ended => ({ outcome: 'refused', message, situation });
  if (request?.by !== 'operator') {
    if (begins && unfinished === undefined && settings.mode === 'manual')
      return refused('HEAL_MODE is manual: heal by hand with `heal-node heal`.');
    const left = goesOn ? await whyLeftToPerson(world, settings, situation) : undefined;
    if (left !== undefined) {
      const message = `No heal is taken up: ${left}.`;
      log.warn({ event: 'left-to-person' }, message);
      return refused(message);
    }
  }
  const record = unfinished ?? newRecord(machine.now(), request?.by ?? 'boot', reason);
  const heal = new HealContext(world, settings, log, record, situation.observed);
  return { ...(await runHeal(heal, parked)), situation: heal.situation };
}
