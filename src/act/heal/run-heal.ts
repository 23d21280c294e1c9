import { diagnose } from '../../diagnose/diagnose.ts';
import { type Asked, askGuards, type GuardFacts } from '../../plan/guards.ts';
import { changedTheCluster, firstNotDone, type HealStep, healSteps } from '../../plan/heal-steps.ts';
import { bestEffort } from '../../report/best-effort.ts';
import { closeRecord, type HealRecord, healRecordFile, healsInLastDay } from '../../state/heal-record.ts';
import { markMember } from '../../state/member-mark.ts';
import type { Outcome } from '../../state/outcome.ts';
import { RUN_DIR } from '../../state/places.ts';
import { freeBytes, pruneAside, reclaimableBytes, swapRoom } from './effects/data.ts';
import { effects } from './effects.ts';
import { type HealContext, LATELY_MS, RIGHT_BEFORE_MS } from './heal-context.ts';
import { whyLeftToPerson } from './left-to-person.ts';
import { forgetOriginal } from './originals.ts';
import { endTurn } from './turn.ts';

/** Leader elections and restarts of others pass within seconds. */
const GUARD_WAIT_MS = 15_000;
const OFFER_AGAIN_MS = 10 * 60_000;
/** More rounds than there are steps would mean that a step is never seen done. */
const MAX_ROUNDS = 30;

/** Why a heal is to stop, as a sentence without its end; undefined while it may go on. */
export type WhyParked = () => Promise<string | undefined>;

class Refused extends Error {}

/**
 * What other nodes offer changes when a person changes it: after a heal that did not get beyond it they are asked again
 * only now and then, and not at every health action.
 */
function offerRefused(heals: readonly HealRecord[], nowMs: number): string | undefined {
  const last = heals.findLast(
    ({ steps: [first, next] }) => first?.id === 'certificates' && !first.did && !next,
  );
  return last && Math.abs(nowMs - Date.parse(last.startedAt)) < OFFER_AGAIN_MS
    ? `the heal that asked other nodes for certificates at ${last.startedAt} ended with: ${last.message}; they are asked again ${OFFER_AGAIN_MS / 60_000} minutes after it, or at once by \`heal-node heal\``
    : undefined;
}

/** What the guards ask besides the situation, before a step, or before the first. */
export async function guardFacts(heal: HealContext, step?: HealStep): Promise<GuardFacts> {
  const { machine, places, settings, situation, record } = heal;
  const asked = record.by === 'operator' || !situation.swapped;
  // One that a person has listed by other peer URLs is none of these.
  const { own, renamed } = situation.cluster;
  const isOut = (situation.membership === 'unlisted' && renamed === undefined) || own?.name === '';
  const heals = await healsInLastDay(machine, places, machine.now());
  return {
    // To bring certificates that the app has made since gives nothing up; nor is there more to give up where the new member
    // has its data, or where the old one is out of the list.
    provenStale:
      heal.memory.provenStale ||
      (situation.hasNewUrls && (step?.reversible === 'may stay' || heal.joined || isOut)) ||
      // What this heal has added, or has seen serve, and etcd would not start with: nobody starts it to see that.
      (situation.examination?.kind === 'damaged' && own?.id === record.newMemberId),
    goesOn: changedTheCluster(record),
    leftToPerson: asked ? undefined : await whyLeftToPerson(heal.world, settings, situation),
    // This one counts where it is to replace its own new member; a node that is out of the list, or half back, comes back.
    healsInLastDay: [...(own?.name && own.id === record.newMemberId ? [record] : []), ...heals],
    offerRefused: record.by === 'operator' ? undefined : offerRefused(heals, machine.now()),
    maxPerDay: settings.maxPerDay,
    freeBytes: situation.config ? await freeBytes(heal) : 0,
    reclaimableBytes: await reclaimableBytes(heal),
    swapRoom: await swapRoom(heal),
  };
}

/** Asks guards; those that may pass by themselves are asked again, on a fresh look, for some seconds. */
async function mustPass(heal: HealContext, step: HealStep, ids: Asked): Promise<void> {
  const beganMs = heal.machine.monotonicMs();
  for (;;) {
    const answers = askGuards(heal.situation, await guardFacts(heal, step), ids);
    const failed = answers.filter(({ pass }) => !pass);
    const said = answers.map(({ id, pass, why }) => ({ id, pass, why }));
    heal.log.info(
      { event: 'guards', step: step.id, healId: heal.record.id, answers: said },
      failed.length === 0
        ? `Every guard asked before ${step.id} passes (${answers.map(({ id }) => id).join(', ')}).`
        : `Before ${step.id}: ${text(failed)}.`,
    );
    if (failed.length === 0) return;
    const worthAsking =
      failed.every(({ transient }) => transient) && heal.machine.monotonicMs() - beganMs < GUARD_WAIT_MS;
    if (!worthAsking) throw new Refused(`refused before ${step.id}: ${text(failed)}`);
    await heal.machine.sleep(500);
    await heal.look('files', 'units', 'self', 'cluster');
  }
}

const text = (all: ReturnType<typeof askGuards>): string =>
  all.map(({ id, why }) => `${id}: ${why}`).join('; ');

/**
 * Writes the journal. While all can be taken back a heal does not go on without it; a member that is out of the
 * list, or back in it, is not left there for want of a note.
 */
async function note(heal: HealContext): Promise<void> {
  const { machine, places, record, log, situation, joined } = heal;
  const written = healRecordFile.write(machine, places.journal, record);
  const reversible = !joined && situation.membership === 'listed';
  await (reversible ? written : bestEffort(log, places.journal, written));
}

/** The member list as it is known now, for the record. */
const listed = ({ situation: { cluster } }: HealContext): HealRecord['membersAfter'] =>
  cluster.members.map(({ id, name, peerUrls }) => ({ id, name, peerUrls: [...peerUrls] }));

/** One step: a fresh look, the guards, the intent written down, the effect, what was seen after. */
async function takeStep(heal: HealContext, step: HealStep): Promise<void> {
  const { machine, record, log } = heal;
  await heal.lookIfOlder(step.reversible ? LATELY_MS : RIGHT_BEFORE_MS, ...(step.looksBefore ?? []));
  // Done meanwhile; or one before it is to be done first, by what is seen now.
  const isNext = () => firstNotDone(heal.situation, heal.memory) === step;
  if (!isNext()) return;
  if (step.needs) await mustPass(heal, step, step.needs);
  if (!isNext()) return;
  // All guards have shown that this node is a member. From here on the app's start may run, a disk may be lost, and the list
  // may not have it for a while: the gate has to know.
  if (step.needs === 'all') await markMember(machine, heal.places, heal.situation.observed.mark);
  Object.assign(heal.memory, step.learns?.(heal.situation));
  if (record.steps.length === 0) {
    record.servedBefore = heal.servingEndpoints;
    record.membersBefore = listed(heal);
    record.oldMemberId ||= heal.situation.cluster.own?.id ?? '';
  }
  const beganMs = machine.monotonicMs();
  const about = { healId: record.id, step: step.id };
  const startedAt = new Date(machine.now()).toISOString();
  const entry: (typeof record.steps)[number] = { id: step.id, startedAt };
  // One that is asked again for days stays one entry: the journal is not read beyond a length (src/state/json-file.ts).
  const cut = record.steps.at(-1);
  record.steps.splice(cut?.id === step.id && !cut.did ? -1 : record.steps.length, 1, entry);
  await note(heal);
  log.info({ event: 'step-begins', ...about, runbookStep: step.runbookStep }, `${step.id}: ${step.what}.`);
  heal.acts(...(step.looksAfter ?? []));
  void machine.status(`${step.id}: ${step.what} (heal ${record.id})`);
  const did = await effects[step.id].act(heal);
  entry.durationMs = Math.round(machine.monotonicMs() - beganMs);
  entry.did = did.slice(0, 2000);
  record.membersAfter = listed(heal);
  await note(heal);
  log.info({ event: 'step-done', ...about, durationMs: entry.durationMs }, `${step.id}: ${did}.`);
  await heal.lookIfOlder(RIGHT_BEFORE_MS, ...(step.looksAfter ?? []));
}

/** Takes back the reversible steps, the last first, while the cluster still lists the old member. */
export async function rollBack(heal: HealContext): Promise<string> {
  const undone: string[] = [];
  for (const step of healSteps.toReversed()) {
    const did = await effects[step.id].undo?.(heal);
    if (did === undefined) continue;
    undone.push(did);
    const event = { event: 'undone', healId: heal.record.id, step: step.id };
    heal.log.info(event, `${step.id} taken back: ${did}.`);
  }
  return undone.join('; ');
}

/** The list has the ID that this heal has added: what was set aside first is the data of another, and not of that. */
export const isReplaced = ({ situation, record }: Pick<HealContext, 'situation' | 'record'>): boolean =>
  situation.cluster.own?.id === record.newMemberId && record.steps.some(({ id }) => id === 'add');

/**
 * Whether everything done so far can be taken back: the old entry is still listed, or the data of one that is not
 * have not been touched; or, where the others are silent, this very run has fenced the node and has not come to
 * change the list.
 */
export const canRollBack = ({ situation, memory, record, joined }: HealContext): boolean => {
  const { swapped, membership, observed, certificatesToBring, config } = situation;
  // Back on an etcd.env of old URLs it would find nobody any more, or soon; what its data show there, the app's restart
  // mends, which brings no certificates.
  const isCalledAnew = config?.otherPeerUrls.length && (certificatesToBring || observed.data.kind !== 'data');
  if (!swapped || joined || situation.awaitsNames || isCalledAnew) return false;
  return {
    unknown: memory.provenStale && !changedTheCluster(record),
    listed: !isReplaced({ situation, record }),
    unstarted: false,
    unlisted: observed.data.kind === 'data',
  }[membership];
};

/**
 * Whether nothing comes of it that etcd is started again on the data it had, as the next action would. While the
 * others serve they stop what does not fit; without them only this very run knows what is wrong with the data.
 */
const mayStartAgain = ({ situation, memory }: HealContext): boolean =>
  situation.cluster.hasQuorumWithoutSelf || (memory.provenStale && !memory.logShort);

/**
 * Heals, or goes on with a heal: takes the first step that the world does not show as done, until all are.
 * Never throws. What a cut-off run leaves behind is picked up by the next one.
 * @param parked asked between steps for why to stop; the heal stops at the next point where the cluster is whole
 */
export async function runHeal(heal: HealContext, parked: WhyParked): Promise<Outcome> {
  const { machine, places, record, log } = heal;
  const beganMs = Date.parse(record.startedAt);
  try {
    for (let round = 0; ; round++) {
      const step = firstNotDone(heal.situation, heal.memory);
      if (step === undefined) break;
      if (round >= MAX_ROUNDS)
        throw new Error(`${step.id} is never seen done; what it did last: ${record.steps.at(-1)?.did}`);
      const whole = heal.joined || heal.situation.membership === 'listed';
      const why = whole ? await parked() : undefined;
      if (why !== undefined) {
        const message = `The heal is parked before ${step.id}: ${why}.`;
        log.warn({ event: 'parked', healId: record.id, step: step.id }, message);
        return { outcome: 'parked', message };
      }
      await takeStep(heal, step);
    }
    // A fence that was cut off may have begun to save an original; and what the gate has refused is gone from here.
    await forgetOriginal(machine, places);
    // What the gate has noted is of the data before these.
    for (const path of [places.foreign, places.adopted, RUN_DIR])
      await machine.remove(path).catch(() => undefined);
    // What cannot be deleted stays: it is no reason to call the heal failed.
    await pruneAside(heal).catch((error: Error) =>
      log.warn({ event: 'not-deleted' }, `Old data stay in ${places.aside}: ${error.message}`),
    );
    const { id: healId, oldMemberId, newMemberId } = record;
    const became = `${oldMemberId || 'its old ID'} became ${newMemberId || 'a new one'}`;
    // The same: the app's own repair was faster, or a person has put it back.
    const ids = oldMemberId && oldMemberId === newMemberId ? `${newMemberId} as before` : became;
    // The clock may have been set in between.
    const stepsMs = record.steps.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
    const message = `Healed in ${Math.max(stepsMs, machine.now() - beganMs)} ms: ${heal.config.name}, ${ids}, is healthy on its original unit and environment.`;
    await bestEffort(log, places.history, closeRecord(machine, places, record, 'healed', message));
    log.info({ event: 'healed', healId, oldMemberId, newMemberId }, message);
    return { outcome: 'healed', message };
  } catch (error) {
    await endTurn(heal);
    return giveUp(heal, error as Error);
  }
}

/**
 * A runbook that may be taken up, of which nothing runs; and all that keeps the heal from it is that nothing in this boot
 * proves the data stale.
 */
async function lacksOnlyProof(heal: HealContext): Promise<boolean> {
  if (!heal.situation.swapped) return false;
  await heal.look('files', 'units', 'self', 'cluster');
  const failed = askGuards(heal.situation, await guardFacts(heal)).filter(({ pass }) => !pass);
  return heal.situation.process === 'dead' && failed.map(({ id }) => id).join() === 'stale';
}

/** After a refusal or an error: back to how it was where that is possible, else left for the next run. */
async function giveUp(heal: HealContext, error: Error): Promise<Outcome> {
  const { machine, places, record, log } = heal;
  const outcome = error instanceof Refused ? 'refused' : 'failed';
  const { verdict, evidence, node } = diagnose(heal.situation);
  // A fence of ours that was cut off, its journal lost, or a runbook, and nothing in this boot to say why: the originals
  // go back, and etcd itself can show again what it has. A runbook, which saves none, is left as it is for other reasons.
  const untouched = record.steps.length === 0 && !heal.situation.observed.swap.originals;
  let left = 'Nothing was changed';
  try {
    if (!untouched || (await lacksOnlyProof(heal))) {
      await heal.look('files', 'units', 'self', 'cluster');
      const done = record.steps.filter(({ did }) => did !== undefined);
      if (!heal.situation.swapped && done.every(({ id }) => id === 'certificates')) {
        // The fence has failed before it moved anything; what it may have begun to save is of no use.
        await forgetOriginal(machine, places);
        if (done.length > 0) left = 'The certificates stay, and nothing else was changed';
        await bestEffort(log, places.history, closeRecord(machine, places, record, outcome, error.message));
      } else if (canRollBack(heal) && mayStartAgain(heal)) {
        left = `All steps were taken back (${await rollBack(heal)})`;
        await bestEffort(log, places.history, closeRecord(machine, places, record, outcome, error.message));
      } else {
        left = 'What was done stays, and the next health action or `heal-node resume` goes on from there';
      }
    }
  } catch (undoError) {
    left = `Taking the steps back failed: ${(undoError as Error).message}; the next health action or \`heal-node resume\` goes on from here`;
  }
  const message = `The heal of ${node.name} (${record.reason}) was ${outcome === 'refused' ? error.message : `not finished: ${error.message}`}. ${left}.`;
  log.error({ event: outcome, healId: record.id, verdict, evidence }, message);
  return { outcome, message };
}
