/**
 * A cluster of fake nodes behind the two seams, in virtual time: what etcd, systemd, the disks and the network do, and
 * the processes of ours that run on them. Unit tests have three quiet members (three-members.ts), the simulation lets
 * AppCenter and faults loose on up to seven (test/sim/).
 */
import { runHealService } from '../../src/act/heal-service.ts';
import type { Member } from '../../src/cluster/cluster.ts';
import { hostOf } from '../../src/machine/etcd/etcd-config.ts';
import type { World } from '../../src/observe/world.ts';
import type { Log } from '../../src/report/log.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import type { Outcome } from '../../src/state/outcome.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { Clock, Random } from './clock.ts';
import { clusterOf } from './cluster-seam.ts';
import type { EtcdProcess } from './etcd.ts';
import { clusterId, memberId } from './ids.ts';
import { append, copyOf, type Entry, type State } from './log.ts';
import { machineOf } from './machine.ts';
import { Network, nodeUrl, sidOf } from './network.ts';
import { FakeNode } from './node.ts';
import { PLACES, settings as usual } from './observation.ts';
import { BIRTHMARK_KEY } from './paths.ts';
import { Proc } from './process.ts';
import { blank, Raft, withKey } from './raft.ts';
import { type Domain, FIRST, whyNoClient } from './tls.ts';

const BIRTHMARK = 'b'.repeat(32);

export interface FakeWorldOptions {
  readonly seed: number;
  readonly size: number;
  /** The cluster has its birthmark, and every node is marked as one of its members. */
  readonly marked: boolean;
  /** Nodes that have been healed before: their ID is not the one that is computed for them. */
  readonly healedBefore?: readonly number[];
  readonly settings?: Partial<Settings>;
  /** In TLS mode: members are called by their names, and ask each other and their clients for certificates. */
  readonly tls?: boolean;
}

export class FakeWorld {
  readonly token = 'etcd-cl-1';
  readonly clock = new Clock();
  readonly random: Random;
  readonly network = new Network(this);
  readonly raft = new Raft(this);
  readonly nodes: readonly FakeNode[];
  readonly sids: readonly number[];
  settings: Settings;
  readonly tls: boolean;
  /** In TLS mode: how the app calls its nodes by now, and what the metadata service has for it. */
  domain: Domain = FIRST;
  /** The platform's metadata service answers. */
  metadata = true;
  /** How far waits are stretched at most. */
  longestSleepMs = 6000;
  /** systemd.unit(5), StartLimitBurst= */
  startLimit = 5;
  /** How often a reply of a change, or a read, is lost, and how often a call is slow. */
  /** The etcd that all members run. */
  version = '3.4.23';
  readonly faults = { lostReplies: 0, lostReads: 0, slow: 0, credentials: false };

  constructor({ seed, size, marked, settings = {}, healedBefore = [], tls = false }: FakeWorldOptions) {
    this.tls = tls;
    this.settings = { ...usual, ...settings };
    this.random = new Random(seed);
    this.sids = Array.from({ length: size }, (_, i) => i + 1);
    this.nodes = this.sids.map((sid) => new FakeNode(this, sid));
    const { cluster, last } = this.firstLog(marked, healedBefore);
    for (const node of this.nodes) {
      const own = last.state.members.find(({ name }) => name === node.name);
      const data = copyOf(blank(own?.id ?? '', cluster), { term: 1, last, committed: last });
      node.putData(data);
      for (const path of marked ? [PLACES.rootDiskMark, PLACES.dataDiskMark] : [])
        node.disk.set(path, {
          text: `has been a member\nbirthmark=${BIRTHMARK}\ndata-disk=data\n`,
          rights: { mode: 0o600, uid: 0, gid: 0 },
        });
      node.disk.flush();
      node.systemctl(['start', PLACES.unit]);
    }
  }

  url(sid: number, port: 2379 | 2380): string {
    return this.tls ? `https://${this.nameOf(sid)}:${port}` : nodeUrl(sid, port);
  }

  /** A certificate is that of the domain in which the app has its nodes, or which one that runs has still. */
  isServed(name: string, text: string): boolean {
    const all = [this.domain, ...this.nodes.flatMap(({ etcd }) => etcd?.domain ?? [])];
    return all.some(({ certificates }) => certificates[name] === text);
  }

  nameOf(sid: number): string {
    return `etcd${sid}${this.domain.dns}`;
  }

  /** The ID that a founder gets. */
  bornId = (sid: number): string => memberId([this.url(sid, 2380)], this.token);

  private firstLog(marked: boolean, healedBefore: readonly number[]): { cluster: string; last: Entry } {
    const memberOf = (sid: number, id: string): Member => ({
      id,
      name: `etcd${sid}`,
      peerUrls: [this.url(sid, 2380)],
      clientUrls: [this.url(sid, 2379)],
    });
    const founders = this.sids.map((sid) => memberOf(sid, this.bornId(sid)));
    const cluster = clusterId(founders.map(({ id }) => id));
    let last = this.raft.founding(
      cluster,
      founders.map((member) => ({ ...member, clientUrls: [] })),
    );
    const then = (change: (state: State) => State): void => {
      last = append(last, 1, change(last.state));
    };
    then((state) => ({ ...state, members: founders }));
    for (const sid of healedBefore) {
      const id = memberId([this.url(sid, 2380)], this.token, this.clock.nowMs / 1000);
      then((state) => ({
        ...state,
        members: state.members.map((member) => (member.id === this.bornId(sid) ? memberOf(sid, id) : member)),
        removed: [...state.removed, this.bornId(sid)],
      }));
    }
    for (let writes = 0; writes < 5; writes++)
      then((state) => ({ ...state, written: state.written + 1, revision: state.revision + 1n }));
    if (marked) then((state) => withKey(state, BIRTHMARK_KEY, { value: BIRTHMARK, lease: '' }));
    return { cluster, last };
  }

  latency(ms: number): number {
    return this.faults.slow > 0 && this.random.chance(this.faults.slow)
      ? this.random.between(500, 4000)
      : this.random.between(1, ms);
  }

  /** A client writes by way of any member that serves; what was written, where it is known to be there. */
  write(): number | undefined {
    const all = this.nodes.flatMap(({ etcd }) => (etcd?.joined && !etcd.hung ? [etcd] : []));
    const serving = all.filter((each) => this.raft.serves(each));
    // A client does not know who serves: it asks whom it has, and often enough in vain.
    const asked = serving.length > 0 && this.random.chance(0.9) ? serving : all;
    if (asked.length === 0) return undefined;
    try {
      const { written } = this.raft.propose(this.random.pick(asked), (state) => ({
        ...state,
        written: state.written + 1,
        revision: state.revision + 1n,
      }));
      return written;
    } catch {
      return undefined;
    }
  }

  /** A line of the story. */
  tell(_: string): void {}

  /** Something of note has happened: the simulation counts it. */
  happened(_: string): void {}

  /** Something that must always hold. */
  holds(what: string, ok: boolean, how: () => string): void {
    if (!ok) throw new Error(`${what}: ${how()}`);
  }

  /** A process has called something. */
  onCall(_node: FakeNode, _what: string): void {}

  /** Something has changed. */
  check(): void {}

  /** One of our healers is about to remove a member. */
  judgeRemoval(_node: FakeNode, _id: string): void {}

  /** One of our healers has changed the member list. */
  memberListChanged(_node: FakeNode, _asked: EtcdProcess, _how: string): void {}

  /** An etcd founds: it begins a cluster of its own. */
  founds(_node: FakeNode): void {}

  /** Somebody has been elected, by these votes. */
  elected(_leader: EtcdProcess, _granted: readonly EtcdProcess[]): void {}

  world(node: FakeNode, proc: Proc): World {
    const machine = machineOf(node, proc);
    return {
      machine,
      places: PLACES,
      birthmarkOn: true,
      mode: async () => node.mode,
      healsDivergence: this.settings.onDivergence === 'heal',
      cluster: (tls) => clusterOf(node, proc, tls),
      metadata: (key) =>
        proc.call(this.metadata ? 5 : 1000, () => {
          const name = { caPem: 'ca', clientPem: 'client', clientKeyPem: 'client-key' }[key] ?? '';
          if (!this.metadata) throw new Error('no answer from the metadata service');
          // As `base64` makes it, in lines.
          return `${btoa(this.domain.certificates[name] ?? '').replace(/.{76}/g, '$&\n')}\n`;
        }),
      health: (url, tls, limitMs) => {
        const of = this.nodes[sidOf(url) - 1] ?? node;
        const isLate = () => of.etcd?.hung === true || !this.network.talks(node, of);
        return proc.call(isLate() ? limitMs : this.latency(2), () => {
          if (isLate()) return { state: 'none' as const, why: 'no answer', mayAnswer: true };
          if (!of.etcd) return { state: 'none' as const, why: 'it refuses the connection', mayAnswer: true };
          const isHttp = of.etcd.speaksAs === 'http';
          const answers = url.startsWith('http:') === isHttp;
          const turnsAway = !isHttp && whyNoClient(node, hostOf(url), of.etcd.domain, tls);
          const etcd = answers && !turnsAway ? of.etcd : undefined;
          if (!etcd?.joined) return { state: 'none' as const, why: 'no answer' };
          if (etcd.applied.state.alarms.length > 0) return { state: 'false' as const, why: 'ALARM' };
          return this.raft.serves(etcd)
            ? { state: 'true' as const }
            : { state: 'false' as const, why: 'RAFT NO LEADER' };
        });
      },
    };
  }

  healthy(node: FakeNode): boolean {
    const { etcd } = node;
    return node.on && etcd !== undefined && this.raft.serves(etcd) && etcd.applied.state.alarms.length === 0;
  }

  protected log(node: FakeNode, who: string): Log {
    const write = (data: { event: string }, sentence: string) => {
      if (data.event !== 'guards') this.tell(`${node.name} ${who}: ${sentence}`);
    };
    return { info: write, warn: write, error: write };
  }

  protected settingsOf(node: FakeNode): Settings {
    return node.mode === this.settings.mode ? this.settings : { ...this.settings, mode: node.mode };
  }

  /** `heal-node.service` on a node. */
  healService(node: FakeNode, ended: () => void): void {
    const proc = new Proc(node, HEAL_UNIT);
    runHealService(this.world(node, proc), this.settingsOf(node), this.log(node, 'heal')).then(
      (outcome) => {
        this.holds('the healer never throws', true, () => '');
        proc.ends();
        this.healEnded(node, outcome);
        ended();
      },
      (error: Error) => this.holds('the healer never throws', false, () => error.stack ?? error.message),
    );
  }

  /** A run of `heal-node.service` has ended by itself. */
  protected healEnded(_node: FakeNode, _outcome: Outcome): void {}

  /** Runs something of ours on a node as a process of its own, killed at the limit. */
  spawn(
    node: FakeNode,
    what: string,
    limitMs: number,
    run: (world: World, settings: Settings, log: Log) => Promise<unknown>,
  ): void {
    if (!node.on) return;
    const proc = new Proc(node, what);
    run(this.world(node, proc), this.settingsOf(node), this.log(node, what)).then(
      () => {
        this.holds('a hook never throws', true, () => '');
        proc.ends();
      },
      (error: Error) => this.holds('a hook never throws', false, () => error.stack ?? error.message),
    );
    this.clock.after(limitMs, () => {
      if (!proc.isAlive) return false;
      this.overdue(node, what);
      proc.kill();
      return true;
    });
  }

  /** A process of ours has to be killed at its limit. */
  protected overdue(_node: FakeNode, _what: string): void {}
}
