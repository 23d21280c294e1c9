import type { Cluster } from '../cluster/cluster.ts';
import { BIRTHMARK_KEY } from '../cluster/etcd-cluster.ts';
import { furtherEndpoints, otherEndpoints } from './endpoints.ts';
import type { Asked, Observation } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

const HEALTH_TIMEOUT_MS = 1500;
/** A process that stands still for this long, and does not answer meanwhile, makes no progress. */
const PROGRESS_MS = 1500;

export async function ask(cluster: Cluster, watch: Stopwatch, source: 'member' | 'others', endpoint: string) {
  return { endpoint, reply: await watch.fact(source, () => cluster.ask(endpoint)) };
}

/** This member's own answers. */
export async function lookAtSelf(world: World, watch: Stopwatch, { config }: Pick<Observation, 'config'>) {
  if (!config.ok) return { health: { state: 'none', why: config.why } as const, self: undefined };
  const { clientUrl, tls } = config.value;
  const [health, self] = await Promise.all([
    world.health(clientUrl, tls, HEALTH_TIMEOUT_MS),
    ask(world.cluster(tls), watch, 'member', clientUrl),
  ]);
  return { health, self };
}

/** What a process that does not answer well does meanwhile. */
export async function lookAtProcess(
  { machine }: World,
  watch: Stopwatch,
  unit: Promise<{ readonly mainPid: number }>,
  answered: Promise<Pick<Observation, 'health'>>,
) {
  const { mainPid } = await unit;
  const first = mainPid > 0 ? await machine.process(mainPid) : undefined;
  if (first === undefined) return undefined;
  const beganMs = machine.monotonicMs();
  const { health } = await answered;
  if (health.state === 'true') return undefined;
  const observed = await watch.fact('process', async () => {
    await machine.sleep(Math.max(0, PROGRESS_MS - (machine.monotonicMs() - beganMs)));
    return machine.process(mainPid);
  });
  if (!observed.ok || observed.value === undefined) return undefined;
  const { state, cpuTicks, ioBytes } = observed.value;
  return {
    /** Its state at the end (proc(5)). */
    state,
    overMs: Math.round(machine.monotonicMs() - beganMs),
    /** CPU ticks and bytes of I/O in between. */
    cpuTicks: cpuTicks - first.cpuTicks,
    ioBytes: ioBytes - first.ioBytes,
  };
}

/** What every other member says. */
export async function lookAtCluster(
  world: World,
  watch: Stopwatch,
  { config, app, mark }: Pick<Observation, 'config' | 'app' | 'mark'>,
): Promise<Pick<Observation, 'others' | 'changedList'>> {
  if (!config.ok) return { others: [], changedList: undefined };
  const cluster = world.cluster(config.value.tls);
  /** Where not its birthmark is shown, and this node knows when it was put: whether it stood there then. */
  const withDeleted = async (asked: Asked): Promise<Asked> => {
    const { endpoint, reply } = asked;
    const { birthmark, birthmarkRevision } = mark;
    if (birthmark === '' || birthmarkRevision === 0n || !reply.ok || !reply.value.serves) return asked;
    if (reply.value.birthmark === birthmark || reply.value.credentialsRefused !== '') return asked;
    const atThen = () => cluster.get([endpoint], BIRTHMARK_KEY, birthmarkRevision);
    const then = await watch.fact('others', atThen);
    const deletedBirthmark = (then.ok && then.value?.value) || '';
    return { ...asked, reply: { ok: true, value: { ...reply.value, deletedBirthmark } } };
  };
  const known = otherEndpoints(config.value, app.ok ? app.value : undefined);
  const all = (endpoints: readonly string[]) =>
    Promise.all(endpoints.map((endpoint) => ask(cluster, watch, 'others', endpoint)));
  const first = await all(known);
  // The files on this node may be older than the cluster: whoever the members list and we do not know is asked too.
  const members = first.flatMap(({ reply }) => (reply.ok && reply.value.serves ? reply.value.members : []));
  const more = furtherEndpoints(config.value, members, known);
  const others = [...first, ...(await all(more))].map(withDeleted);
  return { others: await Promise.all(others), changedList: undefined };
}
