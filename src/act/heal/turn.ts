import { claim } from '../../cluster/claim.ts';
import { ClusterError } from '../../cluster/cluster.ts';
import type { HealContext } from './heal-context.ts';
import { NONE_SERVES, untilTaken } from './until-taken.ts';

/** Held by the one node that may have a new member join right now; gone by itself when its healer dies. */
const TURN_KEY = 'heal-node/joiner';
export const TURN_SEC = 60;

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
  // Its time began at the latest when it was granted, which may be long before the answer.
  const renewedMs = machine.monotonicMs();
  const held = await claim(heal.cluster, heal.servingEndpoints, TURN_KEY, config.name, TURN_SEC);
  if (held.value === config.name) heal.turn = { lease: held.lease, renewedMs };
  return held.value;
}

/**
 * Waits until no other node has the turn, or this one is listed: then somebody has added it meanwhile. A cluster that
 * refuses the lock for good (full, no rights) does not keep a member from coming back; a call that may have been lost is
 * asked again.
 * @throws when another node still has its turn after `CALL_BOUND_MS`, which is longer than a healer that died keeps it,
 * or whether it has one could not be told
 */
export async function takeTurn(heal: HealContext): Promise<void> {
  const take = async (): Promise<void> => {
    const holder = await askForTurn(heal);
    if (holder !== heal.config.name) throw new ClusterError(`${holder} has it`, true);
  };
  const waits = 'waits for its turn to add a member';
  const waitsFor = () => `; this heal ${waits} (key ${TURN_KEY})`;
  try {
    await untilTaken(heal, take, () => isAdded(heal), waitsFor, 'waits-for-turn');
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const { message, transient } = error;
    if (transient) throw new Error(`${waits}: ${message} (key ${TURN_KEY})`);
    heal.log.warn({ event: 'no-turn', key: TURN_KEY }, `Goes on without a turn: ${message}`);
  }
}

/** The next one may join; without this it waits until the lease runs out. */
export async function endTurn(heal: HealContext): Promise<void> {
  const { turn, situation } = heal;
  if (turn === undefined || situation.config === undefined) return;
  heal.turn = undefined;
  await heal.cluster.revokeLease(heal.servingEndpoints, turn.lease).catch(() => undefined);
}
