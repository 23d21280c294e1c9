import { appStartRisk } from '../../../diagnose/app-start-risk.ts';
import { ROOT_ONLY_DIRECTORY, ROOT_ONLY_FILE } from '../../../machine/machine.ts';
import { parseEnvFile, setEnvValues } from '../../../machine/systemd/env-file.ts';
import type { UnitFacts } from '../../../machine/systemd/systemctl.ts';
import { environmentFiles, pointEnvironmentFile } from '../../../machine/systemd/unit-file.ts';
import { waitUntil } from '../../../machine/wait-until.ts';
import { dropInsOf } from '../../../observe/drop-ins.ts';
import { expectedCluster } from '../../../plan/expected-cluster.ts';
import { appAtWork } from '../../../plan/guards.ts';
import { up } from '../../../plan/heal-steps.ts';
import { isParked } from '../../../state/parked.ts';
import type { Places } from '../../../state/places.ts';
import { askAsClient } from '../ask-as-client.ts';
import { type HealContext, RIGHT_BEFORE_MS } from '../heal-context.ts';
import { forgetOriginal, originalUnit, saveOriginal } from '../originals.ts';
import { untilTaken } from '../until-taken.ts';

/** The runbook waits up to 90 s for a process that ignores SIGTERM; a heal does not. */
const STOP_MS = 10_000;
/** systemd has a start before it by then, or has given it up. */
const BEGINS_MS = 2000;
/** The app gives all nodes other names, or switches TLS on all, within minutes (docs/platform.md, "The app's verbs"). */
const NAMES_MS = 10 * 60_000;
export const NEW_URLS = 'the app has given its nodes other URLs meanwhile';
export const urlsAreOld = ({ env }: Places, why: string): string =>
  `${env} has old URLs, which the app's start is to replace: ${why}`;
const OWN_DROP_IN = 'zz-heal-node.conf';
/** The app's start waits for the start of etcd's unit, which the gate may refuse. */
export const APP_START_MS = 120_000;

export const isStopped = ({ active }: UnitFacts): boolean => active === 'inactive' || active === 'failed';

/**
 * Stops units; kills what does not stop. One that systemd does not know is stopped already.
 * @throws when a process survives even that.
 */
export async function stopUnits({ machine, log }: HealContext, ...units: readonly string[]): Promise<void> {
  try {
    await machine.systemctl(['stop', ...units], STOP_MS);
  } catch (error) {
    const why = (error as Error).message;
    if ((await machine.units(units)).every(isStopped)) return;
    log.warn({ event: 'kill', units }, `${units.join(' and ')} did not stop and is killed: ${why}`);
    for (const unit of units)
      await machine.systemctl(['kill', '--signal=SIGKILL', unit]).catch(() => undefined);
    await machine.systemctl(['stop', ...units], STOP_MS).catch(() => undefined);
    const alive = (await machine.units(units)).find((facts) => !isStopped(facts));
    if (alive)
      throw new Error(`etcd cannot be stopped: process ${alive.mainPid} survives SIGKILL; at first: ${why}`);
  }
}

/**
 * Reloads systemd's units when one of these differs from what it has in memory. A reload takes a tenth of a
 * second, as much as a whole etcd start, so it is not done on suspicion: systemd itself says (systemctl(1),
 * NeedDaemonReload), and a unit that it has never loaded is read afresh.
 */
async function reloadIfNeeded(heal: HealContext, present: 'unit' | 'copyUnit'): Promise<void> {
  const { machine, places } = heal;
  await heal.look('files', 'units');
  const facts = heal.situation.observed[present];
  const asOnDisk =
    facts.ok && facts.value.load === 'loaded' && facts.value.fragment === places[`${present}File`];
  if (asOnDisk && !facts.value.needsReload) return;
  heal.acts('files', 'units');
  await machine.systemctl(['daemon-reload']);
}

/** Moves the unit aside and stops etcd. Leaves the original saved first, then renamed, then loaded as gone. */
export async function fence(heal: HealContext): Promise<string> {
  const { machine, places } = heal;
  await saveOriginal(machine, places);
  if ((await machine.kindOf(places.unitFile)) === 'file') {
    // A copy beside the original is what a runbook or the app's repairMinorityNode left when it failed.
    if (heal.situation.swapped) await stopUnits(heal, places.copyUnit);
    await machine.remove(places.copyUnitFile);
    await machine.move(places.unitFile, places.copyUnitFile);
  }
  // systemd takes one after the other, whichever comes first; what came in between is seen by the look after it.
  await Promise.all([
    machine.systemctl(['daemon-reload']),
    stopUnits(heal, places.unit, ...(heal.situation.swapped ? [places.copyUnit] : [])),
    // One that has failed would be kept in memory as it was, and have to be reloaded when its file is back.
    resetFailed(heal, places.unit),
  ]);
  // What is started again and again cannot be read: from here on nothing runs, and what it has committed can be known.
  await heal.look('files', 'units', ...(heal.situation.examination ? [] : (['data'] as const)));
  const below = heal.situation.observed.unit.ok ? heal.situation.observed.unit.value : undefined;
  // It has failed only as it was stopped.
  if (below?.active === 'failed') await resetFailed(heal, places.unit);
  const hidden = below?.load === 'loaded';
  if (hidden) {
    heal.acts('files', 'units');
    // A package's unit, or one made from /etc/init.d (systemd-sysv-generator(8)), shows up where ours was: a boot, or
    // the app, would start that one.
    await machine.systemctl(['mask', places.unit]);
    await stopUnits(heal, places.unit);
  }
  const masked = hidden ? `, its name is masked, as ${below.fragment || 'a generated unit'} has it too` : '';
  return `${places.unitFile} is ${places.copyUnit} now${masked}, the original is saved in ${places.originals}, etcd is stopped`;
}

/** The original unit under its own name, and nothing under the copy's. Nothing is loaded or started. */
async function originalInPlace({ machine, places, situation }: HealContext): Promise<void> {
  const kind = await machine.kindOf(places.unitFile);
  if (situation.observed.swap.pointsAway || kind === 'none' || kind === 'mask') {
    const { text, rights } = await originalUnit(machine, places);
    // A name back needs no room, where the disk has filled up since; a mask is replaced by the file at once.
    if (kind === 'none' && (await machine.readFile(places.copyUnitFile))?.text === text)
      await machine.move(places.copyUnitFile, places.unitFile);
    else await machine.writeFile(places.unitFile, text, rights);
  }
  await machine.remove(places.copyUnitFile);
}

/** The original unit back in place; etcd is left stopped. */
export async function putUnitBack(heal: HealContext): Promise<string> {
  const { machine, places } = heal;
  await originalInPlace(heal);
  await reloadIfNeeded(heal, 'unit');
  await forgetOriginal(machine, places);
  return `${places.unitFile} is back as it was`;
}

/** Makes `etcd1.env`, `etcd1.service` and its drop-ins. Touches neither `etcd.env` nor `etcd.service.d`. */
export async function stage(heal: HealContext): Promise<string> {
  const { machine, places } = heal;
  const env = await machine.readFile(places.env);
  if (env === undefined) throw new Error(`${places.env} is missing; the app's start writes it`);
  const original = await originalUnit(machine, places);
  const pointed = (text: string) => pointEnvironmentFile(text, places.env, places.copyEnv);
  const unit = pointed(original.text);
  const found = await dropInsOf(machine, places.unit);
  const dropIns = [...found].map(([name, { text, rights }]) => ({ ...pointed(text), name, rights }));
  const none = `${places.unit} and its drop-ins read no EnvironmentFile=${places.env}, so the copy could not be told to join`;
  if ([unit, ...dropIns].every(({ changed }) => changed === 0)) throw new Error(none);
  await mustNotBeOverridden(heal, [original.text, ...dropIns.map(({ text }) => text)]);

  if (heal.situation.hasNewUrls || heal.situation.stagedBefore) {
    // By its old URLs it would find nobody, and nobody would find it; names the app's start would have written here.
    await stopUnits(heal, places.copyUnit);
    await heal.look('cluster');
    if (await askAsClient(heal.world, heal.situation).catch(() => false)) await heal.look('cluster');
  }
  const initialCluster = expectedCluster(heal.situation);
  const joins = { ETCD_INITIAL_CLUSTER_STATE: 'existing', ETCD_INITIAL_CLUSTER: initialCluster };
  const values = { ...heal.config.ofView, ...joins };
  await machine.writeFile(places.copyEnv, setEnvValues(env.text, values), env.rights);
  await machine.remove(places.copyDropIns);
  await machine.makeDirectory(places.copyDropIns, { ...ROOT_ONLY_DIRECTORY, mode: 0o755 });
  for (const { name, text, rights } of dropIns)
    await machine.writeFile(`${places.copyDropIns}/${name}`, text, rights);
  // A first start lasts as long as the data take to arrive; the original's limit is for a member that has its data.
  const unlimited = '# heal-node: gone when the heal ends\n[Service]\nTimeoutStartSec=infinity\n';
  await machine.writeFile(`${places.copyDropIns}/${OWN_DROP_IN}`, unlimited, { mode: 0o644, uid: 0, gid: 0 });
  await machine.writeFile(places.copyUnitFile, unit.text, original.rights);
  await reloadIfNeeded(heal, 'copyUnit');
  return `${places.copyUnitFile} reads ${places.copyEnv}, which joins ${initialCluster}`;
}

/** A second environment file that sets the same keys would win over ours. */
async function mustNotBeOverridden({ machine, places }: HealContext, texts: readonly string[]) {
  for (const path of new Set(texts.flatMap(environmentFiles))) {
    if (path === places.env || path === places.copyEnv) continue;
    const other = parseEnvFile((await machine.readFile(path))?.text ?? '');
    const key = ['ETCD_INITIAL_CLUSTER_STATE', 'ETCD_INITIAL_CLUSTER'].find((name) => name in other);
    if (key)
      throw new Error(
        `${path}: ${key} is set there too, and would override ${places.copyEnv}; keep it in ${places.env} alone`,
      );
  }
}

export async function unstage({ machine, places }: HealContext): Promise<string | undefined> {
  const kinds = await Promise.all([places.copyDropIns, places.copyEnv].map((path) => machine.kindOf(path)));
  if (kinds.every((kind) => kind === 'none')) return undefined;
  await machine.remove(places.copyDropIns);
  await machine.remove(places.copyEnv);
  return `${places.copyEnv} and ${places.copyDropIns} are gone`;
}

/**
 * Back to the originals. The unit comes first and the saved original goes last, so that a cut anywhere leaves
 * either the original in place or the means to put it there.
 */
export async function restore(heal: HealContext): Promise<string> {
  const { machine, places, settings } = heal;
  await untilNamed(heal);
  const { stagedBefore, certificatesToBring, awaitsUrls, unitName } = heal.situation;
  // After a boot the unit runs on what was before: nothing is staged, and the certificates are still to be brought.
  const brings = certificatesToBring && unitName === places.unit;
  if (stagedBefore || brings || (awaitsUrls && (await isParked(machine, places)))) {
    heal.memory.verified &&= !stagedBefore;
    return NEW_URLS;
  }
  const before = await appCatchesUp(heal);
  const did = await unitsBack(heal);
  // What confd has rendered until the unit was back the app's update has passed over.
  await heal.look('files').catch(() => undefined);
  const byApp = !heal.situation.awaitsUrls && (before || (await appCatchesUp(heal)));
  // After a boot it runs on what the app's start is to write anew.
  if (byApp) await stopUnits(heal, places.unit);
  heal.acts('files', 'units');
  await machine.writeFile(places.restored, '', ROOT_ONLY_FILE);
  const code = byApp && (await runAppStart(heal));
  await machine.systemctl(['start', '--no-block', places.unit]).catch(() => undefined);
  if (byApp) await heal.look('files');
  if (heal.situation.isEnvOld || (heal.situation.awaitsUrls && !awaitsUrls)) return NEW_URLS;
  await forgetOriginal(machine, places);
  // systemd begins a moment later. Whether it comes up, and the member is well, is for the next step to say.
  await waitUntil(machine, BEGINS_MS, 10, async () => {
    await heal.look('files', 'units');
    return up(heal.situation) || undefined;
  });
  const started = `${did}, etcd is started on it`;
  const since = `as ${places.appEnv} has changed since`;
  return code === 0 ? `${started} by \`${settings.startCmd.join(' ')}\`, ${since}` : started;
}

/**
 * While the others go by the old URLs the member stays on its copy: alone by new ones it would find nobody. With other names
 * go other certificates as well, which the app lays only where etcd's unit is in place, and which can be brought as soon as
 * the others have theirs. Where the others do not follow in `NAMES_MS` it keeps the old URLs and certificates, too.
 * @throws when nobody answers by then
 */
async function untilNamed(heal: HealContext): Promise<void> {
  const { machine, places, log, record } = heal;
  await heal.look('files').catch(() => undefined);
  const changedMs = (await machine.changedMs(places.appEnv)) ?? 0;
  // Where the view is older than that, the others have had the time to follow it, and never have.
  const mayFollow = changedMs > Date.parse(record.startedAt) - NAMES_MS;
  const waits = ({ awaitsNames, awaitsUrls } = heal.situation) => awaitsNames || (mayFollow && awaitsUrls);
  if (!waits()) return;
  log.info({ event: 'waits' }, `restore waits for the other nodes to have the URLs of ${places.appEnv}.`);
  await waitUntil(machine, NAMES_MS, 1000, async () => {
    await heal.look('files').catch(() => undefined);
    // Whoever stops the app waits for this heal.
    return !waits() || (await isParked(machine, places)) || undefined;
  });
  // Who was seen by the old URLs is found by the new ones.
  await heal.look('cluster');
  // Those that are silent may have them by now, and this one would be the only one without.
  if (waits() && !heal.situation.cluster.answered)
    throw new Error(`nobody says whether the other nodes have the URLs of ${places.appEnv}`);
}

/**
 * What confd has changed while the unit was aside the app's update has passed over (docs/platform.md): its start, run in
 * its place, writes etcd.env anew and starts etcd. Where nodes have other URLs by now, the app has had the members listed
 * by them, found by their names, which this one may not have had yet.
 * @returns whether anything has changed
 */
export async function appCatchesUp(heal: HealContext): Promise<boolean> {
  const { machine, places, situation, record, config } = heal;
  const { hasNewUrls, awaitsUrls } = situation;
  const changedMs = (await machine.changedMs(places.appEnv)) ?? 0;
  // While the others go by the old ones, so does this node.
  if (awaitsUrls || (!hasNewUrls && changedMs < Date.parse(record.startedAt))) return false;
  await heal.lookIfOlder(RIGHT_BEFORE_MS, 'units');
  const atWork = appAtWork(heal.situation, false);
  if (atWork && hasNewUrls) throw new Error(urlsAreOld(places, atWork));
  // There is a cluster, whoever answers just now: new certificates are not for this node to make.
  if (atWork || situation.observed.tls || appStartRisk(situation)) return false;
  const [own, urls] = [situation.cluster.own, config.peerUrls];
  const isListed = () => urls.every((url) => heal.situation.cluster.own?.peerUrls.includes(url));
  if (own && !isListed()) {
    const update = () => heal.cluster.updateMember(heal.servingEndpoints, own.id, urls);
    const members = await untilTaken(heal, update, isListed);
    if (members) heal.listIsNow(members);
  }
  return true;
}

/**
 * Runs the app's start, unless it could do harm as all stands by now; a file that is just being written is waited for.
 * @returns its exit code; else why it has none
 */
export async function runAppStart(heal: HealContext): Promise<number | string> {
  const { machine, settings } = heal;
  const isClear = await waitUntil(machine, BEGINS_MS, 250, async () => {
    const failed = await heal.look('files').then(undefined, String);
    return !(failed || heal.situation.observed.tls || appStartRisk(heal.situation)) || undefined;
  });
  if (!isClear) return 'not run'; // it could do harm by now
  return (await machine.runApp(settings.startCmd, APP_START_MS)) ?? 'not yet';
}

/** The original unit is in place and loaded, the copy is stopped and gone; nothing is started. The saved originals stay. */
export async function unitsBack(heal: HealContext): Promise<string> {
  const { places } = heal;
  await originalInPlace(heal);
  await unstage(heal);
  await Promise.all([
    stopUnits(heal, places.copyUnit),
    // What it has failed before does not count against its next start.
    reloadIfNeeded(heal, 'unit').then(() => resetFailed(heal, places.unit)),
  ]);
  return `${places.unitFile} is the original again, ${places.copyUnit} and ${places.copyEnv} are gone`;
}

/** A unit that has failed systemd still remembers when it is gone. One that has not, or is not known, is left as it is. */
export const resetFailed = ({ machine }: HealContext, unit: string): Promise<void> =>
  machine.systemctl(['reset-failed', unit]).catch(() => undefined);
