import { waitUntil } from '../machine/wait-until.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { changedTheCluster } from '../plan/heal-steps.ts';
import type { Log } from '../report/log.ts';
import type { Settings } from '../settings/settings-table.ts';
import { closeRecord, healRecordFile, newRecord } from '../state/heal-record.ts';
import { isStoppedByApp, park, unpark } from '../state/parked.ts';
import { healRuns } from './ask-for-heal.ts';
import { resetFailed, unitsBack, urlsAreOld } from './heal/effects/units.ts';
import { HealContext } from './heal/heal-context.ts';
import { forgetOriginal } from './heal/originals.ts';
import { canRollBack, isReplaced, rollBack } from './heal/run-heal.ts';

/** A heal reaches a point where the cluster is whole within the bounds of its calls. */
const PARK_MS = 300_000;

/** The old member is out, and the new one is not in. */
const FINDS_NOBODY = 'brought back now, it would find nobody; `heal-node resume` goes on with the heal';

type Restored = { readonly code: 0 | 1; readonly message: string };

/**
 * Brings the originals back from any state of a heal or a runbook, by hand: the unit, the environment, and the data
 * where they still fit. Says what it could not do. Leaves etcd started where it has data of its own to start on.
 * @returns the exit code, and what was done, as a sentence
 */
export async function restoreByHand(world: World, settings: Settings, log: Log): Promise<Restored> {
  const { machine, places } = world;
  await park(machine, places, 2 * PARK_MS);
  try {
    const ended = async () => !(await healRuns(machine)) || undefined;
    if (!(await waitUntil(machine, PARK_MS, 200, ended)))
      return { code: 1, message: 'A heal is under way and does not come to a point where it can be parked.' };
    const observed = await observe(world);
    const unfinished = await healRecordFile.read(machine, places.journal);
    const record = unfinished ?? newRecord(machine.now(), 'operator', 'restore');
    const heal = new HealContext(world, settings, log, record, observed);
    if (!heal.situation.swapped && unfinished === undefined)
      return { code: 0, message: 'The originals are in place; there was nothing to bring back.' };
    const { swapped, membership, hasNewUrls, cluster: listed } = heal.situation;
    const isOut = changedTheCluster(record) && listed.own?.id !== record.oldMemberId;
    // With HEAL_MODE=off nothing goes on, and the app is to have its unit back.
    if (hasNewUrls && !heal.joined && isOut && (await world.mode()) !== 'off')
      return { code: 1, message: `${urlsAreOld(places, FINDS_NOBODY)}.` };
    const isOld = membership === 'listed' && !isReplaced(heal);
    const mayUndo = (swapped && !heal.joined && isOld) || canRollBack(heal);
    const did = mayUndo
      ? await rollBack(heal).catch(async (error: Error) => `${error.message}; ${await unitsBack(heal)}`)
      : await unitsBack(heal);
    await resetFailed(heal, places.copyUnit);
    await forgetOriginal(machine, places);
    await machine.remove(places.request);
    await heal.look('files', 'units', 'self', 'cluster');
    const { owner, cluster } = heal.situation;
    const fits = owner !== undefined && owner.memberId === cluster.own?.id;
    // It may have been stopped while this has waited.
    const stoppedByApp = await isStoppedByApp(machine, places);
    if (fits && !stoppedByApp) await machine.systemctl(['start', '--no-block', places.unit]);
    const started = stoppedByApp
      ? 'etcd is not started, because the app was stopped'
      : 'etcd is started on it';
    const apart = cluster.own
      ? `etcd is not started: ${heal.config.dataDir} holds no data of member ${cluster.own.id}, which the cluster lists for this node; whatever was set aside is in ${places.aside}`
      : `etcd is not started: the cluster does not list this node${cluster.members.length > 0 ? ' any more' : ', or does not answer'}; whatever was set aside is in ${places.aside}, and with HEAL_MODE=auto the next start has it join anew, with manual \`heal-node heal\` does`;
    const message = `${did}; ${fits ? started : apart}.`;
    if (unfinished)
      await closeRecord(machine, places, heal.record, 'failed', `Ended by hand with restore: ${message}`);
    log.warn({ event: 'restored-by-hand', healId: heal.record.id }, message);
    return { code: fits ? 0 : 1, message };
  } finally {
    if (!(await isStoppedByApp(machine, places))) await unpark(machine, places);
  }
}
