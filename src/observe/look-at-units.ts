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

/** It is up, or on its way there or down. */
export const isBusy = ({ active }: UnitFacts): boolean =>
  ['active', 'activating', 'deactivating'].includes(active);

/** Its etcd runs, or is on its way up. */
export const isUp = ({ mainPid, active }: UnitFacts): boolean => mainPid > 0 || active === 'activating';

/** The unit whose run counts: the copy while it runs or has taken the name's place, the original otherwise. */
export function unitInForce(unit: Fact<UnitFacts>, copyUnit: Fact<UnitFacts>, swap: SwapFacts) {
  const copyRuns = copyUnit.ok && isUp(copyUnit.value);
  return copyRuns || (isAside(swap) && copyUnit.ok && copyUnit.value.exitPid > 0) ? copyUnit : unit;
}

/** While a process runs there are no last words (src/machine/etcd/log-lines.ts): its log is not read. */
async function logOf({ machine }: World, unit: UnitFacts, logFile: string): Promise<readonly string[]> {
  if (unit.mainPid > 0) return [];
  const text = logFile === '' ? '' : await machine.tail(logFile, LOG_FILE_BYTES);
  return [...linesSince(text ?? '', unit.startedAtSec * 1000), ...(await machine.journal(unit))];
}

type Units = Pick<Observation, 'unit' | 'copyUnit' | 'appBusy'>;

/** What systemd knows. */
export async function askUnits({ machine, places }: World, watch: Stopwatch): Promise<Units> {
  const names = [places.unit, places.copyUnit, ...APP_DATA_UNITS];
  const [all, commandLines] = await Promise.all([
    watch.fact('unit', () => machine.units(names)),
    machine.commandLines(),
  ]);
  const verbs = busyVerbs(commandLines);
  if (!all.ok) return { unit: all, copyUnit: all, appBusy: verbs };
  const [unit, copyUnit] = all.value.map((value): Fact<UnitFacts> => ({ ok: true, value }));
  if (unit === undefined || copyUnit === undefined) throw new Error('systemctl show left a unit out');
  const dataUnits = APP_DATA_UNITS.filter((_, i) => all.value.slice(2).map(isBusy)[i]);
  return { unit, copyUnit, appBusy: [...dataUnits, ...verbs] };
}

/** Which run of a unit there has been last: another text means that one has begun. */
const runOf = (facts: Fact<UnitFacts>): string => {
  if (!facts.ok) return facts.why;
  const { mainPid, exitPid, restarts, invocationId } = facts.value;
  // The count of restarts is set back by `reset-failed`; it says which run where there is no invocation ID.
  return [mainPid, exitPid, invocationId || restarts].join('/');
};

/** Which runs of both units there have been. */
export const runsOf = ({ unit, copyUnit }: Pick<Units, 'unit' | 'copyUnit'>): string =>
  `${runOf(unit)} ${runOf(copyUnit)}`;

/**
 * What systemd knows, with what the run that counts has logged. A run that was over when its log was read `before` has
 * said no more since: it is not read again.
 */
export async function withLog(
  world: World,
  watch: Stopwatch,
  units: Units,
  { config, swap }: Pick<Observation, 'config' | 'swap'>,
  before?: Observation,
): Promise<Units & Pick<Observation, 'log'>> {
  const inForce = unitInForce(units.unit, units.copyUnit, swap);
  const last = before && unitInForce(before.unit, before.copyUnit, before.swap);
  if (last && before.log.ok && runOf(last) === runOf(inForce)) return { ...units, log: before.log };
  const logFile = config.ok ? config.value.logFile : '';
  const log = inForce.ok ? await watch.fact('log', () => logOf(world, inForce.value, logFile)) : inForce;
  return { ...units, log };
}
