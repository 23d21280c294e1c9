import type { FakeNode } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import { UNIT_TEXT } from '../fake/paths.ts';
import { count } from './counters.ts';
import { faults } from './faults.ts';
import { Sim } from './sim.ts';
import { stories } from './stories.ts';

const MINUTE_MS = 60_000;
/** How long faults go on, and how long the cluster then has to be whole again. */
const FAULTS_MS = 5 * MINUTE_MS;
const CALM_MS = 40 * MINUTE_MS;
const LOOK_EVERY = 20;

const weighted = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
/** Every tenth schedule is of a cluster in TLS mode, which has stories of its own. */
const isTls = (seed: number): boolean => Math.abs(seed) % 10 === 7;
const told = (size: number, inTls: boolean) =>
  stories
    .filter(({ atLeast = 0, tls = false }) => size >= atLeast && tls === inTls)
    .flatMap((story) => Array.from({ length: story.weight }, () => story));

/** How one schedule ended. */
export interface Ran {
  readonly seed: number;
  readonly size: number;
  readonly events: number;
  readonly healed: number;
  readonly violation: string | undefined;
  readonly story: readonly string[];
}

/** The node is as it was before anything happened: healthy, on its originals, nothing left of a swap, listed once. */
function notWhole(sim: Sim, node: FakeNode): string | undefined {
  const { disk, etcd } = node;
  if (!sim.healthy(node) || etcd === undefined)
    return `it is not healthy: ${sim.lastAction.get(node.sid) ?? 'no action was called'}`;
  if (etcd.unit !== PLACES.unit) return `it runs on ${etcd.unit}`;
  if (disk.text(PLACES.unitFile) !== UNIT_TEXT)
    return `its unit is not the original: ${JSON.stringify(disk.entries.get(PLACES.unitFile))}`;
  const left = [PLACES.copyUnitFile, PLACES.copyEnv, PLACES.copyDropIns, PLACES.originals].filter((path) =>
    disk.has(path),
  );
  if (left.length > 0) return `${left.join(' and ')} are left`;
  const own = etcd.applied.state.members.filter(({ peerUrls }) => peerUrls.includes(sim.url(node.sid, 2380)));
  return own.length === 1 && own[0]?.id === etcd.data.memberId
    ? undefined
    : 'it is not listed once under its own ID';
}

function strike(sim: Sim, victims: readonly FakeNode[], most: number): void {
  const { random, clock } = sim;
  for (let n = random.between(0, most); n > 0; n--) {
    const [node, fault] = [random.pick(victims), random.pick(weighted)];
    const strikes = () => {
      count('fault', fault.what);
      sim.tell(`${node.name}: ${fault.what}`);
      fault.strikes(sim, node);
    };
    // Most strike in the middle of a heal: so many of its calls after it has begun.
    if (random.chance(0.7)) sim.whileHealing(node, random.between(1, 140), strikes);
    else clock.after(random.between(1000, FAULTS_MS), strikes);
  }
}

/** One schedule: a story begins, faults strike, then calm; in the end all must be as the story says. */
export function runSchedule(seed: number, tells = false): Ran {
  const size = [3, 3, 3, 5, 5, 7][Math.abs(seed) % 6] ?? 3;
  // One bit of the seed for each node: some have been healed before, and their ID is not the computed one.
  const healedBefore =
    seed % 3 === 0 ? Array.from({ length: size }, (_, i) => i + 1).filter((sid) => (seed >> sid) & 1) : [];
  const sim = new Sim(seed, size, healedBefore, tells, isTls(seed));
  const { random, clock } = sim;
  const ended = () => sim.ended;
  // etcd itself would refuse what could go wrong: now and then it does not, and guards and turns alone must.
  sim.raft.lax = random.chance(0.15);
  if (random.chance(0.3)) sim.settings = { ...sim.settings, onDivergence: 'heal' };
  // A crash loop of five is told again and again: most stories do with a shorter one.
  sim.startLimit = random.pick([2, 2, 2, 5]);
  clock.run(20_000, ended);

  const story = random.pick(told(size, isTls(seed)));
  count('story', story.what);
  sim.tell(story.what);
  const { victims, atCalm, expects } = story.begins(sim);
  strike(sim, victims, story.faults);
  clock.run(FAULTS_MS, ended);

  sim.tell('calm');
  sim.calm();
  for (const node of sim.nodes) node.getsWell();
  atCalm?.();
  if (expects !== undefined) {
    clock.run(6 * MINUTE_MS, ended);
    if (!sim.ended) expects();
  } else {
    for (const node of sim.nodes) node.powerOn(false);
    const whole = () => sim.nodes.every((node) => notWhole(sim, node) === undefined && node.procs.size === 0);
    // Asked now and then: it is dear, and nothing is lost by some events more.
    let asked = 0;
    clock.run(CALM_MS, () => sim.ended || (++asked % LOOK_EVERY === 0 && whole()));
    if (!sim.ended)
      for (const node of sim.nodes) {
        const why = notWhole(sim, node);
        sim.holds('at the end of faults every node heals', why === undefined, () => `${node.name}: ${why}`);
      }
  }
  const healed = expects === undefined && !sim.ended ? victims.length : 0;
  return {
    seed,
    size,
    events: clock.events,
    healed,
    violation: sim.violation,
    story: sim.story,
  };
}
