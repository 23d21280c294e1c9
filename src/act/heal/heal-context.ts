import type { Cluster } from '../../cluster/cluster.ts';
import { ClusterError, type Member } from '../../cluster/cluster.ts';
import { type Situation, situationOf } from '../../diagnose/situation.ts';
import type { EtcdConfig } from '../../machine/etcd/etcd-config.ts';
import type { Machine } from '../../machine/machine.ts';
import { waitUntil } from '../../machine/wait-until.ts';
import { ALL_PARTS, type Observation, type Part } from '../../observe/observation.ts';
import { observe } from '../../observe/observe.ts';
import type { World } from '../../observe/world.ts';
import { joined, nothingLearned, type RunMemory } from '../../plan/heal-steps.ts';
import type { Log } from '../../report/log.ts';
import type { Settings } from '../../settings/settings-table.ts';
import type { HealRecord } from '../../state/heal-record.ts';
import type { Places } from '../../state/places.ts';
import { recordedWorld } from './recorded-world.ts';
import { keepTurn, NONE_SERVES } from './turn.ts';

const ASK_AGAIN_MS = 250;
/**
 * How long a refusal that is known to pass is asked again. A member that is off for longer makes `member add` wait; the
 * next health action takes the heal up again.
 */
export const CALL_BOUND_MS = 90_000;
/** What was looked at so lately, and not acted on since, is as good as a look right before. */
export const RIGHT_BEFORE_MS = 100;

/** What one run of a heal carries: the seams, what was last seen, and what this run has learned. */
export class HealContext {
  situation: Situation;
  /** What this run has learned and the world does not show. */
  readonly memory: RunMemory = nothingLearned();
  /** When parts of the world were last looked at, since this run last changed it. */
  private readonly lookedMs: Map<Part, number>;
  /** Its turn to have a new member join (src/act/heal/turn.ts), while it holds one. */
  turn: { readonly lease: string; renewedMs: number } | undefined;

  readonly world: World;

  constructor(
    world: World,
    readonly settings: Settings,
    readonly log: Log,
    readonly record: HealRecord,
    observed: Observation,
  ) {
    this.world = recordedWorld(world, log, record);
    this.situation = situationOf(observed, world.places);
    // Files are looked at again in no time: a person may have begun by hand.
    const parts = ALL_PARTS.filter((part) => part !== 'files');
    this.lookedMs = new Map(parts.map((part) => [part, observed.beganMs]));
  }

  get machine(): Machine {
    return this.world.machine;
  }

  get places(): Places {
    return this.world.places;
  }

  get config(): EtcdConfig {
    const { config } = this.situation;
    if (config === undefined) throw new Error('the settings of etcd cannot be read');
    return config;
  }

  get cluster(): Cluster {
    return this.world.cluster(this.config.tls);
  }

  /** See `joined` in src/plan/heal-steps.ts. */
  get joined(): boolean {
    return joined(this.situation, this.memory);
  }

  /** Client URLs of the others that serve. */
  get servingEndpoints(): string[] {
    return this.situation.cluster.serving.map(({ endpoint }) => endpoint);
  }

  /** This run is about to change these parts of the world: what was seen of them before may not hold any more. */
  acts(...parts: readonly Part[]): void {
    for (const part of parts) this.lookedMs.delete(part);
  }

  /** Looks at those parts of the world that were not looked at in the last `maxAgeMs`, or not since this run last changed them. */
  async lookIfOlder(maxAgeMs: number, ...parts: readonly Part[]): Promise<void> {
    const nowMs = this.machine.monotonicMs();
    const isOld = (part: Part): boolean =>
      nowMs - (this.lookedMs.get(part) ?? Number.NEGATIVE_INFINITY) > maxAgeMs;
    await this.look(...parts.filter(isOld));
  }

  /** Looks at parts of the world again. */
  async look(...parts: readonly Part[]): Promise<void> {
    if (parts.length === 0) return;
    const beganMs = this.machine.monotonicMs();
    this.situation = situationOf(await observe(this.world, this.situation.observed, parts), this.places);
    for (const part of parts) this.lookedMs.set(part, beganMs);
  }

  /** Takes over the member list that a membership call has just returned. */
  listIsNow(members: readonly Member[]): void {
    this.situation = situationOf({ ...this.situation.observed, changedList: members }, this.places);
  }
}

/**
 * Calls the cluster until it takes the call: refusals that are known to be transient are asked again, after a look at
 * whether the call has taken effect all the same.
 * @param isDone asked after each refusal, on a fresh look at the cluster
 * @param waitsFor said once, at the first refusal: what is waited for, as far as it is known
 * @throws the last refusal, when it is not transient or `CALL_BOUND_MS` are over
 */
export async function untilTaken<T>(
  heal: HealContext,
  call: () => Promise<T>,
  isDone: () => boolean,
  waitsFor: () => string = () => '',
): Promise<T | undefined> {
  const { machine, log } = heal;
  let refusal: ClusterError | undefined;
  const taken = await waitUntil(machine, CALL_BOUND_MS, ASK_AGAIN_MS, async () => {
    try {
      if (heal.servingEndpoints.length === 0) throw new ClusterError(NONE_SERVES, true);
      return { value: await call() };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      await heal.look('cluster');
      if (isDone()) return { value: undefined };
      if (!error.transient) throw error;
      if (refusal === undefined) {
        const again = `asking again for up to ${CALL_BOUND_MS / 1000} s${waitsFor()}`;
        log.info(
          { event: 'asked-again', refusal: error.message },
          `Refused for now, ${again}: ${error.message}`,
        );
      }
      refusal = error;
      await keepTurn(heal);
      return undefined;
    }
  });
  if (taken === undefined) throw refusal;
  return taken.value;
}
