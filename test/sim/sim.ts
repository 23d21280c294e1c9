/**
 * The fake world with AppCenter at work on every node and a client that writes. What the real world does is for the
 * scenarios on real machines to prove; here thousands of ways in which it can go wrong are tried, and what must always
 * hold is looked at after every event.
 */
import { deepCheck } from '../../src/act/deep-check.ts';
import { healthAction } from '../../src/act/health-action.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { sidOf } from '../fake/cluster.ts';
import type { SimNode } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';

const CHECK_MS = 60_000;
const ACTION_LIMIT_MS = 60_000;
const DEEP_CHECK_MS = 10 * 60_000;

export class Sim extends FakeWorld {
  /** What was found to be broken, once. */
  violation: string | undefined;
  readonly story: string[] = [];
  platformCalls = true;
  private readonly strikes: { readonly node: SimNode; left: number; readonly act: () => void }[] = [];

  constructor(
    readonly seed: number,
    size: number,
    private readonly tells = false,
  ) {
    super({ seed, size, marked: true, settings: { maxPerDay: 20 } });
    for (const node of this.nodes)
      this.watch(node, this.random.between(0, CHECK_MS), 0, this.random.between(0, DEEP_CHECK_MS));
    this.tick();
  }

  override tell(what: string): void {
    if (this.tells)
      this.story.push(`${((this.clock.nowMs - Date.UTC(2026, 0, 1)) / 1000).toFixed(3)} ${what}`);
  }

  override violated(what: string, how: string): void {
    this.violation ??= `${what}: ${how}`;
    this.tell(`VIOLATED ${what}: ${how}`);
  }

  private tick(): void {
    this.clock.after(5000, () => {
      this.cluster.write(this.cluster.lineage(0));
      this.check();
      this.tick();
      return false;
    });
  }

  /** Does something after a node's healer has made so many calls. */
  whileHealing(node: SimNode, calls: number, act: () => void): void {
    this.strikes.push({ node, left: calls, act });
  }

  /** A process has called something: what was to strike then, strikes. */
  override onCall(node: SimNode, what: string): void {
    if (what !== HEAL_UNIT) return;
    for (const strike of this.strikes)
      if (strike.node === node && --strike.left === 0) this.clock.after(0, strike.act);
  }

  /** Nothing strikes any more. */
  calm(): void {
    this.strikes.length = 0;
  }

  /** What must hold after every effect. */
  override check(): void {
    super.check();
    const { length } = this.cluster.lineage(0);
    let best = 0;
    for (const node of this.nodes)
      for (const { data } of node.disk.entries.values())
        if (data?.lineage === 0 && !data.damaged && data.index > best) best = data.index;
    if (best < length)
      this.violated('the last good copy is never lost', `${best} of ${length} entries are left`);
  }

  /** Before one of our healers removes a member. */
  override judgeRemoval(node: SimNode, id: string): void {
    const member = this.cluster.lineages.flatMap(({ members }) => members).find((each) => each.id === id);
    if (member && sidOf(member.peerUrls[0] ?? '') !== node.sid)
      this.violated("no other member's ID is ever removed", `${node.name} removes ${id} of ${member.name}`);
    const ready =
      node.disk.kindOf(PLACES.copyUnitFile) === 'file' &&
      node.disk.kindOf(PLACES.copyEnv) === 'file' &&
      node.data === undefined &&
      !node.etcdProcess;
    if (!ready)
      this.violated(
        'a member is removed only when its replacement is ready to start',
        `${node.name} removes ${id}`,
      );
  }

  /** AppCenter: the check every minute, the deeper half of it now and then, the action after the second failure and at every further one. */
  private watch(node: SimNode, inMs: number, failures: number, deepInMs: number): void {
    this.clock.after(inMs, () => {
      const healthy = this.healthy(node);
      const failed = healthy || !node.on ? 0 : failures + 1;
      const deep = healthy && deepInMs <= 0;
      if (failed >= 2 && this.platformCalls) {
        this.tell(`AppCenter calls the action of ${node.name}`);
        this.spawn(node, 'action', ACTION_LIMIT_MS, async (world, log) => {
          const { code, message } = await healthAction(world, this.settings, log);
          this.lastAction.set(node.sid, message);
          this.tell(`${node.name} action ends with ${code}: ${message.slice(0, 300)}`);
        });
      } else if (deep) {
        this.spawn(node, 'deep check', 3000, (world, log) => deepCheck(world, this.settings, log, 2500));
      }
      this.watch(node, CHECK_MS, failed, (deep ? DEEP_CHECK_MS : deepInMs) - CHECK_MS);
    });
  }
  /** What the newest action of a node said. */
  readonly lastAction = new Map<number, string>();
}
