import { ClusterError } from '../../cluster/cluster.ts';
import { waitUntil } from '../../machine/wait-until.ts';
import type { HealContext } from './heal-context.ts';

export const NONE_SERVES = 'none of the others serves right now';
export const ASK_AGAIN_MS = 250;
/**
 * How long a refusal that is known to pass is asked again. A member that is off for longer makes `member add` wait; the
 * next health action takes the heal up again.
 */
export const CALL_BOUND_MS = 90_000;

/**
 * Calls the cluster until it takes the call: refusals that are known to be transient are asked again, after a look at
 * whether the call has taken effect all the same.
 * @param isDone asked after each refusal, on a fresh look at the cluster
 * @param waitsFor said once, at the first refusal: what is waited for, as far as it is known
 * @param event under which that is logged
 * @throws the last refusal, when it is not transient or `CALL_BOUND_MS` are over
 */
export async function untilTaken<T>(
  heal: HealContext,
  call: () => Promise<T>,
  isDone: () => boolean,
  waitsFor: () => string = () => '',
  event = 'asked-again',
): Promise<T | undefined> {
  const { machine, log } = heal;
  let refusal: ClusterError | undefined;
  const taken = await waitUntil(machine, CALL_BOUND_MS, ASK_AGAIN_MS, async () => {
    try {
      if (heal.servingEndpoints.length === 0) throw new ClusterError(NONE_SERVES, true);
      return { value: await call() };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      // The app may have given its nodes other URLs meanwhile; its own disks may be too busy to say.
      await heal.look('files', 'cluster').catch(() => heal.look('cluster'));
      if (isDone()) return { value: undefined };
      if (!error.transient) throw error;
      const { message } = error;
      const again = `asking again for up to ${CALL_BOUND_MS / 1000} s${waitsFor()}`;
      if (refusal === undefined)
        log.info({ event, refusal: message }, `Refused for now, ${again}: ${message}`);
      refusal = error;
      await heal.keepTurn();
      return undefined;
    }
  });
  if (taken === undefined) throw refusal;
  return taken.value;
}
