/**
 * The fake world with AppCenter at work on every node and a client that writes and reads. What the real world does is
 * for the scenarios on real machines to prove; here thousands of ways in which it can go wrong are tried, and what
 * must always hold is looked at all along.
 */
import { deepCheck } from '../../src/act/deep-check.ts';
import { healthAction } from '../../src/act/health-action.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import type { EtcdProcess } from '../fake/etcd.ts';
import { type Entry, holds, ORIGIN } from '../fake/log.ts';
import { sidOf } from '../fake/network.ts';
import type { FakeNode } from '../fake/node.ts';
import { PLACES, settings as usual } from '../fake/observation.ts';
import { FakeWorld } from '../fake/world.ts';
import { count } from './counters.ts';

const CHECK_MS = 60_000;
const ACTION_LIMIT_MS = 60_000;
const DEEP_CHECK_MS = 10 * 60_000;
const WRITE_MS = 15_000;

/** Everything that is looked at; each must have been by the end of many schedules. */
export const invariants = [
  'no acknowledged write is lost',
  'what was acknowledged is read back',
  'no second cluster is founded',
  'a node that has been a member founds nothing',
  'the last good copy is never lost',
  "no other member's ID is ever removed",
  'a member is removed only when its replacement is ready to start',
  'a member whose data are whole is never replaced',
  'those that serve stay a quorum',
  'at most one added member has not started',
  'data are never moved under a running etcd',
  'nothing starts on the old database',
  'the action ends within its limit',
  'at the end of faults every node heals',
  'what must not heal is refused with the right reason',
  "none of ours runs the app's start where it makes a new authority",
  'only certificates that fit are put in place',
  'the healer never throws',
  'a hook never throws',
] as const;

/** What must come to pass somewhere in many schedules. */
export const events = [
  'a cut inside a recursive remove',
  'a lease has run out',
  'a member list lags',
  'a read is lost',
  'a reply is lost',
  'a start limit is hit',
  'a start takes longer than systemd waits',
  'a write is torn',
  'an election',
  'an entry that no quorum has',
  'etcd ends as removed',
  'etcd founds',
  'etcd panics on a short log',
  'etcd takes what strict reconfiguration would refuse',
  'systemctl takes too long',
] as const;

export class Sim extends FakeWorld {
  /** What was found to be broken, once. */
  violation: string | undefined;
  /** etcd itself has lost what no healer could keep: the story ends there. */
  lostByEtcd = false;
  readonly story: string[] = [];
  /** The newest entry that a client was told is there, and where the history began. */
  private acknowledged: { readonly entry: Entry; readonly written: number } | undefined;
  private readonly first: Entry;
  private readonly strikes: { readonly node: FakeNode; left: number; readonly act: () => void }[] = [];
  /** What the newest action of a node said. */
  readonly lastAction = new Map<number, string>();
  /** What somebody has founded on purpose is no second cluster. */
  foundedByHand = false;
  /** How often the deeper half of the check comes. */
  deepCheckMs = 3 * DEEP_CHECK_MS;

  constructor(
    readonly seed: number,
    size: number,
    readonly healedBefore: readonly number[],
    private readonly tells = false,
    tls = false,
  ) {
    super({ seed, size, tls, marked: true, healedBefore, settings: { maxPerDay: 20 } });
    this.longestSleepMs = 20_000;
    this.first = this.nodes[0]?.data?.last ?? ORIGIN;
    for (const node of this.nodes)
      this.watch(node, this.random.between(0, CHECK_MS), 0, this.random.between(0, DEEP_CHECK_MS));
    this.client();
  }

  get ended(): boolean {
    return this.violation !== undefined || this.lostByEtcd;
  }

  override tell(what: string): void {
    if (this.tells)
      this.story.push(`${((this.clock.nowMs - Date.UTC(2026, 0, 1)) / 1000).toFixed(3)} ${what}`);
  }

  override happened(what: string): void {
    count('event', what);
    this.tell(`(${what})`);
  }

  override holds(what: (typeof invariants)[number], ok: boolean, how: () => string): void {
    count('invariant', what);
    if (ok) return;
    this.violation ??= `${what}: ${how()}`;
    this.tell(`VIOLATED ${what}: ${how()}`);
  }

  /** A client writes now and then, and reads what it has written. */
  private client(): void {
    this.clock.after(WRITE_MS, () => {
      const written = this.write();
      const serving = this.nodes.flatMap(({ etcd }) => (etcd && this.raft.serves(etcd) ? [etcd] : []));
      if (written !== undefined) {
        const leader = serving.map((each) => this.raft.leaderOf(each)).find((each) => each !== undefined);
        if (leader) this.acknowledged = { entry: leader.data.committed, written };
      }
      const asked = serving.length === 0 ? undefined : this.random.pick(serving);
      if (asked && this.acknowledged) this.readBack(asked, this.acknowledged.written);
      this.copies();
      this.client();
      return false;
    });
  }

  private readBack(asked: EtcdProcess, written: number): void {
    try {
      const state = this.raft.read(asked);
      this.holds(
        'what was acknowledged is read back',
        state.written >= written || this.foundedByHand,
        () => `${asked.node.name} answers ${state.written}, ${written} was acknowledged`,
      );
    } catch {
      // It does not serve just now.
    }
  }

  private copies(): void {
    const { acknowledged } = this;
    if (acknowledged === undefined) return;
    const has = (node: FakeNode): boolean => {
      for (const { data } of node.disk.entries.values())
        if (data && !data.harm && holds(data.last, acknowledged.entry)) return true;
      return false;
    };
    this.holds('the last good copy is never lost', this.nodes.some(has), () => 'no disk has all entries');
  }

  /** From here on only what is on some disk can be kept. */
  forgetUnkept(): void {
    const kept = this.nodes.flatMap((node) => (node.data && !node.data.harm ? [node.data.committed] : []));
    const entry = kept.sort((a, b) => b.index - a.index)[0];
    this.acknowledged = entry && { entry, written: entry.state.written };
  }

  override founds(node: FakeNode): void {
    const what = 'a node that has been a member founds nothing';
    // Without a mark on either disk nothing tells that it has been one.
    const marked = node.disk.has(PLACES.rootDiskMark) || node.disk.has(PLACES.dataDiskMark);
    const may = !marked || node.gateSilent || this.foundedByHand;
    this.holds(what, may, () => `${node.name} founds`);
  }

  override elected(leader: EtcdProcess, granted: readonly EtcdProcess[]): void {
    count('event', 'an election');
    this.tell(`(${leader.node.name} is elected, term ${leader.data.term})`);
    if (this.foundedByHand) return;
    this.holds(
      'no second cluster is founded',
      holds(leader.data.last, this.first),
      () => `${leader.node.name} leads one`,
    );
    const { acknowledged } = this;
    if (acknowledged === undefined || holds(leader.data.last, acknowledged.entry)) {
      count('invariant', 'no acknowledged write is lost');
      return;
    }
    // An etcd that systemd starts on an older copy, before anybody could know, may elect one that lacks entries: that
    // is lost with the data. Not so where it has shown it, and one of ours started it all the same.
    const older = granted.filter(({ data, node }) => data.older || node.data?.older);
    const ours = older.some(
      ({ node, startedBy }) => node.shortShown && startedBy !== 'systemd' && startedBy !== 'a person',
    );
    if (older.length > 0 && !ours) {
      this.happened('etcd has elected on an older copy');
      this.lostByEtcd = true;
      return;
    }
    this.holds(
      'no acknowledged write is lost',
      false,
      () =>
        `${leader.node.name} leads with ${leader.data.last.index} of ${acknowledged.entry.index} entries, by ${granted.map(({ node }) => node.name).join(', ')}`,
    );
  }

  override memberListChanged(node: FakeNode, asked: EtcdProcess, how: string): void {
    this.tell(`(${node.name} has ${how})`);
    const leader = this.raft.leaderOf(asked);
    this.holds('those that serve stay a quorum', leader !== undefined, () => `${node.name} ${how}`);
    const waiting = (leader ?? asked).applied.state.members.filter(({ name }) => name === '');
    this.holds(
      'at most one added member has not started',
      waiting.length <= 1,
      () => `${waiting.map(({ id }) => id).join(', ')}, after ${node.name} ${how}`,
    );
  }

  override judgeRemoval(node: FakeNode, id: string): void {
    const all = this.nodes.flatMap(({ etcd }) => etcd?.applied.state.members ?? []);
    const member = all.find((each) => each.id === id);
    this.holds(
      "no other member's ID is ever removed",
      // An operator may have given it other peer URLs.
      !member || sidOf(member.peerUrls[0] ?? '') === node.sid || member.name === node.name,
      () => `${node.name} removes ${id} of ${member?.name}`,
    );
    this.holds(
      'a member is removed only when its replacement is ready to start',
      node.disk.has(PLACES.copyUnitFile) &&
        node.disk.has(PLACES.copyEnv) &&
        node.data === undefined &&
        !node.etcdProcess,
      () => `${node.name} removes ${id}`,
    );
    const acknowledged = this.raft.acknowledged.get(id) ?? 0;
    const whole = [...node.disk.entries.values()].some(
      ({ data }) =>
        data?.memberId === id &&
        !node.disk.has(PLACES.adopted) &&
        !data.harm &&
        !data.older &&
        !data.taint &&
        // One that has received no more than how the cluster was founded is added anew: a name on the list is no proof
        // of data, it is told by way of the leader before anything is on the member's own disk.
        data.last.index > 0 &&
        !this.raft.isFounding(data.last) &&
        data.last.index >= acknowledged,
    );
    this.holds(
      'a member whose data are whole is never replaced',
      !whole,
      () => `${node.name} removes ${id}, whose data are on its disk`,
    );
  }

  /** Does something after a node's healer has made so many calls. */
  whileHealing(node: FakeNode, calls: number, act: () => void): void {
    this.strikes.push({ node, left: calls, act });
  }

  override onCall(node: FakeNode, what: string): void {
    if (what !== HEAL_UNIT || this.strikes.length === 0) return;
    for (const strike of this.strikes)
      if (strike.node === node && --strike.left === 0) this.clock.after(0, strike.act);
  }

  /** Nothing strikes any more, and people have put right what is theirs. */
  calm(): void {
    this.strikes.length = 0;
    this.isCalm = true;
    this.settings = { ...this.settings, maxPerDay: 20, keepAside: usual.keepAside };
    for (const node of this.nodes) node.mode = 'auto';
    const leader = this.nodes.find(({ etcd }) => etcd && this.raft.serves(etcd))?.etcd;
    if (leader) this.disarm(leader);
    else this.clock.after(30_000, () => this.calm());
    Object.assign(this.faults, { lostReplies: 0, lostReads: 0, slow: 0, credentials: false });
    this.network.mendAll();
  }

  private disarm(leader: EtcdProcess): void {
    try {
      this.raft.propose(leader, (state) => ({ ...state, alarms: [] }));
    } catch {
      this.clock.after(30_000, () => this.calm());
    }
  }

  /**
   * AppCenter: the check every minute, the deeper half of it now and then, the action after the second failure and at
   * every further one.
   */
  private watch(node: FakeNode, inMs: number, failures: number, deepInMs: number): void {
    this.clock.after(inMs, () => {
      const healthy = this.healthy(node);
      const failed = healthy || !node.on ? 0 : failures + 1;
      const deep = healthy && deepInMs <= 0 && node.mode !== 'off';
      // A deep check that has found the member not to be healthy fails the check.
      if (failed >= 2 || (node.on && this.deepFailed.delete(node.sid))) this.acts(node);
      else if (deep)
        this.spawn(node, 'deep check', 3000, async (world, settings, log) => {
          const { code } = await deepCheck(world, settings, log, 2500);
          if (code === 1) this.deepFailed.add(node.sid);
        });
      this.watch(
        node,
        CHECK_MS,
        failed,
        (deep ? this.deepCheckMs : Math.min(deepInMs, this.deepCheckMs)) - CHECK_MS,
      );
    });
  }
  /** Faults that end do so before this: what they would put back is put right already. */
  isCalm = false;
  private readonly deepFailed = new Set<number>();

  /** Killed, it ends nothing any more that could be judged. */
  protected override overdue(node: FakeNode, what: string): void {
    if (what === 'action') this.holds('the action ends within its limit', false, () => node.name);
  }

  private acts(node: FakeNode): void {
    // With HEAL_MODE=off the hooks do what the app's own do, and heal nothing.
    if (node.mode === 'off') return;
    this.tell(`AppCenter calls the action of ${node.name}`);
    this.spawn(node, 'action', ACTION_LIMIT_MS, async (world, settings, log) => {
      const { code, message } = await healthAction(world, settings, log);
      this.holds('the action ends within its limit', true, () => '');
      this.lastAction.set(node.sid, message);
      this.tell(`${node.name} action ends with ${code}: ${message.slice(0, 300)}`);
      // People do what they are told to: another member's data, started when the gate was killed, are for them to stop.
      if (this.isCalm && node.etcd && message.includes('Action: stop etcd here'))
        node.systemctl(['stop', PLACES.unit]);
    });
  }
}
