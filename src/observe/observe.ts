import { parseAppView } from '../app/app-view.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { clusterView } from '../diagnose/cluster-view.ts';
import { parseEnvFile } from '../node/env-file.ts';
import { type EtcdConfig, etcdConfig, type TlsFiles } from '../node/etcd-config.ts';
import type { Health, Machine } from '../node/machine.ts';
import type { Places } from '../node/places.ts';
import type { UnitFacts } from '../node/systemctl.ts';
import { environmentFiles } from '../node/unit-file.ts';
import { otherEndpoints } from './endpoints.ts';
import {
  ALL_PARTS,
  type Asked,
  type DataFacts,
  type Fact,
  type Observation,
  type Part,
  type SwapFacts,
} from './observation.ts';

/** The world as heal-node reaches it: one seam for this machine, one for the cluster. */
export interface World {
  readonly machine: Machine;
  readonly places: Places;
  /** The cluster, reached with the certificates that this node's configuration names. */
  cluster(tls: TlsFiles | undefined): Cluster;
  health(clientUrl: string, tls: TlsFiles | undefined, timeoutMs: number): Promise<Health>;
}

/** The app's units that must not run beside a heal (PLATFORM.md: `Conflicts=` of the unit). */
const APP_DATA_UNITS = ['etcd-restore.service', 'etcd-standalone.service'];
const HEALTH_TIMEOUT_MS = 1500;

/** A source that fails is evidence too: its error becomes the fact. */
async function fact<T>(look: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    return { ok: false, why: (error as Error).message };
  }
}

async function mustRead(machine: Machine, path: string): Promise<string> {
  const file = await machine.readFile(path);
  if (file === undefined) throw new Error(`${path} is missing.`);
  return file.text;
}

/**
 * etcd's environment, as its unit merges it: all its environment files in order, the existing-state copy read
 * as the original that it stands for.
 */
async function effectiveConfig({ machine, places }: World): Promise<EtcdConfig> {
  const unit = (await machine.readFile(places.unitFile)) ?? (await machine.readFile(places.unit1File));
  const named = environmentFiles(unit?.text ?? '').map((file) =>
    file.path === places.env1 ? places.env : file.path,
  );
  const texts: string[] = [];
  for (const path of named.includes(places.env) ? named : [places.env]) {
    const file = await machine.readFile(path);
    if (file === undefined && path === places.env) throw new Error(`${path} is missing.`);
    texts.push(file?.text ?? '');
  }
  return etcdConfig(Object.assign({}, ...texts.map(parseEnvFile)), places.env);
}

async function lookAtData(machine: Machine, config: Fact<EtcdConfig>): Promise<DataFacts> {
  if (!config.ok) return { dir: 'none', walDir: 'none', kind: 'empty', wal: undefined, db: undefined };
  const { dataDir, walDir, separateWalDir } = config.value;
  const dir = await machine.kindOf(dataDir);
  const wal = await fact(() => machine.wal(walDir));
  const hasWal = !wal.ok || wal.value !== undefined;
  const hasMember = (await machine.kindOf(`${dataDir}/member`)) !== 'none';
  return {
    dir,
    walDir: separateWalDir ? await machine.kindOf(walDir) : 'none',
    kind: hasWal ? 'wal' : hasMember ? 'no-wal' : 'empty',
    db: await machine.boltSize(`${dataDir}/member/snap/db`).catch(() => undefined),
    wal: wal.ok ? wal.value && { ok: true, value: wal.value } : wal,
  };
}

async function lookAtSwap({ machine, places }: World): Promise<SwapFacts> {
  const unit1 = await machine.readFile(places.unit1File).catch(() => undefined);
  const env1 = await machine.readFile(places.env1).catch(() => undefined);
  const dropIns1 = await machine.list(places.dropIns1);
  const dropInTexts = await Promise.all(
    dropIns1.map(
      async (name) => (await machine.readFile(`${places.dropIns1}/${name}`).catch(() => undefined))?.text,
    ),
  );
  const reads = [unit1?.text, ...dropInTexts].some((text) =>
    environmentFiles(text ?? '').some((f) => f.path === places.env1),
  );
  const env = env1 === undefined ? undefined : parseEnvFile(env1.text);
  return {
    unitFile: await machine.kindOf(places.unitFile),
    unit1File: await machine.kindOf(places.unit1File),
    env1: (await machine.kindOf(places.env1)) !== 'none',
    dropIns1: dropIns1.length > 0,
    originals: (await machine.kindOf(places.originalUnit)) === 'file',
    staged:
      env && reads
        ? {
            state: env.ETCD_INITIAL_CLUSTER_STATE ?? '',
            initialCluster: env.ETCD_INITIAL_CLUSTER ?? '',
          }
        : undefined,
  };
}

async function lookAtFiles(world: World): Promise<Pick<Observation, 'app' | 'config' | 'data' | 'swap'>> {
  const { machine, places } = world;
  const config = await fact(() => effectiveConfig(world));
  return {
    app: await fact(async () => parseAppView(await mustRead(machine, places.appEnv), places.appEnv)),
    config,
    data: await lookAtData(machine, config),
    swap: await lookAtSwap(world),
  };
}

/** The unit whose run counts: the copy while it runs or has taken the name's place, the original otherwise. */
export function unitInForce(unit: Fact<UnitFacts>, unit1: Fact<UnitFacts>, swap: SwapFacts): Fact<UnitFacts> {
  const copyRuns = unit1.ok && (unit1.value.mainPid > 0 || unit1.value.active === 'activating');
  return copyRuns || (swap.unitFile === 'none' && unit1.ok && unit1.value.exitPid > 0) ? unit1 : unit;
}

async function lookAtUnits({
  machine,
  places,
}: World): Promise<Pick<Observation, 'unit' | 'unit1' | 'appBusy' | 'log'>> {
  const all = await fact(() => machine.units([places.unit, places.unit1, ...APP_DATA_UNITS]));
  if (!all.ok)
    return { unit: all, unit1: all, appBusy: [], log: { ok: false, why: 'systemd did not answer' } };
  const [unit, unit1, ...busy] = all.value.map((value): Fact<UnitFacts> => ({ ok: true, value }));
  if (unit === undefined || unit1 === undefined) throw new Error('systemctl show left a unit out');
  const swap = { unitFile: await machine.kindOf(places.unitFile) } as SwapFacts;
  const inForce = unitInForce(unit, unit1, swap);
  return {
    unit,
    unit1,
    appBusy: APP_DATA_UNITS.filter((_, i) => {
      const other = busy[i];
      return other?.ok === true && ['active', 'activating', 'deactivating'].includes(other.value.active);
    }),
    log: inForce.ok ? await fact(() => logOf(machine, inForce.value)) : inForce,
  };
}

/** A process that lives and has not crashed before has no last words yet: its log is not read. */
const logOf = async (machine: Machine, unit: UnitFacts): Promise<readonly string[]> =>
  unit.mainPid > 0 && unit.restarts === 0 ? [] : machine.journal(unit);

async function ask(world: World, tls: TlsFiles | undefined, endpoint: string): Promise<Asked> {
  const beganMs = world.machine.now();
  const reply = await fact(() => world.cluster(tls).ask(endpoint));
  return { endpoint, reply, tookMs: world.machine.now() - beganMs };
}

async function lookAtSelf(
  world: World,
  config: Fact<EtcdConfig>,
): Promise<Pick<Observation, 'health' | 'self'>> {
  if (!config.ok) return { health: { state: 'none', why: config.why }, self: undefined };
  const { clientUrl, tls } = config.value;
  const health = await world.health(clientUrl, tls, HEALTH_TIMEOUT_MS);
  return { health, self: health.state === 'none' ? undefined : await ask(world, tls, clientUrl) };
}

async function lookAtCluster(
  world: World,
  { config, app }: Pick<Observation, 'config' | 'app'>,
): Promise<Pick<Observation, 'others' | 'changedList'>> {
  if (!config.ok) return { others: [], changedList: undefined };
  const known = otherEndpoints(config.value, app.ok ? app.value : undefined, []);
  const first = await Promise.all(known.map((endpoint) => ask(world, config.value.tls, endpoint)));
  // The files on this node may be older than the cluster: whoever the members list and we do not know is asked too.
  const { members } = clusterView(config.value, first, undefined);
  const more = otherEndpoints(config.value, undefined, members).filter(
    (endpoint) => !known.includes(endpoint),
  );
  return {
    others: [
      ...first,
      ...(await Promise.all(more.map((endpoint) => ask(world, config.value.tls, endpoint)))),
    ],
    changedList: undefined,
  };
}

/** Looks at the world: all of it, or `parts` of it again with the rest as it was. */
export async function observe(world: World): Promise<Observation>;
export async function observe(
  world: World,
  before: Observation,
  parts: readonly Part[],
): Promise<Observation>;
export async function observe(world: World, before?: Observation, parts = ALL_PARTS): Promise<Observation> {
  const files = parts.includes('files') || !before ? await lookAtFiles(world) : before;
  const [units, self, cluster] = await Promise.all([
    parts.includes('units') || !before ? lookAtUnits(world) : before,
    parts.includes('self') || !before ? lookAtSelf(world, files.config) : before,
    parts.includes('cluster') || !before ? lookAtCluster(world, files) : before,
  ]);
  return {
    atMs: world.machine.now(),
    bootId: before?.bootId ?? (await world.machine.bootId()),
    app: files.app,
    config: files.config,
    data: files.data,
    swap: files.swap,
    unit: units.unit,
    unit1: units.unit1,
    appBusy: units.appBusy,
    log: units.log,
    health: self.health,
    self: self.self,
    others: cluster.others,
    changedList: cluster.changedList,
  };
}
