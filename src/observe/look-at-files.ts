import { type AppView, envOf, parseAppView } from '../appcenter/app-view.ts';
import { CERTIFICATES, certificatePath } from '../appcenter/certificates.ts';
import tlsEnv from '../appcenter/tls-env.json';
import { clientTls, type Env, type EtcdConfig, etcdConfig, hasNewUrls } from '../machine/etcd/etcd-config.ts';
import type { Depth } from '../machine/etcd/examination.ts';
import type { Machine } from '../machine/machine.ts';
import { isBlank, parseEnvFile } from '../machine/systemd/env-file.ts';
import { environmentFiles } from '../machine/systemd/unit-file.ts';
import { adoptedFile } from '../state/adopted-file.ts';
import { deepCheckFile } from '../state/deep-check-file.ts';
import { foreignFile } from '../state/foreign-file.ts';
import { readMark } from '../state/member-mark.ts';
import { nodePause } from '../state/pause.ts';
import { dropInsOf, unitOnDisk } from './drop-ins.ts';
import { otherEndpoints } from './endpoints.ts';
import { brokenCertificates } from './look-at-host.ts';
import type { Fact, Observation } from './observation.ts';
import type { Stopwatch } from './timed.ts';
import type { World } from './world.ts';

const CLIENT_PORT = 2379;
const REACH_MS = 700;

async function mustRead(machine: Machine, path: string): Promise<string> {
  const file = await machine.readFile(path);
  if (file === undefined) throw new Error(`${path} is missing.`);
  return file.text;
}

/**
 * Settings that are not in an environment file: a data dir that is looked for where it is not would look gone. Those count
 * that say whose data these are, and where, and how it is reached.
 */
const ELSEWHERE =
  /^[ \t]*Environment[ \t]*=.*\bETCD_(?:NAME|(?:DATA|WAL)_DIR|CONFIG_FILE|FORCE_NEW_CLUSTER|PROXY|LOG_OUTPUTS?|DISCOVERY\w*|(?:INITIAL|LISTEN|ADVERTISE)_\w+|\w*(?:CERT|KEY|CA)_FILE|\w*AUTO_TLS)\b|^[ \t]*ExecStart[ \t]*=.*--?(?:data-dir|wal-dir|name|config-file)\b.*/gm;
/** Of those, the ones that say where the data are. */
const PLACE_ELSEWHERE =
  /^[ \t]*Environment[ \t]*=.*\bETCD_(?:(?:DATA|WAL)_DIR|CONFIG_FILE)\b|^[ \t]*ExecStart[ \t]*=.*--?(?:data-dir|wal-dir|config-file)\b/gm;

/**
 * etcd's environment, as its unit and the drop-ins of it merge it: all their environment files in order, the
 * existing-state copy read as the original that it stands for.
 * @param ofView what counts in place of what the file has, or lacks
 * @param unknown the lines of the unit, or of a drop-in, with which it cannot be known
 * @throws where such a line says what etcd is told
 */
async function effectiveConfig({ machine, places }: World, ofView?: Env, unknown = ELSEWHERE) {
  const unit = await unitOnDisk(machine, places);
  const dropIns = [...(await dropInsOf(machine, places.unit))].sort(([a], [b]) => (a < b ? -1 : 1));
  const merged = [unit?.text ?? '', ...dropIns.map(([, { text }]) => text)].join('\n');
  const elsewhere = merged.replace(/\\\n/g, ' ').match(unknown)?.join(', ').trim();
  const keep = `keep etcd's settings in ${places.env}, where they can be read`;
  if (elsewhere !== undefined)
    throw new Error(`${places.unit} or a drop-in of it says "${elsewhere}"; ${keep}.`);
  const named = environmentFiles(merged).map((path) => (path === places.copyEnv ? places.env : path));
  const texts: string[] = [];
  for (const path of named.includes(places.env) ? named : [places.env]) {
    const must = path === places.env && !ofView;
    texts.push(must ? await mustRead(machine, path) : ((await machine.readFile(path))?.text ?? ''));
  }
  const env = Object.assign({}, ...texts.map(parseEnvFile), ofView);
  return etcdConfig(env, ofView ? places.appEnv : places.env, ofView);
}

/** As far as it says where the data are; whose they are may stand elsewhere. @throws where that is not known either */
export const placeOfData = (world: World) => effectiveConfig(world, undefined, PLACE_ELSEWHERE);

const NOTHING_KNOWN = {
  dir: 'none',
  walDir: 'none',
  kind: 'unknown',
  elected: false,
  occupied: false,
  memberId: '',
  clusterId: '',
} as const;

export async function lookAtData(machine: Machine, config: Fact<EtcdConfig>, depth: Depth = 'kind') {
  if (!config.ok) return { ...NOTHING_KNOWN, why: config.why };
  const { dataDir, walDir, separateWalDir } = config.value;
  const found = await machine.examine({ dataDir, walDir }, depth);
  const { kind, elected, memberId, clusterId, notLookedAt } = found;
  return {
    /** What stands at the data dir's path, and at a separate WAL dir's; `none` without one. */
    dir: await machine.kindOf(dataDir),
    walDir: separateWalDir ? await machine.kindOf(walDir) : 'none',
    /**
     * none: no write-ahead log; founding: one of a cluster that has never served a write; data: more than that, whole or
     * not; unknown: no settings say where it is, or it could not be looked at.
     */
    kind: kind === 'whole' || kind === 'damaged' ? ('data' as const) : kind,
    /** The log has an entry of an elected leader's. */
    elected,
    /** Why it is unknown; empty otherwise. */
    why: kind === 'unknown' ? notLookedAt.join('; ') : '',
    /** There is something in the data dir, whatever it is. */
    occupied: (await machine.kindOf(`${dataDir}/member`).catch(() => 'other')) !== 'none',
    /** Whose data these are, as the log says; empty when that is not known. */
    memberId,
    clusterId,
  };
}

/** The values of an environment but for those that say how the cluster is joined, as a text to compare. */
function apartFromJoining(env: Readonly<Record<string, string>>): string {
  const { ETCD_INITIAL_CLUSTER_STATE: _, ETCD_INITIAL_CLUSTER: __, ...others } = env;
  return JSON.stringify(Object.entries(others).sort());
}

export async function lookAtSwap({ machine, places }: World, config: Fact<EtcdConfig>) {
  const { unitFile, copyUnitFile, copyEnv, copyDropIns, originalUnit } = places;
  const textOf = async (path: string) => (await machine.readFile(path).catch(() => undefined))?.text;
  const texts = await Promise.all([unitFile, copyUnitFile, places.env, copyEnv].map(textOf));
  const [unit, copyUnit, original, envText] = texts;
  const dropIns = await machine.list(copyDropIns);
  const dropInTexts = await Promise.all(dropIns.map((name) => textOf(`${copyDropIns}/${name}`)));
  const readsCopyEnv = (text = '') => environmentFiles(text).includes(copyEnv);
  const reads = [copyUnit, ...dropInTexts].some(readsCopyEnv);
  const env = envText !== undefined && reads ? parseEnvFile(envText) : undefined;
  const all = await Promise.all([copyUnitFile, copyEnv, copyDropIns].map((path) => machine.changedMs(path)));
  const changes = all.filter((ms) => ms !== undefined);
  return {
    unitFile: await machine.kindOf(unitFile),
    copyUnitFile: await machine.kindOf(copyUnitFile),
    copyEnv: (await machine.kindOf(copyEnv)) !== 'none',
    copyDropIns: dropIns.length > 0,
    /** The etcd that the unit on the disk starts; empty when it does not say so plainly. */
    program: /^ExecStart=(\/[\w./-]*\/etcd)(?=\s|$)/m.exec(unit ?? copyUnit ?? '')?.[1] ?? '',
    /** The unit under the original's name still reads the copied environment: a runbook stopped on its way back. */
    pointsAway: readsCopyEnv(unit),
    /** When a file of the swap was last changed, renamed or touched; undefined when none is there. */
    changedMs: changes.length === 0 ? undefined : Math.max(...changes),
    /** Originals are saved in root's own directory. */
    originals: (await machine.kindOf(originalUnit)) === 'file',
    /** What the existing-state environment says, where it is there and the copied unit reads it. */
    staged: env && {
      state: env.ETCD_INITIAL_CLUSTER_STATE ?? '',
      initialCluster: env.ETCD_INITIAL_CLUSTER ?? '',
      /** The original has the same values but for those two; true where there is none to compare with. */
      asOriginal:
        original === undefined ||
        apartFromJoining({ ...parseEnvFile(original), ...(config.ok && config.value.ofView) }) ===
          apartFromJoining(env),
    },
  };
}

/**
 * The app's certificates (docs/platform.md), and whether a start by the app would make new ones while others serve.
 * @param config given where the app has given its nodes other names since those that are there were made
 */
export async function lookAtCertificates(machine: Machine, app: AppView, config?: EtcdConfig) {
  if (!app.tls) return undefined;
  const paths = CERTIFICATES.map(certificatePath);
  const kinds = await Promise.all(paths.map((path) => machine.kindOf(path).catch(() => 'other')));
  // The app's start asks whether ca.pem is a file, and makes a new authority where it is none, a dangling link too.
  const missing = paths.filter((_, i) => kinds[i] === 'none' || (i === 0 && kinds[i] !== 'file'));
  const broken =
    config && missing.length === 0 ? brokenCertificates(machine, config, machine.now()) : undefined;
  const faults = (await broken?.catch((error: Error) => [error.message])) ?? [];
  if (missing.length + faults.length === 0) return undefined;
  const others = app.nodes.filter(({ sid }) => sid !== app.sid);
  const calls = others.map(({ ip }) => machine.reach(ip, CLIENT_PORT, REACH_MS).catch(() => 'silent'));
  return { missing, faults, othersThere: (await Promise.all(calls)).includes('open') };
}

/**
 * While etcd's unit is aside the app's update does nothing (docs/platform.md), and etcd.env stays as it was. Where the
 * app's view has other URLs for its nodes by now, they count as soon as too few can answer by the old ones to be a quorum
 * with this one: another that is being healed meanwhile waits for us as we for it. One that is silent, or late, may answer
 * by them yet; one that has other names by now refuses at once.
 */
async function withNewUrls(world: World, config: EtcdConfig, view: AppView): Promise<EtcdConfig> {
  const { machine, places } = world;
  const ofView = envOf(view);
  const peerUrl = ofView.ETCD_INITIAL_ADVERTISE_PEER_URLS;
  const same = view.tls ? config.peerUrls.includes(peerUrl) : !config.tls;
  // A view of another node, or without this one, says nothing of how it is called.
  const isOurs = ofView.ETCD_NAME === config.name && view.nodes.some(({ sid }) => sid === view.sid);
  if (same || !isOurs) return config;
  // Also where the unit has just come back, and the app's start has not written etcd.env yet; and where a runbook that has
  // been begun by hand, or data that are gone, keep the app's start from being run.
  const traces = [places.copyUnitFile, places.copyEnv, places.originalUnit];
  const kinds = await Promise.all(traces.map((path) => machine.kindOf(path)));
  if (kinds.every((kind) => kind === 'none')) {
    const data = await lookAtData(machine, { ok: true, value: config }).catch(() => NOTHING_KNOWN);
    if (data.elected || data.kind === 'data' || data.kind === 'unknown') return config;
  }
  const asked = otherEndpoints(config, view).map((each) => world.health(each, config.tls, REACH_MS));
  const there = (await Promise.all(asked)).filter((each) => each.state !== 'none' || each.mayAnswer);
  // Where those that refuse are a quorum with this one, nobody who is silent is waited for. Of a tie the view decides where
  // it is about TLS; with other names those that answer do, as certificates have to be there for the others.
  const [half, refuse] = [Math.floor(view.nodes.length / 2), asked.length - there.length];
  const stays = view.tls !== !config.tls && there.filter(({ state }) => state !== 'none').length >= half;
  if (stays || refuse < half) return { ...config, otherPeerUrls: [peerUrl] };
  // etcd takes a value that is empty for one that is not there (pkg/flags/flag.go).
  const anew = await effectiveConfig(world, { ...tlsEnv[view.tls ? 'on' : 'off'], ...ofView });
  return { ...anew, otherPeerUrls: config.peerUrls };
}

/** The app's view counts where etcd.env is lost with the certificates: the image that a migration puts back has an empty one. */
async function configInForce(world: World, app: Fact<AppView>, tls: Observation['tls']): Promise<EtcdConfig> {
  if (!app.ok) return effectiveConfig(world);
  const lost = tls !== undefined && (await isBlank(world.machine, world.places.env));
  const written = await effectiveConfig(world, lost ? envOf(app.value) : undefined);
  return withNewUrls(world, written, app.value);
}

/** Until it has certificates that fit a node asks as the client of the metadata service. */
async function asClient({ machine, places }: World, config: Fact<EtcdConfig>): Promise<Fact<EtcdConfig>> {
  const client = clientTls(places.client);
  const has = config.ok && config.value.tls && (await machine.kindOf(client.key)) === 'file';
  return has ? { ok: true, value: { ...config.value, tls: client } } : config;
}

/** Without a look at its own disks nothing can be said at all. @throws why not */
function mustBe<T>(fact: Fact<T>): T {
  if (!fact.ok) throw new Error(fact.why);
  return fact.value;
}

/** What stands on this machine's disks: the app's view, etcd's settings, its data, traces of a swap. */
export async function lookAtFiles(world: World, watch: Stopwatch) {
  const { machine, places } = world;
  const view = async () => parseAppView(await mustRead(machine, places.appEnv), places.appEnv);
  const app = await watch.fact('app', view);
  const lost = app.ok ? await lookAtCertificates(machine, app.value) : undefined;
  const compared = await deepCheckFile.read(machine, places.deepCheck);
  const written = await watch.fact('config', () => configInForce(world, app, lost));
  const isCalledAnew = app.ok && written.ok && hasNewUrls(written.value);
  const tls = lost ?? (isCalledAnew ? await lookAtCertificates(machine, app.value, written.value) : lost);
  const config = tls ? await asClient(world, written) : written;
  // Last: where the rest is what a heal has just made, it had marked the node before.
  const mark = await readMark(machine, places);
  return {
    app,
    tls,
    config,
    data: mustBe(await watch.fact('data', () => lookAtData(machine, config))),
    swap: mustBe(await watch.fact('swap', () => lookAtSwap(world, config))),
    divergence: compared?.state === 'differs' ? { ...compared, heals: world.healsDivergence } : undefined,
    mark: world.birthmarkOn ? mark : { ...mark, birthmark: '' },
    pause: await nodePause(machine, places),
    discardAhead: await adoptedFile.read(machine, places.adopted),
    noted: await foreignFile.read(machine, places.foreign),
  };
}
