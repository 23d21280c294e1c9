import type { Examination } from '../machine/etcd/examine.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import { lookAtFiles } from './look-at-files.ts';
import { lookAtHost } from './look-at-host.ts';
import { lookAtCluster, lookAtProcess, lookAtSelf } from './look-at-members.ts';
import { askUnits, runsOf, unitInForce, withLog } from './look-at-units.ts';
import { ALL_PARTS, type Asked, type Fact, type Observation, type Part } from './observation.ts';
import { DEADLINE_MS, Stopwatch } from './timed.ts';
import type { World } from './world.ts';

const NOT_ASKED = { ok: false, why: 'not asked' } as const;

/** Before the first look. */
const NOT_YET = {
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
  stamps: {},
} as const satisfies Partial<Observation>;

const isDead = (unit: Fact<UnitFacts>): boolean => unit.ok && unit.value.mainPid === 0;

const knowsAsMuch = ({ reply }: Asked, { commit, lastTerm }: Examination): boolean =>
  reply.ok && reply.value.raftIndex >= commit && reply.value.term >= lastTerm;

/**
 * Looks at the world: at all of it, or at `parts` of it, again with the rest as it was `before`. Sources are asked
 * side by side, each within one deadline; one that fails or hangs is a fact of its own.
 */
export async function observe(world: World, before?: Observation, parts = ALL_PARTS, limitMs = DEADLINE_MS) {
  const { machine } = world;
  const watch = new Stopwatch(machine, limitMs);
  const has = (part: Part): boolean => parts.includes(part);
  const known = { atMs: machine.now(), beganMs: machine.monotonicMs(), ...NOT_YET, ...before };
  const was: Observation =
    before && !has('files') ? before : { ...known, ...(await lookAtFiles(world, watch)) };
  const { config, data, swap } = was;

  const asked = has('units') ? askUnits(world, watch) : undefined;
  const units = asked?.then((units) => withLog(world, watch, units, was, before));
  const self = has('self') ? lookAtSelf(world, watch, was) : undefined;
  const others = has('cluster') ? lookAtCluster(world, watch, was) : undefined;
  const inForce = Promise.resolve(asked ?? was).then(({ unit, copyUnit }) => {
    const facts = unitInForce(unit, copyUnit, swap);
    return facts.ok ? facts.value : { mainPid: 0, user: '', program: '' };
  });
  const host =
    has('host') &&
    Promise.all([
      config.ok ? watch.fact('host', () => lookAtHost(world, config.value, inForce, was)) : undefined,
      lookAtProcess(world, watch, inForce, Promise.resolve(self ?? was)).catch(() => undefined),
    ]).then(([host, process]) => ({ host, process }));

  let now: Observation = { ...was, ...(await units), ...(await self), ...(await others), ...(await host) };
  // What was read of other data says nothing of these; and those of a member that serves are not read at all.
  const same = before?.data.memberId === data.memberId && before.data.kind === data.kind;
  let examination = same ? before.examination : undefined;
  const nothingThere = data.kind === 'none' && !data.occupied;
  if (has('data') && config.ok && !nothingThere && !(now.self?.reply.ok && now.self.reply.value.serves)) {
    // Last, as it may take seconds in which nothing else is answered. Where a process may live, its log says what it has
    // committed, and nothing is said against it.
    const dead = !now.self?.reply.ok && [now.unit, now.copyUnit].every(isDead);
    examination = await machine.examine(config.value, dead ? 'all' : 'log');
    const after = dead ? await askUnits(world, watch) : now;
    if (runsOf(after) !== runsOf(now)) {
      // It was started meanwhile: what was read was being written.
      now = { ...now, ...(await withLog(world, watch, after, was)) };
      examination = undefined;
    }
    // The others said what they know before the log was read, in which this member may have gone on with them. Whoever
    // was silent then is not waited for once more.
    const read = examination;
    const answered = now.others.filter(({ reply }) => reply.ok);
    if (read && has('cluster') && answered.length > 0 && !answered.some((other) => knowsAsMuch(other, read)))
      now = { ...now, ...(await lookAtCluster(world, watch, was)) };
  }
  return { ...now, examination, atMs: machine.now(), stamps: { ...was.stamps, ...watch.stamps } };
}
