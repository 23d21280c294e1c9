import type { Situation } from '../diagnose/situation.ts';
import { type Response, verdictRow } from '../diagnose/verdicts.ts';
import type { World } from '../observe/world.ts';
import { ifPossible } from '../report/if-possible.ts';
import type { Log } from '../report/log.ts';
import { writeMetrics } from '../report/metrics.ts';
import type { Settings } from '../settings/settings-table.ts';
import { rememberCluster } from './birthmark.ts';
import { healThrough, isParked } from './heal-request.ts';
import { lookUntilTold } from './look-until-told.ts';
import type { Outcome } from './run-heal.ts';

export interface HookResult {
  readonly code: 0 | 1 | 3;
  readonly message: string;
}

/** How an ended heal looks to AppCenter. */
export const codeOf: Readonly<Record<Outcome['outcome'], HookResult['code']>> = {
  healed: 0,
  nothing: 0,
  failed: 1,
  refused: 3,
  parked: 3,
};

interface Case {
  readonly world: World;
  readonly settings: Settings;
  readonly situation: Situation;
  readonly found: string;
  readonly person: string;
  /** Milliseconds left of the action's own limit. */
  readonly leftMs: number;
}

const restart = async ({ world, settings, found, leftMs }: Case): Promise<HookResult> => {
  const code = await world.machine.runApp(settings.restartCmd, leftMs);
  const command = settings.restartCmd.join(' ');
  if (code === undefined) return { code: 0, message: `${found} \`${command}\` is under way.` };
  return code === 0
    ? { code: 0, message: `${found} Restarted with \`${command}\`.` }
    : { code: 1, message: `${found} \`${command}\` failed with exit ${code}.` };
};

const heal = async ({ world: { machine, places }, found, leftMs }: Case): Promise<HookResult> => {
  if (await isParked(machine, places)) {
    return { code: 3, message: `${found} The app was stopped; the next start heals.` };
  }
  const ended = await healThrough(machine, places, 'health-action', leftMs);
  return ended === undefined
    ? {
        code: 0,
        message: `${found} The heal is under way in heal-node.service; follow it with \`heal-node logs\`.`,
      }
    : { code: codeOf[ended.outcome], message: `${found} ${ended.message}` };
};

/** What the action does with a verdict, by the verdict's row. */
const responses: Readonly<Record<Response, (c: Case) => Promise<HookResult>>> = {
  nothing: async ({ found, person, situation }) => ({
    code: situation.servesAsOwn || person === '' ? 0 : 3,
    message: `${found} Nothing is done.${person}`,
  }),
  restart,
  'restart-if-dead': async (c) => {
    const { situation, found, person } = c;
    const holdsData = situation.seen.data.kind === 'wal' || situation.cluster.standsWithoutUs;
    if (!situation.runs && holdsData) {
      const done = await restart(c);
      return { ...done, message: `${done.message}${person}` };
    }
    const why = situation.runs ? 'Its process lives' : 'Its data dir holds no data';
    return { code: 3, message: `${found} ${why}, so nothing is done.${person}` };
  },
  kill: async (c) => {
    const { machine } = c.world;
    // A stop would wait for a process that does not listen; a kill does not ask it.
    await machine.systemctl(['kill', '--signal=SIGKILL', c.situation.unitName]);
    const done = await restart(c);
    return { ...done, message: `${c.found} Killed it. ${done.message.slice(c.found.length + 1)}` };
  },
  heal: async (c) =>
    c.settings.mode === 'auto'
      ? heal(c)
      : { code: 3, message: `${c.found} HEAL_MODE is manual: heal by hand with \`heal-node heal\`.` },
  resume: heal,
};

/**
 * AppCenter's health action: looks, decides, and does what the verdict's row says, within the action's limit.
 */
export async function healthAction(world: World, settings: Settings, log: Log): Promise<HookResult> {
  const { machine, places } = world;
  const beganMs = machine.monotonicMs();
  const leftMs = () => settings.actionTimeoutMs - (machine.monotonicMs() - beganMs);
  const { situation, diagnosis } = await lookUntilTold(world, settings.actionTimeoutMs / 2);
  const { verdict, reason, means, person, evidence, node } = diagnosis;
  const found = `${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`;
  log.info({ event: 'verdict', verdict, reason, memberId: node.memberId, evidence }, found);
  if (verdict === 'healthy') {
    const forgot = await ifPossible(log, 'What marks this node', rememberCluster(world, situation));
    if (forgot !== undefined) log.error({ event: 'birthmark' }, `${node.name}: ${forgot}.`);
  }
  const { response } = verdictRow(verdict);
  const act = responses[response];
  const toPerson = person === '' ? '' : ` For a person: ${person}.`;
  const result = await act({
    world,
    settings,
    situation,
    found,
    person: toPerson,
    leftMs: Math.max(0, leftMs() - 500),
  });
  // After a heal its service has written what holds now.
  if (response !== 'heal' && response !== 'resume')
    await ifPossible(log, places.metrics, writeMetrics(machine, places, verdict));
  log.info({ event: 'action', verdict, response, exit: result.code }, result.message);
  return result;
}
