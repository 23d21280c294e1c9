import type { Cluster } from '../cluster/cluster.ts';
import { ClusterError, type Member } from '../cluster/cluster.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import type { EtcdConfig } from '../node/etcd-config.ts';
import type { Machine } from '../node/machine.ts';
import type { Places } from '../node/places.ts';
import type { Observation, Part } from '../observe/observation.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import type { HealRecord } from '../report/heal-record.ts';
import type { Log } from '../report/log.ts';
import type { Settings } from '../settings/settings-table.ts';
import { keepTurn } from './turn.ts';

/** What one run of a heal carries: the seams, what was last seen, and what this run has learned. */
export class HealContext {
  situation: Situation;
  /** Guards have found the data stale in this run, before they were moved. */
  provedStale = false;
  /** What proved it was a log that is too short: started without a quorum of others, it could make them forget. */
  logShort = false;
  /** Verify has passed in this run. */
  verified = false;
  /** Its turn to have a new member join (src/act/turn.ts), while it holds one. */
  turn: { readonly lease: string; renewedMs: number } | undefined;
  /** Confirm has seen the member well on its originals in this run. */
  confirmed = false;

  constructor(
    readonly world: World,
    readonly settings: Settings,
    readonly log: Log,
    readonly record: HealRecord,
    seen: Observation,
  ) {
    this.situation = situationOf(seen, world.places);
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

  /** Client URLs of the others that serve. */
  get servingEndpoints(): string[] {
    return this.situation.cluster.serving.map(({ endpoint }) => endpoint);
  }

  /** Looks at parts of the world again. */
  async look(...parts: readonly Part[]): Promise<void> {
    if (parts.length === 0) return;
    this.situation = situationOf(await observe(this.world, this.situation.seen, parts), this.places);
  }

  /** Takes over the member list that a membership call has just returned. */
  listIsNow(members: readonly Member[]): void {
    this.situation = situationOf({ ...this.situation.seen, changedList: members }, this.places);
  }
}

/**
 * Calls the cluster until it takes the call: refusals that are known to pass are asked again, after a look at
 * whether the call has taken effect all the same.
 * @param isDone asked after each refusal, on a fresh look at the cluster
 * @throws the last refusal, when it is not known to pass or `boundMs` are over
 */
export async function untilTaken<T>(
  heal: HealContext,
  boundMs: number,
  call: () => Promise<T>,
  isDone: () => boolean,
): Promise<T | undefined> {
  const { machine, log } = heal;
  const beganMs = machine.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      await heal.look('cluster');
      if (isDone()) return undefined;
      if (!error.passes || machine.monotonicMs() - beganMs > boundMs) throw error;
      if (attempt === 1) {
        const until = `for up to ${boundMs / 1000} s`;
        log.info(
          { event: 'asked-again', refusal: error.message },
          `Refused for now, asking again ${until}: ${error.message}`,
        );
      }
      await keepTurn(heal);
      await machine.sleep(250);
    }
  }
}
