import { requestHeal } from '../../src/act/ask-for-heal.ts';
import { restoreByHand } from '../../src/act/restore-by-hand.ts';
import { start, stop } from '../../src/act/start-stop.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { nodeUrl } from '../fake/cluster.ts';
import { DATA_DIR, type SimNode, UNIT_TEXT, WAL } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import { Sim } from './sim.ts';

const MINUTE_MS = 60_000;
/** How long faults go on, and how long the cluster then has to be whole again. */
const FAULTS_MS = 6 * MINUTE_MS;
const CALM_MS = 40 * MINUTE_MS;

/** Ways in which a node that is off can have become stale. */
const breakages: Readonly<Record<string, (node: SimNode) => void>> = {
  'its data dir is gone': ({ disk }) => disk.delete(DATA_DIR),
  'its WAL is gone': ({ disk }) => disk.delete(WAL),
  'its WAL is damaged': ({ disk, data }) =>
    data && disk.set(WAL, { data: { ...data, damaged: true }, rights: { mode: 0o600, uid: 100, gid: 101 } }),
  'its data are an older copy': ({ disk, data }) =>
    data && disk.set(WAL, { data: { ...data, index: 2 }, rights: { mode: 0o600, uid: 100, gid: 101 } }),
};

const file = (text: string) => ({ text, rights: { mode: 0o600, uid: 0, gid: 0 } });
const person = (sim: Sim, node: SimNode, what: string, call: () => void): void => {
  try {
    call();
    sim.tell(`a person has typed ${what} for ${node.name}`);
  } catch (error) {
    sim.tell(`a person typed ${what} for ${node.name}: ${(error as Error).message}`);
  }
};

interface Fault {
  readonly what: string;
  readonly weight: number;
  readonly strikes: (sim: Sim, node: SimNode) => unknown;
}

/** What happens to a node that is being healed, and around it. */
const faults: readonly Fault[] = [
  {
    what: 'the healer is killed',
    weight: 6,
    strikes: (_, node) => node.on && node.systemctl(['kill', HEAL_UNIT]),
  },
  {
    what: 'every process of ours is killed',
    weight: 2,
    strikes: (_, node) => {
      if (node.on) node.systemctl(['kill', HEAL_UNIT]);
      for (const proc of node.procs) proc.kill();
    },
  },
  {
    what: 'its power is lost',
    weight: 5,
    strikes: (sim, node) => {
      node.powerOff();
      sim.clock.after(sim.random.between(1, 40_000), () => node.powerOn(false));
    },
  },
  {
    what: 'it is migrated: its root disk is the image again',
    weight: 5,
    strikes: (sim, node) => {
      node.powerOff();
      sim.clock.after(sim.random.between(1, 40_000), () => node.powerOn(true));
    },
  },
  {
    what: 'its cable is cut for a while',
    weight: 2,
    strikes: (sim, node) => {
      node.cutOff = true;
      sim.clock.after(sim.random.between(1000, 60_000), () => {
        node.cutOff = false;
        for (const each of sim.nodes) each.maybeJoins();
      });
    },
  },
  {
    what: 'another node is off for a while',
    weight: 4,
    strikes: (sim, node) => {
      const other = sim.random.pick(sim.nodes.filter((each) => each !== node));
      other.powerOff();
      sim.clock.after(sim.random.between(1000, 3 * MINUTE_MS), () => other.powerOn(false));
    },
  },
  {
    what: 'replies are lost',
    weight: 3,
    strikes: ({ faults: each }) => Object.assign(each, { lostReplies: 0.3 }),
  },
  { what: 'answers are slow', weight: 2, strikes: ({ faults: each }) => Object.assign(each, { slow: 0.05 }) },
  {
    what: 'its clock jumps',
    weight: 1,
    strikes: (sim, node) => {
      node.clockOffMs += sim.random.pick([-2 * 86_400_000, -30_000, 30_000, 3_600_000]);
    },
  },
  {
    what: 'its power is lost, and its clock is set when it has been up for a while',
    weight: 3,
    strikes: (sim, node) => {
      node.powerOff();
      sim.clock.after(sim.random.between(1, 40_000), () => {
        node.clockOffMs = sim.random.pick([-8 * 3_600_000, 8 * 3_600_000]);
        node.powerOn(false);
        sim.clock.after(sim.random.between(1000, 60_000), () => {
          node.clockOffMs = 0;
        });
      });
    },
  },
  {
    what: 'an operator starts etcd',
    weight: 1,
    strikes: (sim, node) => person(sim, node, 'ctl.sh start', () => node.app('start')),
  },
  {
    what: 'an operator restarts etcd',
    weight: 1,
    strikes: (sim, node) => person(sim, node, 'ctl.sh restart', () => node.app('restart')),
  },
  {
    what: 'an operator asks for a heal',
    weight: 1,
    strikes: (sim, node) =>
      sim.spawn(node, 'heal by hand', 60_000, ({ machine, places }) =>
        requestHeal(machine, places, 'operator').catch(() => undefined),
      ),
  },
  {
    what: 'an operator removes the member',
    weight: 1,
    strikes: (sim, node) =>
      person(sim, node, 'etcdctl member remove', () => {
        const lineage = sim.cluster.lineage(0);
        const own = lineage.members.find(({ peerUrls }) => peerUrls.includes(nodeUrl(node.sid, 2380)));
        if (own && !node.etcd?.joined && sim.cluster.serves(lineage)) sim.cluster.remove(lineage, own.id);
      }),
  },
  {
    what: 'an operator adds the member',
    weight: 1,
    strikes: (sim, node) =>
      person(sim, node, 'etcdctl member add', () => {
        const lineage = sim.cluster.lineage(0);
        if (sim.cluster.serves(lineage)) sim.cluster.add(lineage, [nodeUrl(node.sid, 2380)]);
      }),
  },
  {
    what: 'the app is stopped and started',
    weight: 2,
    strikes: (sim, node) => {
      sim.spawn(node, 'stop', 10 * MINUTE_MS, (world, log) => stop(world, sim.settings, log));
      const starts = (): void => {
        // On a machine that is off it is started later.
        // Where it cannot work yet it is called again later.
        if (node.on && node.ailing.root !== 'read-only')
          sim.spawn(node, 'start', 20 * MINUTE_MS, (world, log) => start(world, sim.settings, log));
        else sim.clock.after(30_000, starts);
      };
      sim.clock.after(sim.random.between(1000, 2 * MINUTE_MS), starts);
    },
  },
  {
    what: 'an operator restores the originals',
    weight: 1,
    strikes: (sim, node) =>
      sim.spawn(node, 'restore by hand', 10 * MINUTE_MS, (world, log) =>
        restoreByHand(world, sim.settings, log).catch((error: Error) =>
          sim.tell(`restore by hand: ${error.message}`),
        ),
      ),
  },
  ...(['full', 'read-only'] as const).flatMap((how) =>
    (['root', 'data'] as const).map((disk) => ({
      what: `its ${disk} disk is ${how} for a while`,
      weight: how === 'full' ? 2 : 1,
      strikes: (sim: Sim, node: SimNode) => {
        node.ailing[disk] = how;
        sim.clock.after(sim.random.between(1000, 5 * MINUTE_MS), () => {
          node.ailing[disk] = 'no';
        });
      },
    })),
  ),
  { what: 'the journal is gone', weight: 1, strikes: (_, { disk }) => disk.delete(PLACES.journal) },
  {
    what: 'the journal is torn',
    weight: 1,
    strikes: (_, { disk }) => disk.set(PLACES.journal, file('{"schema":"heal-node.heal/1","id":"2026')),
  },
  {
    what: 'the journal is a lie',
    weight: 1,
    strikes: (sim, { disk }) =>
      disk.set(
        PLACES.journal,
        file(
          JSON.stringify({
            schema: 'heal-node.heal/1',
            id: '20990101T000000Z-abcdef',
            by: 'operator',
            reason: 'stale/removed',
            startedAt: '2099-01-01T00:00:00.000Z',
            message: '',
            oldMemberId: sim.bornId(1),
            newMemberId: sim.bornId(1),
            servedBefore: [nodeUrl(9, 2379)],
            steps: ['fence', 'set-aside', 'stage', 'remove', 'add', 'start', 'verify'].map((id) => ({
              id,
              startedAt: '2026-01-01T00:00:00.000Z',
              did: 'everything',
            })),
          }),
        ),
      ),
  },
];

const weighted = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));

/** How one schedule ended. */
export interface Ran {
  readonly seed: number;
  readonly events: number;
  readonly effects: number;
  readonly healed: number;
  readonly violation: string | undefined;
  readonly story: readonly string[];
}

/** The node is as it was before anything happened: healthy, on its originals, nothing left of a swap, listed once. */
function wholeAgain(sim: Sim, node: SimNode): string | undefined {
  const { disk, etcd } = node;
  if (!sim.healthy(node))
    return `it is not healthy: ${sim.lastAction.get(node.sid) ?? 'no action was called'}`;
  if (etcd?.unit !== PLACES.unit) return `it runs on ${etcd?.unit}`;
  if (disk.entries.get(PLACES.unitFile)?.text !== UNIT_TEXT) return 'its unit is not the original';
  const left = [PLACES.copyUnitFile, PLACES.copyEnv, PLACES.copyDropIns, PLACES.originals].filter(
    (path) => disk.kindOf(path) !== 'none',
  );
  if (left.length > 0) return `${left.join(' and ')} are left`;
  const own = sim.cluster
    .lineage(0)
    .members.filter(({ peerUrls }) => peerUrls.includes(nodeUrl(node.sid, 2380)));
  return own.length === 1 && own[0]?.id === etcd.data.memberId
    ? undefined
    : 'it is not listed once under its own ID';
}

/** One story: some nodes go stale, faults strike, then calm; the cluster must be whole again in the end. */
export function runSchedule(seed: number, tells = false, prepare: (sim: Sim) => void = () => undefined): Ran {
  const size = [3, 3, 3, 5, 5, 7][Math.abs(seed) % 6] ?? 3;
  const sim = new Sim(seed, size, tells);
  prepare(sim);
  const { random, clock } = sim;
  const ended = () => sim.violation !== undefined;
  clock.run(20_000, ended);

  const forgets = random.chance(0.1);
  const minority = Math.floor((size - 1) / 2);
  const stale = forgets ? minority + 1 : random.between(1, minority);
  const bad = [...sim.nodes].sort(() => random.next() - 0.5).slice(0, stale);
  const off = forgets ? sim.nodes.filter((node) => !bad.includes(node)) : [];
  for (const node of off) node.powerOff();
  for (const node of bad) {
    node.powerOff();
    const how = forgets ? 'its data dir is gone' : random.pick(Object.keys(breakages));
    sim.tell(`${node.name} loses power, and ${how}`);
    breakages[how]?.(node);
    const migrated = random.chance(0.5);
    // What most members had acknowledged is lost for good: the rest is what must be kept.
    if (forgets) sim.cluster.lineage(0).length = Math.max(...off.map(({ data }) => data?.index ?? 0));
    clock.after(random.chance(0.4) ? 1000 : random.between(1000, 2 * MINUTE_MS), () =>
      node.powerOn(migrated),
    );
  }
  for (let n = random.between(0, forgets ? 1 : 4); n > 0; n--) {
    const [node, fault] = [random.pick(bad), random.pick(weighted)];
    const strike = () => {
      sim.tell(`${node.name}: ${fault.what}`);
      fault.strikes(sim, node);
    };
    // Most strike in the middle of a heal: so many of its calls after it has begun.
    if (random.chance(0.75)) sim.whileHealing(node, random.between(1, 140), strike);
    else clock.after(random.between(1000, FAULTS_MS), strike);
  }
  clock.run(FAULTS_MS, ended);

  sim.tell('calm');
  sim.calm();
  Object.assign(sim.faults, { lostReplies: 0, slow: 0 });
  for (const node of sim.nodes) {
    node.cutOff = false;
    Object.assign(node.ailing, { root: 'no', data: 'no' });
    if (!off.includes(node)) node.powerOn(false);
    node.maybeJoins();
  }
  const whole = () => sim.nodes.every((node) => wholeAgain(sim, node) === undefined && node.procs.size === 0);
  if (!forgets) {
    clock.run(CALM_MS, () => ended() || whole());
    for (const node of ended() ? [] : sim.nodes) {
      const why = wholeAgain(sim, node);
      if (why) sim.violated('at the end of faults every node heals', `${node.name}: ${why}`);
    }
  } else {
    // Most data are lost for good. Nobody may found anything; the rest must keep what they have.
    clock.run(5 * MINUTE_MS, ended);
    for (const node of off) node.powerOn(false);
    clock.run(5 * MINUTE_MS, ended);
    sim.check();
    for (const node of bad) {
      // A gate that was killed lets etcd start; that nothing was founded has been looked at all along.
      if (node.data !== undefined) continue;
      const said = sim.lastAction.get(node.sid) ?? 'nothing';
      if (!said.includes('(amnesia/'))
        sim.violated('what must not heal is refused with the right reason', `${node.name}: ${said}`);
    }
  }
  return {
    seed,
    events: clock.events,
    effects: sim.effects,
    healed: forgets ? 0 : bad.length,
    violation: sim.violation,
    story: sim.story,
  };
}
