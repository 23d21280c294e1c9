import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import { lookAtFiles } from './look-at-files.ts';
import { lookAtHost } from './look-at-host.ts';
import { lookAtCluster, lookAtProcess, lookAtSelf } from './look-at-members.ts';
import { lookAtUnits, unitInForce } from './look-at-units.ts';
import { ALL_PARTS, type Fact, type Observation, type Part } from './observation.ts';
import { DEADLINE_MS, Stopwatch } from './timed.ts';
import type { World } from './world.ts';

const NOT_ASKED = { ok: false, why: 'not asked' } as const;

/** Before the first look. */
const nothingYet = (
  atMs: number,
  files: Pick<Observation, 'app' | 'tls' | 'config' | 'data' | 'swap' | 'mark' | 'discardAhead'>,
): Observation => ({
  ...files,
  atMs,
  examination: undefined,
  unit: NOT_ASKED,
  copyUnit: NOT_ASKED,
  appBusy: [],
  log: NOT_ASKED,
  health: { state: 'none', why: 'not asked' },
  self: undefined,
  others: [],
  changedList: undefined,
  process: undefined,
  host: undefined,
  divergence: undefined,
  stamps: {},
});

const isDead = (unit: Fact<UnitFacts>): boolean => unit.ok && unit.value.mainPid === 0;

/** Which runs of both units there have been: another text means that one has begun. */
const runsOf = ({ unit, copyUnit }: Pick<Observation, 'unit' | 'copyUnit'>): string =>
  [unit, copyUnit]
    .map((facts) =>
      facts.ok ? [facts.value.mainPid, facts.value.restarts, facts.value.invocationId].join('/') : facts.why,
    )
    .join(' ');

/**
 * Looks at the world: at all of it, or at `parts` of it, again with the rest as it was `before`. Sources are asked
 * side by side, each within one deadline; one that fails or hangs is a fact of its own.
 */
export async function observe(
  world: World,
  before?: Observation,
  parts: readonly Part[] = ALL_PARTS,
  deadlineMs = DEADLINE_MS,
): Promise<Observation> {
  const { machine } = world;
  const watch = new Stopwatch(machine, deadlineMs);
  const has = (part: Part): boolean => parts.includes(part);
  const files = before && !has('files') ? before : await lookAtFiles(world, watch);
  const was = before ?? nothingYet(machine.now(), files);

  const units = has('units') ? lookAtUnits(world, watch, files) : Promise.resolve(was);
  const self = has('self') ? lookAtSelf(world, watch, files) : Promise.resolve(was);
  const others = has('cluster') ? lookAtCluster(world, watch, files) : Promise.resolve(was);
  const inForce = units.then(({ unit, copyUnit }) => {
    const facts = unitInForce(unit, copyUnit, files.swap);
    return facts.ok ? facts.value : { mainPid: 0, user: '', program: '' };
  });
  const { config } = files;
  const host = !has('host')
    ? was.host
    : config.ok
      ? watch.fact('host', () => lookAtHost(world, config.value, inForce, files))
      : undefined;
  const pid = inForce.then(({ mainPid }) => mainPid);
  const process = has('host') ? lookAtProcess(world, watch, pid, self).catch(() => undefined) : was.process;

  let systemd = await units;
  const { health, self: asked } = await self;
  const cluster = await others;
  const [processFacts, hostFacts] = await Promise.all([process, host]);
  // What was read of other data says nothing of these; and those of a member that serves are not read at all.
  const same = was.data.memberId === files.data.memberId && was.data.kind === files.data.kind;
  let examination = same ? was.examination : undefined;
  if (has('data') && config.ok && !(asked?.reply.ok && asked.reply.value.serves)) {
    // Last, as it may take seconds in which nothing else is answered. Where a process may live, its log says what it has
    // committed, and nothing is said against it.
    const dead = !asked?.reply.ok && [systemd.unit, systemd.copyUnit].every(isDead);
    examination = await machine.examine(config.value, dead ? 'all' : 'log');
    const after = dead ? await lookAtUnits(world, watch, files) : systemd;
    if (runsOf(after) !== runsOf(systemd)) {
      // It was started meanwhile: what was read was being written.
      systemd = after;
      examination = undefined;
    }
  }
  return {
    atMs: machine.now(),
    app: files.app,
    config,
    tls: files.tls,
    data: files.data,
    examination,
    swap: files.swap,
    divergence: files.divergence,
    mark: files.mark,
    discardAhead: files.discardAhead,
    unit: systemd.unit,
    copyUnit: systemd.copyUnit,
    appBusy: systemd.appBusy,
    log: systemd.log,
    health,
    self: asked,
    others: cluster.others,
    changedList: cluster.changedList,
    process: processFacts,
    host: hostFacts,
    stamps: { ...was.stamps, ...watch.stamps },
  };
}
