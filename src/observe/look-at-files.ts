import { parseAppView } from '../appcenter/app-view.ts';
import { type EtcdConfig, etcdConfig } from '../machine/etcd/etcd-config.ts';
import type { Machine } from '../machine/machine.ts';
import { parseEnvFile } from '../machine/systemd/env-file.ts';
import { environmentFiles } from '../machine/systemd/unit-file.ts';
import { rememberedBirthmark } from '../state/member-mark.ts';
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
  const masked = (await machine.kindOf(places.unitFile)) === 'mask';
  const unit =
    (masked ? undefined : await machine.readFile(places.unitFile)) ??
    (await machine.readFile(places.copyUnitFile));
  const named = environmentFiles(unit?.text ?? '').map((file) =>
    file.path === places.copyEnv ? places.env : file.path,
  );
  const texts: string[] = [];
  for (const path of named.includes(places.env) ? named : [places.env]) {
    const file = await machine.readFile(path);
    if (file === undefined && path === places.env) throw new Error(`${path} is missing.`);
    texts.push(file?.text ?? '');
  }
  return etcdConfig(Object.assign({}, ...texts.map(parseEnvFile)), places.env);
}

const PLACE_UNKNOWN: DataFacts = {
  dir: 'none',
  walDir: 'none',
  kind: 'unknown',
  wal: undefined,
  db: undefined,
  snapshots: 0,
};

async function lookAtData(machine: Machine, config: Fact<EtcdConfig>): Promise<DataFacts> {
  if (!config.ok) return PLACE_UNKNOWN;
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
  const copyUnit = await machine.readFile(places.copyUnitFile).catch(() => undefined);
  const copyEnv = await machine.readFile(places.copyEnv).catch(() => undefined);
  const unit = await machine.readFile(places.unitFile).catch(() => undefined);
  const readsCopyEnv = (text = '') => environmentFiles(text).some(({ path }) => path === places.copyEnv);
  const copyDropIns = await machine.list(places.copyDropIns);
  const dropInTexts = await Promise.all(
    copyDropIns.map(
      async (name) => (await machine.readFile(`${places.copyDropIns}/${name}`).catch(() => undefined))?.text,
    ),
  );
  const reads = [copyUnit?.text, ...dropInTexts].some(readsCopyEnv);
  const env = copyEnv === undefined ? undefined : parseEnvFile(copyEnv.text);
  const changed = await Promise.all(
    [places.copyUnitFile, places.copyEnv, places.copyDropIns].map((path) => machine.changedMs(path)),
  );
  const changes = changed.filter((ms) => ms !== undefined);
  return {
    unitFile: await machine.kindOf(places.unitFile),
    copyUnitFile: await machine.kindOf(places.copyUnitFile),
    copyEnv: (await machine.kindOf(places.copyEnv)) !== 'none',
    copyDropIns: copyDropIns.length > 0,
    pointsAway: readsCopyEnv(unit?.text),
    changedMs: changes.length === 0 ? undefined : Math.max(...changes),
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
