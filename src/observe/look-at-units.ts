import { busyVerbs } from '../appcenter/busy-verbs.ts';
import { linesSince } from '../machine/etcd/log-lines.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import type { Fact, Observation, SwapFacts } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

/** The app's units that must not run beside a heal (docs/platform.md: `Conflicts=` of the unit). */
const APP_DATA_UNITS = ['etcd-restore.service', 'etcd-standalone.service'];
const LOG_FILE_BYTES = 4 << 20;

/** The unit has been moved aside; where another of its name stands below, its name is masked. */
export const isAside = ({ unitFile }: SwapFacts): boolean => unitFile === 'none' || unitFile === 'mask';

/** The unit whose run counts: the copy while it runs or has taken the name's place, the original otherwise. */
export function unitInForce(
  unit: Fact<UnitFacts>,
  copyUnit: Fact<UnitFacts>,
  swap: SwapFacts,
): Fact<UnitFacts> {
  const copyRuns = copyUnit.ok && (copyUnit.value.mainPid > 0 || copyUnit.value.active === 'activating');
  return copyRuns || (isAside(swap) && copyUnit.ok && copyUnit.value.exitPid > 0) ? copyUnit : unit;
}

/** A process that is up and has not crashed before has no last words: its log is not read. */
async function logOf({ machine }: World, unit: UnitFacts, logFile: string): Promise<readonly string[]> {
  if (unit.mainPid > 0 && unit.restarts === 0 && unit.active === 'active') return [];
  const written =
    logFile === ''
      ? []
      : linesSince((await machine.tail(logFile, LOG_FILE_BYTES)) ?? '', unit.startedAtSec * 1000);
  return [...written, ...(await machine.journal(unit))];
}

/** What systemd knows, and what the run that counts has logged. */
export async function lookAtUnits(
  world: World,
  watch: Stopwatch,
  { config, swap }: Pick<Observation, 'config' | 'swap'>,
): Promise<Pick<Observation, 'unit' | 'copyUnit' | 'appBusy' | 'log'>> {
  const { machine, places } = world;
  const all = await watch.fact('unit', () =>
    machine.units([places.unit, places.copyUnit, ...APP_DATA_UNITS]),
  );
  const verbs = busyVerbs(await machine.commandLines());
  if (!all.ok)
    return { unit: all, copyUnit: all, appBusy: verbs, log: { ok: false, why: 'systemd did not answer' } };
  const [unit, copyUnit] = all.value.map((value): Fact<UnitFacts> => ({ ok: true, value }));
  const dataUnits = all.value.slice(2);
  if (unit === undefined || copyUnit === undefined) throw new Error('systemctl show left a unit out');
  const inForce = unitInForce(unit, copyUnit, swap);
  const logFile = config.ok ? config.value.logFile : '';
  return {
    unit,
    copyUnit,
    appBusy: [
      ...APP_DATA_UNITS.filter((_, i) =>
        ['active', 'activating', 'deactivating'].includes(dataUnits[i]?.active ?? ''),
      ),
      ...verbs,
    ],
    log: inForce.ok ? await watch.fact('log', () => logOf(world, inForce.value, logFile)) : inForce,
  };
}
