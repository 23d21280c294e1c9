import { lookAtFiles } from './look-at-files.ts';
import { lookAtHost } from './look-at-host.ts';
import { lookAtCluster, lookAtProcess, lookAtSelf } from './look-at-members.ts';
import { lookAtUnits, unitInForce } from './look-at-units.ts';
import { ALL_PARTS, type Observation, type Part } from './observation.ts';
import { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

/**
 * Looks at the world: all of it, or `parts` of it again with the rest as it was. Sources are asked side by side,
 * each within one deadline; one that fails or hangs is a fact of its own.
 */
export async function observe(world: World): Promise<Observation>;
export async function observe(
  world: World,
  before: Observation,
  parts: readonly Part[],
): Promise<Observation>;
export async function observe(world: World, before?: Observation, parts = ALL_PARTS): Promise<Observation> {
  const { machine } = world;
  const watch = new Stopwatch(machine);
  const again = (part: Part): boolean => !before || parts.includes(part);
  const files = before && !again('files') ? before : await lookAtFiles(world, watch);

  const units = before && !again('units') ? Promise.resolve(before) : lookAtUnits(world, watch, files);
  const self = before && !again('self') ? Promise.resolve(before) : lookAtSelf(world, watch, files);
  const others = before && !again('cluster') ? Promise.resolve(before) : lookAtCluster(world, watch, files);
  const inForce = units.then(({ unit, unit1 }) => {
    const facts = unitInForce(unit, unit1, files.swap);
    return facts.ok ? facts.value : { mainPid: 0, user: '' };
  });
  const { config } = files;
  const host =
    before && !again('host')
      ? before.host
      : config.ok
        ? watch.fact('host', () => lookAtHost(world, config.value, inForce))
        : undefined;
  const process = again('host')
    ? lookAtProcess(
        world,
        watch,
        inForce.then(({ mainPid }) => mainPid),
        self,
      ).catch(() => undefined)
    : before?.process;

  const { unit, unit1, appBusy, log } = await units;
  const { health, self: asked } = await self;
  const cluster = await others;
  return {
    atMs: machine.now(),
    app: files.app,
    config,
    data: files.data,
    swap: files.swap,
    unit,
    unit1,
    appBusy,
    log,
    health,
    self: asked,
    others: cluster.others,
    changedList: cluster.changedList,
    process: await process,
    host: await host,
    divergence: files.divergence,
    stamps: { ...before?.stamps, ...watch.stamps },
  };
}
