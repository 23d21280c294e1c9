import { isOwn } from '../../../diagnose/cluster-view.ts';
import { expectedCluster } from '../../../plan/expected-cluster.ts';
import { bestEffort } from '../../../report/best-effort.ts';
import { deepCheckFile, differs } from '../../../state/deep-check-file.ts';
import { compareAsAllowed } from '../compare-as-allowed.ts';
import type { HealContext } from '../heal-context.ts';
import { endTurn } from '../turn.ts';
import { ASK_AGAIN_MS } from '../until-taken.ts';
import { alarmsLeft, disarmRemoved } from './alarms.ts';
import { arrival } from './arrival.ts';
import { giveDataDir, makeRoom } from './data.ts';
import { appCatchesUp, NEW_URLS, resetFailed, runAppStart, stage, stopUnits, urlsAreOld } from './units.ts';

/** How long until it is asked again: the longer it has taken, the less that matters, and the less the others are to feel it. */
const pollMs = (waitedMs: number): number => Math.min(100, Math.max(5, waitedMs / 50));
/** How long the members may hash for a heal, all together. What takes longer is left to the deep check. */
const COMPARE_MS = 3000;
/** How long before the end of a heal its unit may have been looked at, when the member has been seen to serve since. */
const UNIT_AGE_MS = 5000;
/** For the others to say whom they list, and for the new member to go on answering: an election passes meanwhile. */
const SETTLE_LOOKS = 20;
/** The list has changed since it was staged: etcd compares it with the members' own (see expectedCluster). */
const isOutdated = ({ situation, joined }: HealContext): boolean =>
  !joined &&
  situation.cluster.members.length > 0 &&
  situation.observed.swap.staged?.initialCluster !== expectedCluster(situation);

/** Starts the member on the unit that is in place: the existing-state copy, or the original once it is back. */
export async function startMember(heal: HealContext): Promise<string> {
  const { machine, places, situation, settings } = heal;
  const unit = situation.observed.swap.unitFile === 'file' ? places.unit : places.copyUnit;
  // The unit is back, and the app's start, which was to write etcd.env anew, was cut off.
  if (unit === places.unit && (await appCatchesUp(heal))) {
    await stopUnits(heal, places.unit, places.copyUnit);
    heal.acts('files', 'units');
    const code = await runAppStart(heal);
    const ended = `\`${settings.startCmd.join(' ')}\`, whose exit code is: ${code}`;
    await heal.look('files');
    if (heal.situation.isEnvOld) throw new Error(urlsAreOld(places, ended));
    if (code === 0) return ended;
  }
  if (unit === places.copyUnit && isOutdated(heal)) await stage(heal);
  if (!heal.joined) await makeRoom(heal);
  await giveDataDir(heal);
  // A unit that has failed may have used up its starts (systemd.unit(5), StartLimitBurst).
  const { unit: facts } = situation;
  if (unit === places.unit || (facts && facts.result !== 'success')) await resetFailed(heal, unit);
  heal.acts('files', 'units');
  await machine.systemctl(['start', '--no-block', unit]);
  return `${unit} is started`;
}

/**
 * In these etcds a member that has joined by a snapshot applies nothing that needs authentication until it is started
 * again (etcd #14355, #14571): what it holds is compared after its second start.
 */
const divergesAfterJoining = ({ situation: { self } }: HealContext): boolean =>
  Bun.semver.satisfies(self?.version ?? '', '3.4.20 - 3.4.21 || 3.5.0 - 3.5.5');

/**
 * Waits until the member on `unit` answers a linearizable read. An alarm keeps nobody from that.
 * @returns why it never will as it was started; undefined when it does
 * @throws when its unit fails for good, or when no data have arrived for `HEAL_VERIFY_TIMEOUT`.
 */
async function untilServes(heal: HealContext, unit: string): Promise<string | undefined> {
  const { machine, places, settings } = heal;
  let { cluster, config } = heal;
  const beganMs = machine.monotonicMs();
  let [size, movedMs, unitsMs] = [-1, beganMs, beganMs];
  const tellsArrival = arrival(heal);
  for (;;) {
    // By the URLs of now: it may have been started by others than those that could be seen to count.
    if (heal.situation.config) ({ cluster, config } = heal);
    const why = await cluster.whyNotServing(config.clientUrl);
    if (why === undefined) return undefined;
    const nowMs = machine.monotonicMs();
    // Whether the unit has failed or data arrive is asked now and then: the answer itself is what counts.
    if (nowMs - unitsMs > 1000) {
      unitsMs = nowMs;
      await heal.keepTurn();
      // A disk to which data arrive may be too busy to answer.
      await heal.look('files').catch(() => undefined);
      if (heal.situation.stagedBefore) return NEW_URLS;
      const [facts] = await machine.units([unit]);
      if (facts?.active === 'failed' || (facts?.active === 'activating' && facts.restarts >= 3)) {
        await heal.look('files', 'units', 'cluster');
        if (unit === places.copyUnit && isOutdated(heal))
          return 'the members have changed since the list was staged';
        const logged = await machine.journal(facts).catch((error: Error) => [error.message]);
        const said = heal.situation.words.at(-1) ?? logged.at(-1) ?? 'it has logged nothing';
        throw new Error(`${unit} does not stay up (${facts.result}, exit ${facts.exitStatus}): ${said}`);
      }
      if (unit === places.copyUnit) await tellsArrival();
      const newSize = await machine.sizeOf(config.dataDir);
      if (newSize !== size) [size, movedMs] = [newSize, nowMs];
      const stuck = `the member does not serve, and nothing has arrived in ${config.dataDir} for ${settings.verifyTimeoutMs} ms: ${why}; see journalctl -u ${unit} and ${unit === places.unit ? places.env : places.copyEnv}`;
      if (nowMs - movedMs > settings.verifyTimeoutMs) throw new Error(stuck);
    }
    await machine.sleep(pollMs(nowMs - beganMs));
  }
}

/**
 * Waits until the member has every revision that the others had in a look made before.
 * @throws when it stands still for `HEAL_VERIFY_TIMEOUT`
 */
async function untilCaughtUp(heal: HealContext): Promise<void> {
  const { machine, settings } = heal;
  const revisions = heal.situation.cluster.serving.map(({ reply }) => reply.revision);
  const goal = revisions.reduce((most, revision) => (revision > most ? revision : most), 0n);
  const beganMs = machine.monotonicMs();
  let [reached, movedMs] = [-1n, beganMs];
  for (;;) {
    const revision = heal.situation.self?.revision ?? reached;
    if (revision >= goal) return;
    const nowMs = machine.monotonicMs();
    if (revision > reached) [reached, movedMs] = [revision, nowMs];
    if (nowMs - movedMs > settings.verifyTimeoutMs)
      throw new Error(`the member stands still at revision ${reached}, the others are at ${goal}`);
    await heal.keepTurn();
    await machine.sleep(pollMs(nowMs - beganMs));
    await heal.look('self');
  }
}

/** Waits until the new member serves, is listed once and has caught up; compares its data where that can be had. */
export async function verify(heal: HealContext): Promise<string> {
  const before = heal.record.servedBefore;
  const unit = heal.situation.unitName;
  // The others may be electing a leader just now: without their list nothing can be said.
  for (let look = 1; ; look++) {
    const inVain = await untilServes(heal, unit);
    // The runner goes back to the step that stages, and what follows it.
    if (inVain) return inVain;
    await heal.look('files', 'self', 'cluster');
    const serves = heal.situation.self?.serves === true;
    if (serves && heal.situation.cluster.members.length > 0) break;
    const noList = 'the member serves, but the others do not say whom they list';
    const noMore = 'the member answers a linearizable read, and then no more';
    if (look >= SETTLE_LOOKS) throw new Error(serves ? noList : noMore);
    await heal.machine.sleep(ASK_AGAIN_MS);
  }
  const { situation, config } = heal;
  const memberId = heal.situation.self?.memberId ?? '';
  heal.record.newMemberId = memberId;
  const listed = situation.cluster.members.filter((member) => isOwn(member, config));
  if (listed.length !== 1 || listed[0]?.id !== memberId) {
    const ids = listed.map((member) => member.id).join(', ') || 'not at all';
    throw new Error(`the member runs as ${memberId}, but the others list this node as ${ids}`);
  }
  await untilCaughtUp(heal);
  const silent = before.filter((endpoint) => !heal.servingEndpoints.includes(endpoint));
  const late = divergesAfterJoining(heal);
  const data = late ? 'and its data are compared after its next start' : await compareIfAllowed(heal);
  const alarms = `${await disarmRemoved(heal)}${alarmsLeft(heal)}`;
  heal.memory.verified = true;
  await endTurn(heal);
  const lost = silent.length > 0 ? `; served before and not now: ${silent.join(', ')}` : '';
  return `${memberId} serves on ${unit}, is listed once, ${data}${lost}${alarms}`;
}

/**
 * Compares the data with those of the others, where `HEAL_COMPARE` allows that now: a heal does not fail for want of
 * it, and the deep check comes to it later.
 * @throws when the data differ
 */
async function compareIfAllowed(heal: HealContext): Promise<string> {
  const { world, settings, situation, machine, places, log, config } = heal;
  let { result, notAsked } = await compareAsAllowed(world, settings, situation, COMPARE_MS);
  if (result.state === 'differs' && notAsked === undefined) {
    // A member that has just received its data may not have settled: what is to end a heal is asked twice.
    await machine.sleep(1000);
    await heal.look('self', 'cluster');
    ({ result, notAsked } = await compareAsAllowed(world, settings, heal.situation, COMPARE_MS, true));
  }
  // What stood there was of the data that have been set aside.
  await bestEffort(log, places.deepCheck, deepCheckFile.write(machine, places.deepCheck, result));
  // Also one that was found before and stands: without another comparison nothing says that it is gone.
  if (differs(result)) {
    log.error({ event: 'diverged', ...result }, `${config.name}, just healed: ${result.text}.`);
    // A member that this heal has not replaced, but found on the copies, differed before: its originals go back all the same.
    if (result.state === 'differs' && heal.record.steps.some(({ id }) => id === 'add'))
      throw new Error(result.text);
  }
  if (notAsked !== undefined) return `and its data are not compared now: ${notAsked}`;
  return `and ${result.text}`;
}

/** Waits for the member on its originals. Sets `memory.confirmed`. */
export async function confirm(heal: HealContext): Promise<string> {
  const { places } = heal;
  await Promise.all([untilServes(heal, places.unit), resetFailed(heal, places.copyUnit)]);
  await heal.lookIfOlder(UNIT_AGE_MS, 'files', 'units');
  await heal.look('self', 'cluster');
  const { swapped, unitName, cluster, self } = heal.situation;
  const serves = self?.serves === true && self.memberId === cluster.own?.id;
  if (!serves || swapped || unitName !== places.unit) {
    const why = serves ? `${unitName} runs` : 'it does not answer as the member that is listed';
    throw new Error(`the member is not well on its originals: ${why}`);
  }
  const data = divergesAfterJoining(heal) ? `, ${await compareIfAllowed(heal)}` : '';
  heal.memory.confirmed = true;
  return `the member serves on ${places.unitFile} and ${places.env}${data}`;
}
