import { claim } from '../cluster/claim.ts';
import { compareData } from '../cluster/compare-data.ts';
import { diagnose } from '../diagnose/diagnose.ts';
import { situationOf } from '../diagnose/situation.ts';
import type { Verdict } from '../diagnose/verdicts.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { bestEffort } from '../report/best-effort.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import { type DeepCheckResult, deepCheckFile } from '../state/deep-check-file.ts';
import { healRecordFile } from '../state/heal-record.ts';
import { healRuns, requestHeal } from './ask-for-heal.ts';
import { rememberCluster } from './birthmark.ts';
import { whyLeftToPerson } from './left-to-person.ts';

/** Held by the one member that compares right now; gone by itself. */
const LOCK_KEY = 'heal-node/deep-check';
const LOCK_SEC = 30;
/** Between the two comparisons that a difference takes. */
const AGAIN_MS = 200;

type Result = Omit<DeepCheckResult, 'atMs'>;
type Found = {
  readonly code: 0 | 1;
  readonly message: string;
  /** Undefined when it did not look. */
  readonly verdict?: Verdict;
  readonly result?: Result;
  /** Another member compares right now: what was found last stands, and the next checks are quick for a while. */
  readonly postponed?: true;
  /** An unfinished heal is to be taken up. */
  readonly takesUp?: true;
};

const unknown = (text: string): Result => ({ state: 'unknown', confirmed: false, memberId: '', text });

/** This member's hash against those of all others, which must agree among themselves. */
async function compare(world: World, differedBefore: boolean): Promise<Result> {
  const situation = situationOf(await observe(world), world.places);
  const { config, cluster, observed } = situation;
  const self = observed.self?.reply.ok ? observed.self.reply.value : undefined;
  if (config === undefined || self === undefined) return unknown('this member does not answer');
  if (cluster.serving.length < 2 || cluster.serving.length < cluster.members.length - 1)
    return unknown('not all others serve');
  const members = [
    { endpoint: config.clientUrl, revision: self.revision },
    ...cluster.serving.map(({ endpoint, reply }) => ({ endpoint, revision: reply.revision })),
  ];
  const found = await compareData(world.cluster(config.tls), members);
  if (typeof found === 'string') return unknown(found);
  const own = found.hashes.get(config.clientUrl);
  const others = new Set(cluster.serving.map(({ endpoint }) => found.hashes.get(endpoint)));
  const at = `at revision ${found.revision}`;
  const { memberId } = self;
  if (others.size > 1) return unknown(`the others differ among themselves ${at}`);
  const [theirs] = others;
  if (own === theirs)
    return { state: 'equal', confirmed: false, memberId, text: `its data equal all others' ${at}` };
  const text = `the data of this member differ from those of all others ${at}: hash ${own}, the others ${theirs}`;
  if (differedBefore) return { state: 'differs', confirmed: true, memberId, text };
  await world.machine.sleep(AGAIN_MS);
  return compare(world, true);
}

async function check(world: World, settings: Settings, log: Log): Promise<Found> {
  const situation = situationOf(await observe(world), world.places);
  const { config } = situation;
  const { verdict, reason, means, node } = diagnose(situation);
  const found = `${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`;
  const unfinished =
    verdict === 'healing' || (await healRecordFile.read(world.machine, world.places.journal)) !== undefined;
  if (unfinished && settings.mode === 'auto' && !(await healRuns(world.machine))) {
    // It serves, on the copy or on what a migration has put back: no health action will ever be called for it.
    const left = await whyLeftToPerson(world, settings, situation);
    if (left !== undefined) return { code: 0, message: `${found} It is left alone: ${left}.`, verdict };
    return { code: 0, message: `${found} It is taken up again.`, verdict, takesUp: true };
  }
  // It has answered healthy: only who it is, and what it holds, can still be wrong with it.
  if (['stale', 'local-fault', 'amnesia'].includes(verdict)) return { code: 1, message: found, verdict };
  if (verdict !== 'healthy' || config === undefined)
    return { code: 0, message: found, verdict, result: unknown(found) };
  const mismatch = await bestEffort(log, 'The member mark', rememberCluster(world, situation));
  if (mismatch !== undefined) log.error({ event: 'birthmark' }, `${config.name}: ${mismatch}.`);
  const cluster = world.cluster(config.tls);
  const held = await claim(cluster, [config.clientUrl], LOCK_KEY, config.name, LOCK_SEC);
  if (held.value !== config.name)
    return { code: 0, message: `${held.value} compares its data right now.`, verdict, postponed: true };
  const result = await compare(world, false);
  const heals = result.confirmed && settings.onDivergence === 'heal';
  return { code: heals ? 1 : 0, message: `${config.name}: ${result.text}.`, verdict, result };
}

/**
 * The rarer, deeper half of the health check: whether this member is who it should be, and has the same data as
 * all others. Within `limitMs`, and never on two members at once. A difference is reported; with
 * `HEAL_ON_DIVERGENCE=heal` it makes the check fail, and the action finds the rest.
 * @returns 0, or 1 when the member is not healthy after all
 */
export async function deepCheck(
  world: World,
  settings: Settings,
  log: Log,
  limitMs: number,
): Promise<Pick<Found, 'code' | 'message'>> {
  const { machine, places } = world;
  const late = unknown(`not done within ${limitMs} ms`);
  const found = await Promise.race([
    check(world, settings, log).catch((error: Error): Found => {
      const text = `it could not be compared: ${error.message}`;
      return { code: 0, message: text, result: unknown(text) };
    }),
    machine
      .sleep(limitMs)
      .then((): Found => ({ code: 0, message: `The deep check was ${late.text}.`, result: late })),
  ]);
  // Not by the check itself: late, it would end between the request and the start that it is for.
  if (found.takesUp) await bestEffort(log, places.request, requestHeal(machine, places, 'health-check'));
  // Written again unchanged, the file is new, and so the next checks are quick.
  const last = found.postponed && (await deepCheckFile.read(machine, places.deepCheck));
  const result = found.result ?? (found.postponed && !last ? unknown(found.message) : undefined);
  const written = result ? { ...result, atMs: machine.now() } : last;
  if (written)
    await bestEffort(log, places.deepCheck, deepCheckFile.write(machine, places.deepCheck, written));
  if (found.verdict !== undefined)
    await bestEffort(log, places.metrics, writeMetrics(machine, places, found.verdict));
  const write = found.result?.confirmed || found.code === 1 ? log.error : log.info;
  write({ event: found.result?.confirmed ? 'diverged' : 'deep-check', ...found.result }, found.message);
  return found;
}
