import { compareData } from '../../../cluster/compare-data.ts';
import { isOwn } from '../../../diagnose/cluster-view.ts';
import type { Asked } from '../../../observe/observation.ts';
import { expectedCluster } from '../../../plan/expected-cluster.ts';
import type { HealContext } from '../heal-context.ts';
import { endTurn, keepTurn } from '../turn.ts';
import { giveDataDir, makeRoom } from './data.ts';
import { stage } from './units.ts';

const POLL_MS = 15;

/** Starts the member on the unit that is in place: the existing-state copy, or the original once it is back. */
export async function startMember(heal: HealContext): Promise<string> {
  const { machine, places, situation } = heal;
  const unit = situation.observed.swap.unitFile === 'file' ? places.unit : places.copyUnit;
  // The list may have changed since it was staged; etcd compares it with the members' own (see expectedCluster).
  const { staged } = situation.observed.swap;
  if (unit === places.copyUnit && !heal.joined && staged?.initialCluster !== expectedCluster(situation))
    await stage(heal);
  if (!heal.joined) {
    await makeRoom(heal);
    await giveDataDir(heal);
  }
  // A unit that has failed may have used up its starts (systemd.unit(5), StartLimitBurst).
  const { unit: facts } = situation;
  if (unit === places.unit || (facts && facts.result !== 'success'))
    await machine.systemctl(['reset-failed', unit]).catch(() => undefined);
  await machine.systemctl(['start', '--no-block', unit]);
  return `${unit} is started`;
}

/**
 * Waits until the member answers healthy on `unit`.
 * @throws when its unit fails for good, or when no data have arrived for `HEAL_VERIFY_TIMEOUT`.
 */
async function untilHealthy(heal: HealContext, unit: string): Promise<void> {
  const { machine, places, settings, world, config } = heal;
  let [size, movedMs, unitsMs] = [-2, machine.monotonicMs(), machine.monotonicMs()];
  for (;;) {
    const health = await world.health(config.clientUrl, config.tls, 1000);
    if (health.state === 'true') return;
    const nowMs = machine.monotonicMs();
    // Whether the unit has failed or data arrive is asked now and then: the answer itself is what counts.
    if (nowMs - unitsMs > 1000) {
      unitsMs = nowMs;
      await keepTurn(heal);
      const [facts] = await machine.units([unit]);
      if (facts?.active === 'failed' || (facts?.active === 'activating' && facts.restarts >= 3)) {
        await heal.look('files', 'units');
        const said =
          heal.situation.matched[0]?.line ??
          (heal.situation.observed.log.ok ? heal.situation.observed.log.value.at(-1) : '');
        throw new Error(`${unit} does not stay up (${facts.result}, exit ${facts.exitStatus}): ${said}`);
      }
      const newSize = await machine.sizeOf(config.dataDir);
      if (newSize !== size) [size, movedMs] = [newSize, nowMs];
      if (nowMs - movedMs > settings.verifyTimeoutMs) {
        throw new Error(
          `the member is not healthy, and nothing has arrived in ${config.dataDir} for ${settings.verifyTimeoutMs} ms: ${health.why}; see journalctl -u ${unit} and ${places.copyEnv}`,
        );
      }
    }
    await machine.sleep(POLL_MS);
  }
}

/** Waits for the new member and compares it with the others. Sets `memory.verified`. */
export async function verify(heal: HealContext): Promise<string> {
  const before = heal.record.servedBefore;
  const unit = heal.situation.unitName;
  let self: Asked['reply'] | undefined;
  // The others may be electing a leader just now: without their list nothing can be said.
  for (let attempt = 1; self?.ok !== true || heal.situation.cluster.members.length === 0; attempt++) {
    if (attempt > 1) await heal.machine.sleep(250);
    if (attempt > 20)
      throw new Error(
        self?.ok === true
          ? 'the member is healthy, but the others do not say whom they list'
          : `the member answers healthy and then not: ${self?.why ?? 'no answer'}`,
      );
    await untilHealthy(heal, unit);
    await heal.look('files', 'self', 'cluster');
    self = heal.situation.observed.self?.reply;
  }
  const { situation, config } = heal;
  const { memberId } = self.value;
  heal.record.newMemberId ||= memberId;
  const listed = situation.cluster.members.filter((member) => isOwn(member, config));
  if (listed.length !== 1 || listed[0]?.id !== memberId) {
    const ids = listed.map((member) => member.id).join(', ') || 'not at all';
    throw new Error(`the member runs as ${memberId}, but the others list this node as ${ids}`);
  }
  const silent = before.filter((endpoint) => !heal.servingEndpoints.includes(endpoint));
  const equal = await dataEqual(heal);
  heal.memory.verified = true;
  await endTurn(heal);
  const lost = silent.length > 0 ? `; served before and not now: ${silent.join(', ')}` : '';
  return `${memberId} is healthy on ${unit}, listed once, its data ${equal}${lost}`;
}

/**
 * Compares the data with those of the others that serve; asks again while they cannot be compared.
 * @throws when the data differ.
 */
async function dataEqual(heal: HealContext): Promise<string> {
  const { machine, cluster, config } = heal;
  for (let attempt = 1; ; attempt++) {
    const endpoints = [config.clientUrl, ...heal.servingEndpoints];
    const members = [heal.situation.observed.self, ...heal.situation.observed.others].flatMap((asked) =>
      asked?.reply.ok && endpoints.includes(asked.endpoint)
        ? [{ endpoint: asked.endpoint, revision: asked.reply.value.revision }]
        : [],
    );
    const found = await compareData(cluster, members);
    if (typeof found === 'string') {
      if (attempt >= 20) throw new Error(`the data could not be compared: ${found}`);
      await machine.sleep(250);
      await heal.look('files', 'self', 'cluster');
      continue;
    }
    const rows = [...found.hashes];
    if (new Set(rows.map(([, hash]) => hash)).size > 1) {
      throw new Error(
        `the data differ at revision ${found.revision}: ${rows.map(([endpoint, hash]) => `${endpoint} ${hash}`).join(', ')}`,
      );
    }
    return `equal to those of ${rows.length - 1} others at revision ${found.revision} (hash ${rows[0]?.[1]})`;
  }
}

/** Waits for the member on its originals. Sets `memory.confirmed`. */
export async function confirm(heal: HealContext): Promise<string> {
  const { places } = heal;
  await untilHealthy(heal, places.unit);
  await heal.look('files', 'units', 'self');
  const { servesAsOwn, swapped, unitName } = heal.situation;
  if (!servesAsOwn || swapped || unitName !== places.unit) {
    throw new Error(
      `the member is not well on its originals: ${servesAsOwn ? `${unitName} runs` : 'it does not answer as the member that is listed'}`,
    );
  }
  heal.memory.confirmed = true;
  return `the member is healthy on ${places.unitFile} and ${places.env}`;
}
