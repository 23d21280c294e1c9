import { claim } from '../../cluster/claim.ts';
import { ClusterError } from '../../cluster/cluster.ts';
import { waitUntil } from '../../machine/wait-until.ts';
import type { HealContext } from './heal-context.ts';

export const NONE_SERVES = 'none of the others serves right now';
/** Held by the one node that may have a new member join right now; gone by itself when its healer dies. */
const TURN_KEY = 'heal-node/joiner';
const TURN_SEC = 60;
/** Longer than a healer that died keeps its turn. */
const WAIT_MS = 90_000;
const ASK_AGAIN_MS = 500;
/** How old the list of members may get while another has the turn. */
const LIST_AGE_MS = 3000;

/** Listed anew, by this heal or by somebody else; a list that lags may show the ID that was removed. */
export function isAdded({ situation: { cluster }, record }: HealContext): boolean {
  const { own } = cluster;
  return own !== undefined && (own.name === '' || own.id !== record.oldMemberId);
}

/**
 * Takes the turn if nobody has it, and takes one over that this node's last healer held.
 * @returns who has the turn now
 * @throws ClusterError
 */
export async function askForTurn(heal: HealContext): Promise<string> {
  const { machine, config } = heal;
  if (heal.servingEndpoints.length === 0) throw new ClusterError(NONE_SERVES, true);
  const held = await claim(heal.cluster, heal.servingEndpoints, TURN_KEY, config.name, TURN_SEC);
  if (held.value === config.name) heal.turn = { lease: held.lease, renewedMs: machine.monotonicMs() };
  return held.value;
}

/**
 * Waits until no other node has the turn, or this one is listed: then somebody has added it meanwhile. A cluster that refuses the lock for good (full, no rights) does not
 * keep a member from coming back; a call that may have been lost is asked again.
 * @throws when another node still has its turn after `WAIT_MS`, or whether it has one could not be told
 */
export async function takeTurn(heal: HealContext): Promise<void> {
  const { machine, log } = heal;
  let waits = '';
  const mayGoOn = await waitUntil(machine, WAIT_MS, ASK_AGAIN_MS, async () => {
    try {
      const holder = await askForTurn(heal);
      if (holder === heal.config.name) {
        if (waits !== '') await heal.look('cluster');
        return true;
      }
      const announced = waits !== '';
      waits = `waits for its turn to add a member: ${holder} has it (key ${TURN_KEY})`;
      if (!announced) log.info({ event: 'waits-for-turn', holder }, `This heal ${waits}.`);
      await heal.lookIfOlder(LIST_AGE_MS, 'cluster');
      return isAdded(heal) || undefined;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.transient) {
        waits = `could not take its turn (key ${TURN_KEY}): ${error.message}`;
        await heal.look('cluster');
        return undefined;
      }
      log.warn({ event: 'no-turn', key: TURN_KEY }, `Goes on without a turn: ${error.message}`);
      return true;
    }
  });
  if (mayGoOn === undefined) throw new Error(waits);
}

/** Called while a long step waits. Losing the turn is no reason to stop. */
export async function keepTurn({ turn, machine, cluster, servingEndpoints }: HealContext): Promise<void> {
  if (turn === undefined || machine.monotonicMs() - turn.renewedMs < (TURN_SEC * 1000) / 3) return;
  turn.renewedMs = machine.monotonicMs();
  await cluster.keepAlive(servingEndpoints, turn.lease).catch(() => undefined);
}

/** The next one may join; without this it waits until the lease runs out. */
export async function endTurn(heal: HealContext): Promise<void> {
  const { turn, situation } = heal;
  if (turn === undefined || situation.config === undefined) return;
  heal.turn = undefined;
  await heal.cluster.revokeLease(heal.servingEndpoints, turn.lease).catch(() => undefined);
}
