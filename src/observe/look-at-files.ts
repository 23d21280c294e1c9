import { parseAppView } from '../app/app-view.ts';
import { parseEnvFile } from '../node/env-file.ts';
import { type EtcdConfig, etcdConfig } from '../node/etcd-config.ts';
import type { Machine } from '../node/machine.ts';
import { rememberedBirthmark } from '../node/member-mark.ts';
import { environmentFiles } from '../node/unit-file.ts';
import type { DataFacts, Fact, Observation, SwapFacts } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

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

const NO_DATA: DataFacts = {
  dir: 'none',
  walDir: 'none',
  kind: 'empty',
  wal: undefined,
  db: undefined,
  snapshots: 0,
};

async function lookAtData(machine: Machine, config: Fact<EtcdConfig>): Promise<DataFacts> {
  if (!config.ok) return NO_DATA;
  const { dataDir, walDir, separateWalDir } = config.value;
  const dir = await machine.kindOf(dataDir);
  const wal = await machine.wal(walDir).then(
    (value) => ({ ok: true, value }) as const,
    (error: Error) => ({ ok: false, why: error.message }) as const,
  );
  const hasWal = !wal.ok || wal.value !== undefined;
  const hasMember = (await machine.kindOf(`${dataDir}/member`)) !== 'none';
  const snap = await machine.list(`${dataDir}/member/snap`).catch(() => []);
  return {
    dir,
    walDir: separateWalDir ? await machine.kindOf(walDir) : 'none',
    kind: hasWal ? 'wal' : hasMember ? 'no-wal' : 'empty',
    db: await machine.boltSize(`${dataDir}/member/snap/db`).catch(() => undefined),
    snapshots: snap.filter((name) => name.endsWith('.snap')).length,
    wal: wal.ok ? wal.value && { ok: true, value: wal.value } : wal,
  };
}

async function lookAtSwap({ machine, places }: World): Promise<SwapFacts> {
  const unit1 = await machine.readFile(places.unit1File).catch(() => undefined);
  const env1 = await machine.readFile(places.env1).catch(() => undefined);
  const unit = await machine.readFile(places.unitFile).catch(() => undefined);
  const readsEnv1 = (text = '') => environmentFiles(text).some(({ path }) => path === places.env1);
  const dropIns1 = await machine.list(places.dropIns1);
  const dropInTexts = await Promise.all(
    dropIns1.map(
      async (name) => (await machine.readFile(`${places.dropIns1}/${name}`).catch(() => undefined))?.text,
    ),
  );
  const reads = [unit1?.text, ...dropInTexts].some(readsEnv1);
  const env = env1 === undefined ? undefined : parseEnvFile(env1.text);
  return {
    unitFile: await machine.kindOf(places.unitFile),
    unit1File: await machine.kindOf(places.unit1File),
    env1: (await machine.kindOf(places.env1)) !== 'none',
    dropIns1: dropIns1.length > 0,
    pointsAway: readsEnv1(unit?.text),
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

/** Without a look at its own disks nothing can be said at all. @throws why not */
function mustBe<T>(fact: Fact<T>): T {
  if (!fact.ok) throw new Error(fact.why);
  return fact.value;
}

/** What stands on this machine's disks: the app's view, etcd's settings, its data, traces of a swap. */
export async function lookAtFiles(
  world: World,
  watch: Stopwatch,
): Promise<Pick<Observation, 'app' | 'config' | 'data' | 'swap' | 'divergence' | 'birthmark'>> {
  const { machine, places } = world;
  const config = await watch.fact('config', () => effectiveConfig(world));
  return {
    app: await watch.fact('app', async () =>
      parseAppView(await mustRead(machine, places.appEnv), places.appEnv),
    ),
    config,
    data: mustBe(await watch.fact('data', () => lookAtData(machine, config))),
    swap: mustBe(await watch.fact('swap', () => lookAtSwap(world))),
    divergence: await world.divergence(),
    birthmark: world.birthmarkOn ? await rememberedBirthmark(machine, places) : '',
  };
}
