import { busyVerbs } from '../app/busy-verbs.ts';
import { linesSince, plainLine } from '../node/log-lines.ts';
import type { UnitFacts } from '../node/systemctl.ts';
import type { Fact, Observation, SwapFacts } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

/** The app's units that must not run beside a heal (PLATFORM.md: `Conflicts=` of the unit). */
const APP_DATA_UNITS = ['etcd-restore.service', 'etcd-standalone.service'];
const LOG_FILE_BYTES = 4 << 20;

/** The unit whose run counts: the copy while it runs or has taken the name's place, the original otherwise. */
export function unitInForce(unit: Fact<UnitFacts>, unit1: Fact<UnitFacts>, swap: SwapFacts): Fact<UnitFacts> {
  const copyRuns = unit1.ok && (unit1.value.mainPid > 0 || unit1.value.active === 'activating');
  return copyRuns || (swap.unitFile === 'none' && unit1.ok && unit1.value.exitPid > 0) ? unit1 : unit;
}

/** A process that is up and has not crashed before has no last words: its log is not read. */
async function logOf({ machine }: World, unit: UnitFacts, logFile: string): Promise<readonly string[]> {
  if (unit.mainPid > 0 && unit.restarts === 0 && unit.active === 'active') return [];
  const written =
    logFile === ''
      ? []
      : linesSince((await machine.tail(logFile, LOG_FILE_BYTES)) ?? '', unit.startedAtSec * 1000);
  return [...(await machine.journal(unit)), ...written].map(plainLine);
}

/** What systemd knows, and what the run that counts has logged. */
export async function lookAtUnits(
  world: World,
  watch: Stopwatch,
  { config, swap }: Pick<Observation, 'config' | 'swap'>,
): Promise<Pick<Observation, 'unit' | 'unit1' | 'appBusy' | 'log'>> {
  const { machine, places } = world;
  const all = await watch.fact('unit', () => machine.units([places.unit, places.unit1, ...APP_DATA_UNITS]));
  if (!all.ok)
    return { unit: all, unit1: all, appBusy: [], log: { ok: false, why: 'systemd did not answer' } };
  const [unit, unit1, ...busy] = all.value.map((value): Fact<UnitFacts> => ({ ok: true, value }));
  if (unit === undefined || unit1 === undefined) throw new Error('systemctl show left a unit out');
  const inForce = unitInForce(unit, unit1, swap);
  const logFile = config.ok ? config.value.logFile : '';
  return {
    unit,
    unit1,
    appBusy: [
      ...APP_DATA_UNITS.filter((_, i) => {
        const other = busy[i];
        return other?.ok === true && ['active', 'activating', 'deactivating'].includes(other.value.active);
      }),
      ...busyVerbs(await machine.commandLines()),
    ],
    log: inForce.ok ? await watch.fact('log', () => logOf(world, inForce.value, logFile)) : inForce,
  };
}
