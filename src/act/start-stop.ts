import { appStartRisk } from '../diagnose/app-start-risk.ts';
import { diagnose } from '../diagnose/diagnose.ts';
import { situationOf } from '../diagnose/situation.ts';
import type { Verdict } from '../diagnose/verdicts.ts';
import { isBlank } from '../machine/systemd/env-file.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { bestEffort } from '../report/best-effort.ts';
import type { Log } from '../report/log.ts';
import type { Settings } from '../settings/settings-table.ts';
import { DAY_MS, healRecordFile } from '../state/heal-record.ts';
import { park, unpark } from '../state/parked.ts';
import { retell } from '../words/retell.ts';
import { healRuns, healThrough } from './ask-for-heal.ts';
import { rememberCluster } from './birthmark.ts';
import { diagnoseWhenSettled, MAY_SETTLE, type Settled } from './diagnose-when-settled.ts';
import { gate } from './gate.ts';

const say = (log: Log, event: string, sentence: string): void => {
  log.info({ event }, sentence);
  console.log(retell(sentence));
};

/**
 * Hands over to `heal-node.service`, waits for its end, and says it. Returns whether it has healed, or has found nothing
 * to heal because a health action's heal had ended well just before.
 */
async function healAndSay(world: World, log: Log, before = ''): Promise<boolean> {
  const ended = await healThrough(world, 'start', () => DAY_MS);
  say(log, 'start', `${before}${ended?.message ?? 'The heal is still under way.'}`);
  if (ended?.outcome !== 'nothing') return ended?.outcome === 'healed';
  return diagnose(situationOf(await observe(world), world.places)).verdict === 'healthy';
}

/** Nothing of a heal can be taken up yet. */
const cannotGoOn = ({ situation: { swapped, config, joined, cluster } }: Settled) =>
  swapped && config !== undefined && !joined && !cluster.hasQuorumWithoutSelf;

/** A heal is what it needs, or one is under way. */
const toBeHealed = (verdict: Verdict): boolean => verdict === 'stale' || verdict === 'healing';

/**
 * What the gate would refuse is not started: it waits for the others, then heals, or says why not.
 * @returns the exit code of the hook; undefined when etcd may be started
 */
async function insteadOfStart(world: World, settings: Settings, log: Log): Promise<number | undefined> {
  const refused = await gate(world);
  if (refused === undefined) return undefined;
  say(log, 'start-waits', `Waiting before etcd is started. ${refused}`);
  const { diagnosis } = await diagnoseWhenSettled(world, settings.startWaitMs, ({ diagnosis: { verdict } }) =>
    MAY_SETTLE.includes(verdict),
  );
  // A heal that the gate has asked for may have begun meanwhile.
  if (toBeHealed(diagnosis.verdict) && settings.mode === 'auto')
    return (await healAndSay(world, log, `Not started as it is, ${diagnosis.means}. `)) ? 0 : 3;
  const still = await gate(world);
  if (still === undefined) return undefined;
  say(log, 'start-refused', still);
  return 3;
}

/** AppCenter's start, for which it gives a day: the app's own, and the heal where the member proves stale. Returns the exit code. */
export async function start(world: World, settings: Settings, log: Log): Promise<number> {
  const { machine, places } = world;
  const unparked = await unpark(machine, places).catch((error: Error) => error);
  if (unparked) {
    // Left parked, a later heal would wait for a start that has been: this one fails, and has to be called again.
    const why = `${places.parked} could not be removed, so no heal is begun: ${unparked.message}`;
    say(log, 'start', `${why}; repair the disk, and start again.`);
    const risk = appStartRisk(situationOf(await observe(world, undefined, ['files']), places));
    if (risk !== undefined) say(log, 'start-refused', `Not started: ${risk}.`);
    return risk === undefined ? (await machine.runApp(settings.startCmd, DAY_MS)) || 1 : 3;
  }
  // After a boot confd may have yet to render the app's view, without which nothing tells what the app's start would do.
  const isRendered = async () => !(await isBlank(machine, places.appEnv).catch(() => true)) || undefined;
  await waitUntil(machine, settings.startWaitMs, 500, isRendered);
  const unfinished = await healRecordFile.read(machine, places.journal);
  const before = situationOf(await observe(world), places);
  const found = diagnose(before);
  if (before.swapped || (unfinished !== undefined && !before.servesAsOwn)) {
    // Where all nodes are started at once, the others are there in a moment; without them nothing can be taken up.
    await diagnoseWhenSettled(world, settings.startWaitMs, cannotGoOn);
    const healed = await healAndSay(world, log);
    // One that was taken back has left the originals in place: the app's start shows again what is wrong.
    const left = situationOf(await observe(world, undefined, ['files']), places);
    if (!healed && diagnose(left).verdict === 'healing') return 1;
  }
  const brings = before.certificatesMissing === undefined || before.certificatesToBring;
  // Where etcd.env is lost, the app's start writes it, and the gate is asked by systemd then.
  const instead = brings && before.config ? await insteadOfStart(world, settings, log) : undefined;
  if (instead !== undefined) return instead;
  // Never beside a heal: the unit may be aside just now.
  if ((await healRuns(machine)) && (await healAndSay(world, log))) return 0;
  // The gate may see others silent that were there, or let a verb of the app's go on: the app's start would still make a
  // new authority for all nodes.
  const now = situationOf(await observe(world, undefined, ['files']), places);
  const risk = appStartRisk(now) ?? (now.observed.tls && before.certificatesMissing);
  if (risk !== undefined) {
    const why = now.observed.app.ok ? `; ${found.means}. Action: ${found.advice}` : '';
    say(log, 'start-refused', `Not started: ${risk}${why}.`);
    return 3;
  }
  const code = (await machine.runApp(settings.startCmd, DAY_MS)) ?? 1;
  // Right after its start a process that is going to give up looks like one that is on its way up. And where the app has
  // written the settings, but etcd was not started, as its data are gone, or has died of them, the others may answer in a
  // moment.
  const ends = code === 0 ? ['amnesia'] : ['starting', 'stopped'];
  const boundMs = code === 0 ? 10_000 : settings.startWaitMs;
  const waits = ({ diagnosis: { verdict: v } }: Settled) => MAY_SETTLE.includes(v) && !ends.includes(v);
  const { situation: after, diagnosis } = await diagnoseWhenSettled(world, boundMs, waits);
  if (after.servesAsOwn) await bestEffort(log, 'The member mark', rememberCluster(world, after));
  // A migration in the middle of the heal has put the originals back; it only has to be ended.
  if (code === 0 && unfinished !== undefined && after.servesAsOwn) await healAndSay(world, log);
  const { verdict, reason, means } = diagnosis;
  if (code === 0 && !toBeHealed(verdict)) return 0;
  say(log, 'start', `The app's start ended with exit ${code}: ${verdict} (${reason}), ${means}.`);
  if (!toBeHealed(verdict) || settings.mode !== 'auto') return code;
  return (await healAndSay(world, log)) ? 0 : code;
}

/** AppCenter's stop: parks a heal at its next safe point, then the app's own. Returns the exit code. */
export async function stop(world: World, settings: Settings, log: Log): Promise<number> {
  const { machine, places } = world;
  await bestEffort(log, places.parked, park(machine, places));
  if (await healRuns(machine)) {
    say(log, 'stop-waits', 'A heal is under way: waiting for the next point where the cluster is whole.');
    await waitUntil(machine, DAY_MS, 200, async () => !(await healRuns(machine)) || undefined);
  }
  const code = (await machine.runApp(settings.stopCmd, DAY_MS)) ?? 1;
  // Again, unless a start has come meanwhile: what a heal has started on its way here was started before.
  if ((await machine.kindOf(places.parked)) !== 'none')
    await bestEffort(log, places.parked, park(machine, places));
  if ((await machine.kindOf(places.copyUnitFile)) === 'none') return code;
  // The app's own stop cannot know the unit that stands in for its own, and fails where its own is moved aside.
  // Somebody may just have put the originals back: what counts is whether anything runs.
  await machine.systemctl(['stop', places.copyUnit]).catch(() => undefined);
  const units = await machine.units([places.unit, places.copyUnit]).catch(() => undefined);
  return units?.every(({ mainPid }) => mainPid === 0) ? 0 : code || 1;
}
