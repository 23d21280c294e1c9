/** Bugs that the simulation must find: each breaks one thing that keeps people's data, in the real tables. */
import { join } from 'node:path';
import { type Effect, effects } from '../../src/act/heal/effects.ts';
import { type HealStep, healSteps, type StepId } from '../../src/plan/heal-steps.ts';
import { DATA_DIR } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import type { Sim } from './sim.ts';

type Loose<T> = { -readonly [K in keyof T]: T[K] };
const step = (id: StepId): Loose<HealStep> => healSteps.find((each) => each.id === id) as Loose<HealStep>;
const effect = (id: StepId): Loose<Effect> => effects[id] as Loose<Effect>;
const swapSteps = (a: StepId, b: StepId): void => {
  const steps = healSteps as HealStep[];
  const [i, j] = [steps.findIndex(({ id }) => id === a), steps.findIndex(({ id }) => id === b)];
  [steps[i], steps[j]] = [steps[j] as HealStep, steps[i] as HealStep];
};

export interface PlantedBug {
  readonly what: string;
  /** Breaks the tables of this process, once and for all. */
  readonly plant?: () => void;
  /** Breaks one simulation. */
  readonly prepare?: (sim: Sim) => void;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    what: 'the data are moved without a look at whether etcd runs',
    plant: () => {
      effect('set-aside').act = async ({ machine, places, record }) => {
        await machine.move(DATA_DIR, `${places.aside}/${record.id}/default.etcd`);
        await machine.makeDirectory(DATA_DIR, { mode: 0o700, uid: 100, gid: 101 });
        return 'moved';
      };
      step('set-aside').done = (s) =>
        s.joined || (s.observed.data.kind === 'none' && !s.observed.data.occupied);
    },
  },
  {
    what: 'writes are not flushed',
    prepare: (sim) => {
      for (const node of sim.nodes) node.flushes = false;
    },
  },
  {
    what: 'the member is removed before its replacement is staged',
    plant: () => swapSteps('stage', 'remove'),
  },
  {
    what: 'the member is removed before its data are set aside',
    plant: () => swapSteps('set-aside', 'remove'),
  },
  {
    what: 'every member that does not answer is removed, as the app does it',
    plant: () => {
      const { act } = effect('remove');
      effect('remove').act = async (heal) => {
        const { cluster } = heal.situation;
        for (const { id } of cluster.members)
          if (!cluster.serving.some(({ reply }) => reply.memberId === id) && id !== cluster.own?.id)
            await heal.cluster.removeMember(heal.servingEndpoints, id).catch(() => undefined);
        return act(heal);
      };
    },
  },
  {
    what: 'the data are deleted, and a leftover database counts as empty',
    plant: () => {
      step('set-aside').done = (s) => s.joined || s.dataGone;
    },
  },
  {
    what: 'the saved original goes before the unit is back',
    plant: () => {
      const { act } = effect('restore');
      effect('restore').act = async (heal) => {
        const unit = await heal.machine.readFile(PLACES.originalUnit);
        const rights = await heal.machine.readFile(PLACES.originalRights);
        await heal.machine.remove(PLACES.originals);
        await heal.machine.remove(PLACES.copyUnitFile);
        if (unit) await heal.machine.writeFile(PLACES.originalUnit, unit.text, unit.rights);
        if (rights) await heal.machine.writeFile(PLACES.originalRights, rights.text, rights.rights);
        return act(heal);
      };
    },
  },
  {
    what: 'etcd starts without asking the gate',
    prepare: (sim) => {
      for (const node of sim.nodes) node.asksGate = false;
    },
  },
  {
    what: 'what systemd has in memory is not looked at',
    plant: () => {
      const { done } = step('stage');
      step('stage').done = (s, run) => {
        const { copyUnit } = s.observed;
        const fresh = copyUnit.ok
          ? { ok: true as const, value: { ...copyUnit.value, needsReload: false } }
          : copyUnit;
        return done({ ...s, observed: { ...s.observed, copyUnit: fresh } }, run);
      };
    },
  },
  {
    what: 'the environment lists the cluster as the old file does',
    plant: () => {
      const { act } = effect('stage');
      effect('stage').act = async (heal) => {
        const said = await act(heal);
        const [old, made] = [
          await heal.machine.readFile(PLACES.env),
          await heal.machine.readFile(PLACES.copyEnv),
        ];
        const line = /^ETCD_INITIAL_CLUSTER=.*$/m;
        if (old && made)
          await heal.machine.writeFile(
            PLACES.copyEnv,
            made.text.replace(line, line.exec(old.text)?.[0] ?? ''),
            made.rights,
          );
        return said;
      };
    },
  },
  {
    what: 'a member is taken for added by how many there are',
    plant: () => {
      const { done } = step('add');
      step('add').done = (s, run) => done(s, run) || s.cluster.members.length % 2 === 0;
    },
  },
];

/** `planted.ts INDEX SCHEDULES`: the first seed at which that bug is found. */
if (process.argv[1] === join(import.meta.dirname, 'planted.ts')) {
  const { runSchedule } = await import('./schedule.ts');
  const print = console.log;
  console.log = () => undefined;
  const bug = plantedBugs[Number(process.argv[2])] as PlantedBug;
  const most = Number(process.argv[3] ?? 10_000);
  bug.plant?.();
  let found: string | undefined;
  let seed = 0;
  while (found === undefined && seed < most) found = runSchedule(++seed, false, bug.prepare).violation;
  print(JSON.stringify({ what: bug.what, found: found ?? null, after: seed }));
  process.exit(found === undefined ? 1 : 0);
}
