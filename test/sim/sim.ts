/**
 * A cluster of simulated nodes behind the two seams, with the real heal, guards, diagnosis, gate and hooks on
 * them, in virtual time. What the real world does is for the scenarios on real machines to prove; here thousands
 * of ways in which it can go wrong are tried, and what must always hold is looked at after every event.
 */

import { deepCheck } from '../../src/act/deep-check.ts';
import { runHealService } from '../../src/act/heal-service.ts';
import { healthAction } from '../../src/act/health-action.ts';
import type { World } from '../../src/observe/world.ts';
import type { Log } from '../../src/report/log.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { PLACES, settings as usual } from '../fake/observation.ts';
import { Clock, Random } from './clock.ts';
import { nodeUrl, SimCluster, sidOf } from './cluster.ts';
import { SimNode } from './node.ts';

/** A process on a node: when it is killed, nothing that it called comes back, and nothing more is done by it. */
export class Proc {
  private alive = true;

  constructor(
    private readonly node: SimNode,
    readonly what: string,
    private readonly killed: () => void = () => undefined,
  ) {
    node.procs.add(this);
  }

  call<T>(latencyMs: number, what: () => T, ended?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      this.node.sim.called(this.node, this.what);
      this.node.sim.clock.after(latencyMs, () => {
        if (!this.alive || ended?.aborted) return false;
        try {
          resolve(what());
        } catch (error) {
          reject(error as Error);
        }
        return true;
      });
    });
  }

  /** A look at the own machine: at once, as a kill between two looks is one before the next call. */
  look<T>(what: () => T): Promise<T> {
    return this.alive ? new Promise((resolve) => resolve(what())) : new Promise(() => undefined);
  }

  kill(): void {
    if (!this.alive) return;
    this.ends();
    this.killed();
  }

  /** It has ended by itself. */
  ends(): void {
    this.alive = false;
    this.node.procs.delete(this);
  }
}

const CHECK_MS = 60_000;
const ACTION_LIMIT_MS = 60_000;
const DEEP_CHECK_MS = 10 * 60_000;

export class Sim {
  readonly clock = new Clock();
  readonly random: Random;
  readonly cluster: SimCluster;
  readonly nodes: SimNode[];
  readonly sids: readonly number[];
  readonly settings: Settings = { ...usual, maxPerDay: 20 };
  /** What was found to be broken, once. */
  violation: string | undefined;
  readonly story: string[] = [];
  readonly faults = { lostReplies: 0, slow: 0 };
  platformCalls = true;
  private readonly strikes: { readonly node: SimNode; left: number; readonly act: () => void }[] = [];
  effects = 0;

  constructor(
    readonly seed: number,
    size: number,
    private readonly tells = false,
  ) {
    this.random = new Random(seed);
    this.sids = Array.from({ length: size }, (_, i) => i + 1);
    this.cluster = new SimCluster(this);
    this.nodes = this.sids.map((sid) => new SimNode(this, sid));
    const first = this.cluster.lineage(0);
    first.members = this.sids.map((sid) => ({
      id: this.bornId(sid),
      name: `etcd${sid}`,
      peerUrls: [nodeUrl(sid, 2380)],
      clientUrls: [nodeUrl(sid, 2379)],
    }));
    first.keys.set('heal-node/birthmark', { value: 'b'.repeat(32), lease: '' });
    for (const node of this.nodes) {
      node.putData({ memberId: this.bornId(node.sid), lineage: 0, index: 10, damaged: false });
      for (const path of [PLACES.rootDiskMark, PLACES.dataDiskMark])
        node.disk.set(path, {
          text: `has been a member\nbirthmark=${'b'.repeat(32)}\n`,
          rights: { mode: 0o600, uid: 0, gid: 0 },
        });
      node.disk.flush();
      node.systemctl(['start', PLACES.unit]);
      this.watch(node, this.random.between(0, CHECK_MS), 0, this.random.between(0, DEEP_CHECK_MS));
    }
    this.tick();
  }

  /** The ID that a member gets when the cluster is created: made of its URL and the cluster's token. */
  bornId = (sid: number): string => `fe6bc03fdf86b2${sid.toString(16).padStart(2, '0')}`;

  latency(ms: number): number {
    return this.faults.slow > 0 && this.random.chance(this.faults.slow)
      ? this.random.between(500, 4000)
      : this.random.between(1, ms);
  }

  tell(what: string): void {
    if (this.tells)
      this.story.push(`${((this.clock.nowMs - Date.UTC(2026, 0, 1)) / 1000).toFixed(3)} ${what}`);
  }

  violated(what: string, how: string): void {
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
  called(node: SimNode, what: string): void {
    if (what !== HEAL_UNIT) return;
    for (const strike of this.strikes)
      if (strike.node === node && --strike.left === 0) this.clock.after(0, strike.act);
  }

  /** Nothing strikes any more. */
  calm(): void {
    this.strikes.length = 0;
  }

  /** What must hold after every effect. */
  check(): void {
    this.effects++;
    const { length } = this.cluster.lineage(0);
    let best = 0;
    for (const node of this.nodes)
      for (const { data } of node.disk.entries.values())
        if (data?.lineage === 0 && !data.damaged && data.index > best) best = data.index;
    if (best < length)
      this.violated('the last good copy is never lost', `${best} of ${length} entries are left`);
  }

  /** Before one of our healers removes a member. */
  judgeRemoval(node: SimNode, id: string): void {
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

  world(node: SimNode, proc: Proc): World {
    const seam = this.cluster.seam(proc, node);
    return {
      machine: node.machine(proc),
      places: PLACES,
      birthmarkOn: true,
      mode: async () => 'auto',
      divergence: async () => undefined,
      cluster: () => seam,
      health: (_url, _tls, _limit) =>
        proc.call(this.latency(2), () =>
          this.healthy(node) ? { state: 'true' as const } : { state: 'none' as const, why: 'no answer' },
        ),
    };
  }

  healthy(node: SimNode): boolean {
    return (
      node.on &&
      node.etcd?.joined === true &&
      this.cluster.serves(this.cluster.lineage(node.etcd.data.lineage), node)
    );
  }

  private log(node: SimNode, who: string): Log {
    const write = (data: { event: string }, sentence: string) => {
      if (this.tells && data.event !== 'guards') this.tell(`${node.name} ${who}: ${sentence}`);
    };
    return { info: write, warn: write, error: write };
  }

  /** `heal-node.service` on a node. */
  healService(node: SimNode, ended: () => void): void {
    const proc = new Proc(node, HEAL_UNIT);
    runHealService(this.world(node, proc), this.settings, this.log(node, 'heal')).then(
      () => {
        proc.ends();
        ended();
      },
      (error: Error) => this.violated('the healer never throws', error.stack ?? error.message),
    );
  }

  /** Runs something of ours on a node as a process of its own, killed at the limit. */
  spawn(
    node: SimNode,
    what: string,
    limitMs: number,
    run: (world: World, log: Log) => Promise<unknown>,
  ): void {
    if (!node.on) return;
    const proc = new Proc(node, what);
    run(this.world(node, proc), this.log(node, what)).then(
      () => proc.ends(),
      (error: Error) => this.violated('a hook never throws', error.stack ?? error.message),
    );
    this.clock.after(limitMs, () => proc.kill());
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
