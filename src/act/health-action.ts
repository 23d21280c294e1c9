import { ownHooks } from '../appcenter/busy-verbs.ts';
import { appStartRisk } from '../diagnose/app-start-risk.ts';
import { diagnose } from '../diagnose/diagnose.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import type { Response } from '../diagnose/verdicts.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { bestEffort } from '../report/best-effort.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import type { Outcome } from '../state/outcome.ts';
import { isParked } from '../state/parked.ts';
import { ANSWER_MS, healThrough } from './ask-for-heal.ts';
import { rememberCluster } from './birthmark.ts';
import { diagnoseWhenSettled, mayCrash, type Settled } from './diagnose-when-settled.ts';
import { whyLeftToPerson } from './heal/left-to-person.ts';

/** How an ended heal looks to AppCenter. */
export const codeOf: Readonly<Record<Outcome['outcome'], 0 | 1 | 3>> = {
  healed: 0,
  nothing: 0,
  failed: 1,
  refused: 3,
  parked: 3,
};

/** So often systemd has started it anew since anybody else did: more often than a loop does that reaches the start limit. */
const LOOP_RESTARTS = 6;
/** How long a run of such a loop is waited for. */
const BETWEEN_RUNS_MS = 10_000;

interface Case {
  readonly world: World;
  readonly settings: Settings;
  readonly situation: Situation;
  /** What a person has to do; empty where that is nothing. */
  readonly advice: string;
  /** Milliseconds left of the action's own limit. */
  readonly leftMs: () => number;
}

/** What was done about it, as sentences of its own. */
interface Done {
  readonly code: 0 | 1 | 3;
  readonly did: string;
}

/**
 * Beside one of the app's verbs nothing is restarted or killed, nor after the stop hook behind an operator's back, nor
 * where the app's own start could do harm, as all of that stands now: what was decided from may be seconds old.
 */
async function whyNotRestarted(world: World) {
  const now = situationOf(await observe(world, undefined, ['files', 'units']), world.places);
  const busy = [...now.observed.appBusy, ...ownHooks(await world.machine.commandLines())];
  if (busy.length > 0) return `${busy.join(', ')} is running, so nothing is done.`;
  if (diagnose(now).verdict === 'healing') return 'A heal has begun; follow it with `heal-node logs`.';
  if (await isParked(world.machine, world.places)) return 'The app was stopped; the next start starts etcd.';
  const risk = appStartRisk(now);
  return risk && `The app's restart is not run: ${risk}.`;
}

/**
 * Runs that each take longer than a fifth of the start limit's time never reach it (systemd.unit(5), StartLimitBurst), and
 * between two of them nobody has the time to read the data. Stopped there, the unit keeps how its last run ended, which
 * a stop during a run would hide; what follows from it then starts etcd again, or heals.
 * @param leftMs for how long there is another look: what nobody would look at is not stopped
 * @returns whether there is something new to look at
 */
async function stopBetweenRuns(world: World, settled: Settled, leftMs: number): Promise<boolean> {
  const [machine, etcd] = [world.machine, world.places.unit];
  const { situation } = settled;
  const isLoop = mayCrash(settled) && (situation.unit?.restarts ?? 0) >= LOOP_RESTARTS && !situation.swapped;
  if (!isLoop || leftMs <= 0 || (await whyNotRestarted(world)) !== undefined) return false;
  const isBetween = await waitUntil(machine, Math.min(BETWEEN_RUNS_MS, leftMs), 10, async () => {
    const [unit] = await machine.units([etcd]).catch(() => []);
    return unit?.sub === 'auto-restart' || undefined;
  });
  if (isBetween) await machine.systemctl(['stop', etcd], ANSWER_MS).catch(() => undefined);
  // The next run may have begun in that very moment, and have been stopped: how it ends by itself is what counts.
  const [stopped] = isBetween ? await machine.units([etcd]).catch(() => []) : [];
  if (stopped?.exitKind === 0) await machine.systemctl(['start', '--no-block', etcd]).catch(() => undefined);
  return isBetween === true;
}

/** @param kills a process that lives and does not listen: a stop would wait for it, a kill does not ask it */
const restart = async (c: Case, kills = false): Promise<Done> => {
  const { world, settings, situation, leftMs } = c;
  const why = await whyNotRestarted(world);
  if (why !== undefined) return { code: 3, did: why };
  const kill = ['kill', '--signal=SIGKILL', situation.unitName];
  // A systemd that hangs kills nobody, and does not keep the app's own from being tried.
  const failed = kills && (await world.machine.systemctl(kill, ANSWER_MS).catch(() => true));
  const killed = kills && !failed ? 'Killed it. ' : '';
  const code = await world.machine.runApp(settings.restartCmd, leftMs());
  const command = settings.restartCmd.join(' ');
  if (code === undefined) return { code: 0, did: `${killed}\`${command}\` is under way.` };
  return code === 0
    ? { code: 0, did: `${killed}Restarted with \`${command}\`.` }
    : { code: 1, did: `${killed}\`${command}\` failed with exit ${code}.` };
};

const heal = async ({ world, leftMs }: Case): Promise<Done> => {
  if (await isParked(world.machine, world.places))
    return { code: 3, did: 'The app was stopped; the next start heals.' };
  const ended = await healThrough(world, 'health-action', leftMs);
  return ended === undefined
    ? { code: 0, did: 'The heal is under way in heal-node.service; follow it with `heal-node logs`.' }
    : { code: codeOf[ended.outcome], did: ended.message };
};

/** What the action does with a verdict, by the verdict's row. */
const responses: Readonly<Record<Response, (c: Case) => Promise<Done>>> = {
  nothing: async ({ advice }) => ({ code: advice === '' ? 0 : 3, did: 'Nothing is done.' }),
  restart: (c) => restart(c),
  'restart-if-dead': async (c) => {
    const { process, dataGone, cluster } = c.situation;
    if (process === 'alive') return { code: 3, did: 'Its process lives, so nothing is done.' };
    if (process === 'unknown')
      return { code: 3, did: 'Whether its process lives is not known, so nothing is done.' };
    // Where its place is not known, the app's restart writes the file that names it, and the gate looks again.
    if (dataGone && !cluster.hasQuorumWithoutSelf)
      return { code: 3, did: 'Its data dir holds no data, so nothing is done.' };
    return restart(c);
  },
  kill: (c) => restart(c, true),
  heal: async (c) =>
    c.settings.mode === 'auto'
      ? heal(c)
      : { code: 3, did: 'HEAL_MODE is manual: heal by hand with `heal-node heal`.' },
  resume: async (c) => {
    const why = await whyLeftToPerson(c.world, c.settings, c.situation);
    return why === undefined ? heal(c) : { code: 3, did: `Nothing is done: ${why}.` };
  },
};

/**
 * AppCenter's health action: looks, decides, and does what the verdict's row says, within the action's limit.
 */
export async function healthAction(world: World, settings: Settings, log: Log) {
  const { machine, places } = world;
  const beganMs = machine.monotonicMs();
  const boundMs = settings.actionTimeoutMs / 2;
  const { situation, diagnosis } = await diagnoseWhenSettled(world, boundMs, (settled) =>
    stopBetweenRuns(world, settled, boundMs - (machine.monotonicMs() - beganMs)),
  );
  const { verdict, reason, means, advice, evidence, node, response } = diagnosis;
  const found = `${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`;
  log.info({ event: 'verdict', verdict, reason, memberId: node.memberId, evidence }, found);
  if (verdict === 'healthy') {
    const mismatch = await bestEffort(log, 'The member mark', rememberCluster(world, situation));
    if (mismatch !== undefined) log.error({ event: 'birthmark' }, `${node.name}: ${mismatch}.`);
  }
  // Begun before anything is done, which does not wait for it: after a heal its service writes what holds then.
  const metrics = bestEffort(log, places.metrics, writeMetrics(machine, places, situation));
  const leftMs = () => Math.max(0, settings.actionTimeoutMs - (machine.monotonicMs() - beganMs) - 500);
  const { code, did } = await responses[response]({ world, settings, situation, advice, leftMs });
  await metrics;
  const message = `${found} ${did}${advice === '' ? '' : ` Action: ${advice}.`}`;
  log.info({ event: 'action', verdict, response, exit: code }, message);
  return { code, message };
}
