import { clusterView } from '../diagnose/cluster-view.ts';
import type { TlsFiles } from '../node/etcd-config.ts';
import { otherEndpoints } from './endpoints.ts';
import type { Asked, Fact, Observation, ProcessFacts } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

const HEALTH_TIMEOUT_MS = 1500;
/** A process that stands still for this long, and does not answer meanwhile, makes no progress. */
const PROGRESS_MS = 1500;

async function ask(world: World, tls: TlsFiles | undefined, endpoint: string): Promise<Asked> {
  const beganMs = world.machine.now();
  const reply = await world
    .cluster(tls)
    .ask(endpoint)
    .then(
      (value) => ({ ok: true, value }) as const,
      (error: Error) => ({ ok: false, why: error.message }) as const,
    );
  return { endpoint, reply, tookMs: world.machine.now() - beganMs };
}

/** This member's own answers. */
export async function lookAtSelf(
  world: World,
  watch: Stopwatch,
  { config }: Pick<Observation, 'config'>,
): Promise<Pick<Observation, 'health' | 'self'>> {
  if (!config.ok) return { health: { state: 'none', why: config.why }, self: undefined };
  const { clientUrl, tls } = config.value;
  return watch.time('member', async () => {
    const health = await world.health(clientUrl, tls, HEALTH_TIMEOUT_MS);
    return { health, self: health.state === 'none' ? undefined : await ask(world, tls, clientUrl) };
  });
}

/** What a process that does not answer well does meanwhile. */
export async function lookAtProcess(
  { machine }: World,
  watch: Stopwatch,
  pid: Promise<number>,
  answered: Promise<Pick<Observation, 'health'>>,
): Promise<ProcessFacts | undefined> {
  const mainPid = await pid;
  const first = mainPid > 0 ? await machine.process(mainPid) : undefined;
  if (first === undefined) return undefined;
  const beganMs = machine.now();
  const { health } = await answered;
  if (health.state === 'true') return undefined;
  return watch.time('process', async () => {
    await machine.sleep(Math.max(0, PROGRESS_MS - (machine.now() - beganMs)));
    const last = await machine.process(mainPid);
    return (
      last && {
        state: last.state,
        overMs: machine.now() - beganMs,
        cpuTicks: last.cpuTicks - first.cpuTicks,
        ioBytes: last.ioBytes - first.ioBytes,
      }
    );
  });
}

/** What every other member says. */
export async function lookAtCluster(
  world: World,
  watch: Stopwatch,
  { config, app }: { config: Fact<unknown> & Observation['config']; app: Observation['app'] },
): Promise<Pick<Observation, 'others' | 'changedList'>> {
  if (!config.ok) return { others: [], changedList: undefined };
  const { tls } = config.value;
  const known = otherEndpoints(config.value, app.ok ? app.value : undefined, []);
  const others = await watch.time('others', async () => {
    const first = await Promise.all(known.map((endpoint) => ask(world, tls, endpoint)));
    // The files on this node may be older than the cluster: whoever the members list and we do not know is asked too.
    const { members } = clusterView(config.value, first, undefined);
    const more = otherEndpoints(config.value, undefined, members).filter((url) => !known.includes(url));
    return [...first, ...(await Promise.all(more.map((endpoint) => ask(world, tls, endpoint))))];
  });
  return { others, changedList: undefined };
}
