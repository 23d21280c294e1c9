import type { Cluster, Member } from '../../cluster/cluster.ts';
import { type Situation, situationOf } from '../../diagnose/situation.ts';
import type { EtcdConfig } from '../../machine/etcd/etcd-config.ts';
import type { Machine } from '../../machine/machine.ts';
import { ALL_PARTS, type Observation, type Part } from '../../observe/observation.ts';
import { observe } from '../../observe/observe.ts';
import type { World } from '../../observe/world.ts';
import { joined, nothingLearned, type RunMemory } from '../../plan/heal-steps.ts';
import type { Log } from '../../report/log.ts';
import type { Settings } from '../../settings/settings-table.ts';
import type { HealRecord } from '../../state/heal-record.ts';
import type { Places } from '../../state/places.ts';
import { recordedWorld } from './recorded-world.ts';
import { TURN_SEC } from './turn.ts';

/** What was looked at so lately, and not acted on since, is as good as a look right before. */
export const RIGHT_BEFORE_MS = 100;
/** The same, for what can be taken back: on a slow machine a look alone takes longer than that. */
export const LATELY_MS = 500;

/** What one run of a heal carries: the seams, what was last seen, and what this run has learned. */
export class HealContext {
  readonly world: World;
  readonly machine: Machine;
  readonly places: Places;
  situation: Situation;
  /** What this run has learned and the world does not show. */
  readonly memory: RunMemory;
  /** When parts of the world were last looked at, since this run last changed it. */
  private readonly lookedMs: Map<Part, number>;
  /** Its turn to have a new member join (src/act/heal/turn.ts), while it holds one. */
  turn: { readonly lease: string; renewedMs: number } | undefined;

  constructor(
    world: World,
    readonly settings: Settings,
    readonly log: Log,
    readonly record: HealRecord,
    observed: Observation,
  ) {
    this.world = recordedWorld(world, log, record);
    // Its data were set aside, and no other has taken its place: it may have voted, and must not come back without them.
    const last = record.steps.findLast(({ id, did }) => /add|aside/.test(id) || (did && id === 'remove'));
    const isAside = last?.id === 'set-aside' && observed.data.memberId !== record.newMemberId;
    const staleMemberId = isAside ? record.newMemberId : '';
    this.memory = { ...nothingLearned(), newMemberId: record.newMemberId, staleMemberId };
    ({ machine: this.machine, places: this.places } = this.world);
    this.situation = situationOf(observed, world.places);
    // Files are looked at again in no time: a person may have begun by hand.
    const parts = ALL_PARTS.filter((part) => part !== 'files');
    this.lookedMs = new Map(parts.map((part) => [part, observed.beganMs]));
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
    // A silent host makes a look at the cluster last for seconds, in which the app may have started etcd: what is near is
    // looked at once more.
    const near = this.machine.monotonicMs() - beganMs > RIGHT_BEFORE_MS ? parts : [];
    if (near.includes('cluster')) await this.look(...near.filter((part) => part !== 'cluster'));
  }

  /** Called while a long step waits. Losing the turn is no reason to stop. */
  async keepTurn(): Promise<void> {
    const { turn, machine } = this;
    const nowMs = machine.monotonicMs();
    if (turn === undefined || nowMs - turn.renewedMs < (TURN_SEC * 1000) / 3) return;
    const kept = this.cluster.keepAlive(this.servingEndpoints, turn.lease).then(() => nowMs);
    turn.renewedMs = await kept.catch(() => turn.renewedMs);
  }

  /** Takes over the member list that a membership call has just returned. */
  listIsNow(members: readonly Member[]): void {
    this.situation = situationOf({ ...this.situation.observed, changedList: members }, this.places);
  }
}
