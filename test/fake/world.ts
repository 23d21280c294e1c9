/**
 * A cluster of fake nodes behind the two seams, in virtual time: what etcd, systemd, the disks and the network do, and
 * the processes of ours that run on them. Unit tests have three quiet members (three-members.ts), the simulation lets
 * AppCenter and faults loose on up to seven (test/sim/).
 */
import { runHealService } from '../../src/act/heal-service.ts';
import type { World } from '../../src/observe/world.ts';
import type { Log } from '../../src/report/log.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import type { Outcome } from '../../src/state/outcome.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { Clock, Random } from './clock.ts';
import { nodeUrl, SimCluster } from './cluster.ts';
import { SimNode } from './node.ts';
import { PLACES, settings as usual } from './observation.ts';
import { Proc } from './process.ts';

export const BIRTHMARK_KEY = 'heal-node/birthmark';
const BIRTHMARK = 'b'.repeat(32);

export interface FakeWorldOptions {
  readonly seed: number;
  readonly size: number;
  /** The cluster has its birthmark, and every node is marked as one of its members. */
  readonly marked: boolean;
  readonly settings?: Partial<Settings>;
}

export class FakeWorld {
  readonly clock = new Clock();
  readonly random: Random;
  readonly cluster: SimCluster;
  readonly nodes: SimNode[];
  readonly sids: readonly number[];
  readonly settings: Settings;
  readonly faults = { lostReplies: 0, slow: 0 };
  effects = 0;

  constructor({ seed, size, marked, settings = {} }: FakeWorldOptions) {
    this.settings = { ...usual, ...settings };
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
    if (marked) first.keys.set(BIRTHMARK_KEY, { value: BIRTHMARK, lease: '' });
    for (const node of this.nodes) {
      node.putData({ memberId: this.bornId(node.sid), lineage: 0, index: 10, damaged: false });
      for (const path of marked ? [PLACES.rootDiskMark, PLACES.dataDiskMark] : [])
        node.disk.set(path, {
          text: `has been a member\nbirthmark=${BIRTHMARK}\n`,
          rights: { mode: 0o600, uid: 0, gid: 0 },
        });
      node.disk.flush();
      node.systemctl(['start', PLACES.unit]);
    }
  }

  /** The ID that a member gets when the cluster is created: made of its URL and the cluster's token. */
  bornId = (sid: number): string => `fe6bc03fdf86b2${sid.toString(16).padStart(2, '0')}`;

  latency(ms: number): number {
    return this.faults.slow > 0 && this.random.chance(this.faults.slow)
      ? this.random.between(500, 4000)
      : this.random.between(1, ms);
  }

  /** A line of the story. */
  tell(_: string): void {}

  /** Something that must always hold does not. */
  violated(what: string, how: string): void {
    throw new Error(`${what}: ${how}`);
  }

  /** A process has called something. */
  onCall(_node: SimNode, _what: string): void {}

  /** Something has changed. */
  check(): void {
    this.effects++;
  }

  /** One of our healers is about to remove a member. */
  judgeRemoval(_node: SimNode, _id: string): void {}

  world(node: SimNode, proc: Proc): World {
    const seam = this.cluster.seam(proc, node);
    return {
      machine: node.machine(proc),
      places: PLACES,
      birthmarkOn: true,
      mode: async () => node.mode,
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

  protected log(node: SimNode, who: string): Log {
    const write = (data: { event: string }, sentence: string) => {
      if (data.event !== 'guards') this.tell(`${node.name} ${who}: ${sentence}`);
    };
    return { info: write, warn: write, error: write };
  }

  /** `heal-node.service` on a node. */
  healService(node: SimNode, ended: () => void): void {
    const proc = new Proc(node, HEAL_UNIT);
    runHealService(this.world(node, proc), this.settings, this.log(node, 'heal')).then(
      (outcome) => {
        proc.ends();
        this.healEnded(node, outcome);
        ended();
      },
      (error: Error) => this.violated('the healer never throws', error.stack ?? error.message),
    );
  }

  /** A run of `heal-node.service` has ended by itself. */
  protected healEnded(_node: SimNode, _outcome: Outcome): void {}

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
}
