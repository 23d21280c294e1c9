import type { Alarm, LeasedValue, Member } from '../../src/cluster/cluster.ts';
import type { World } from '../../src/observe/world.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import type { Outcome } from '../../src/state/outcome.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import type { EtcdProcess } from './etcd.ts';
import { at, copyOf } from './log.ts';
import type { FakeNode } from './node.ts';
import { PLACES } from './observation.ts';
import { ETCD_RIGHTS, WAL } from './paths.ts';
import { Proc } from './process.ts';
import { blank, withKey } from './raft.ts';
import { losesVolume } from './tls.ts';
import { FakeWorld } from './world.ts';

const HOUR_MS = 3_600_000;
const ROOT_ONLY = { mode: 0o600, uid: 0, gid: 0 };

const changesWal = (changes: (node: FakeNode) => Parameters<typeof copyOf>[1]) => (node: FakeNode) => {
  const { data } = node;
  if (data) node.disk.set(WAL, { data: copyOf(data, changes(node)), rights: ETCD_RIGHTS });
};

/** How member 2 was broken while its machine was off. */
const breakages = {
  none: () => undefined,
  'WAL gone': ({ disk }: FakeNode) => disk.delete(WAL),
  'WAL damaged': changesWal(() => ({ harm: 'crc mismatch' })),
  /** With the certificates, in TLS mode. */
  'volume lost': losesVolume,
  'log short': changesWal(({ data }) => {
    const last = data && at(data.last, data.last.index - 6);
    return last ? { last, committed: last, older: true } : {};
  }),
} as const;

/** Three members, or more, in virtual time, and nothing but what a test does to them: it breaks member 2, calls, and looks. */
export class ThreeMembers extends FakeWorld {
  readonly node = this.nodes[1] as FakeNode;
  readonly others = this.nodes.filter((node) => node !== this.node);
  readonly removed: string[] = [];
  readonly oldId = this.node.data?.memberId ?? '';
  /** How the last run of `heal-node.service` on member 2 ended by itself. */
  outcome: Outcome | undefined;
  private readonly watches: { readonly when: () => boolean; readonly act: () => void }[] = [];

  constructor(broken: keyof typeof breakages, settings: Partial<Settings> = {}, size = 3, tls = false) {
    // A heal begins when a test asks for it.
    super({ seed: 1, size, tls, marked: false, settings: { healAtBoot: 'off', ...settings } });
    this.pass(5000);
    if (this.node.etcd?.leads) {
      // Who leads remembers how far the others had come: member 2 is to be one of those.
      this.node.etcd.hung = true;
      this.raft.touch(1);
      this.pass(5000);
      this.node.etcd.hung = false;
      this.raft.touch(1);
      this.pass(5000);
    }
    for (let writes = 0; writes < 10; writes++) {
      this.pass(1000);
      this.write();
    }
    if (broken === 'none') return;
    this.node.powerOff();
    breakages[broken](this.node);
    this.node.powerOn(false);
    this.pass(10_000);
  }

  /** One that serves. */
  get served(): EtcdProcess {
    const found = this.others.map(({ etcd }) => etcd).find((etcd) => etcd && this.raft.serves(etcd));
    if (found === undefined) throw new Error('nobody serves');
    return found;
  }

  get listed(): readonly Member[] {
    return this.raft.read(this.served).members;
  }

  key(name: string): LeasedValue | undefined {
    return this.raft.read(this.served).keys.get(name);
  }

  putKey(name: string, value: string): void {
    this.raft.propose(this.served, (state) => withKey(state, name, { value, lease: '' }));
  }

  /** Its data dir holds nothing but the beginnings of a cluster. */
  putFounding(): void {
    const { data } = this.node;
    if (data) this.node.putData(blank('dead', 'dead'));
  }

  dropKey(name: string): void {
    this.raft.propose(this.served, (state) => {
      const keys = new Map(state.keys);
      keys.delete(name);
      return { ...state, keys };
    });
  }

  /** The members' list is another one. */
  lists(change: (members: readonly Member[]) => readonly Member[]): void {
    this.raft.propose(this.served, (state) => ({ ...state, members: change(state.members) }));
    this.pass(1000);
  }

  get alarms(): readonly Alarm[] {
    return this.raft.read(this.served).alarms;
  }

  raise(alarms: readonly Alarm[]): void {
    this.raft.propose(this.served, (state) => ({ ...state, alarms }));
  }

  putFile(path: string, text: string, bytes?: number): void {
    this.node.disk.set(path, { text, rights: ROOT_ONLY, ...(bytes === undefined ? {} : { bytes }) });
  }

  /** What stands at a path on member 2. */
  file(path: string): unknown {
    return this.files().find(([each]) => each === path)?.[1];
  }

  /** Every path on member 2 with what stands there. */
  files(but: (path: string) => boolean = () => false): [string, unknown][] {
    return [...this.node.disk.entries].filter(([path]) => !but(path)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The unit on whose name etcd of member 2 runs. */
  get running(): string | undefined {
    return this.node.etcd?.unit;
  }

  /** Virtual time goes by. */
  pass(ms: number): void {
    this.clock.run(ms, () => false);
  }

  /** Something happens as soon as something holds, looked at after every change. */
  once(when: () => boolean, act: () => void): void {
    this.watches.push({ when, act });
  }

  override check(): void {
    for (const watch of this.watches.filter(({ when }) => when())) {
      this.watches.splice(this.watches.indexOf(watch), 1);
      watch.act();
    }
  }

  override judgeRemoval(_: unknown, id: string): void {
    this.removed.push(id);
  }

  protected override healEnded(_: unknown, outcome: Outcome): void {
    this.outcome = outcome;
  }

  /** Runs something in a process of its own on member 2 until it ends. @throws what it throws */
  run<T>(what: (world: World) => Promise<T>): T {
    const proc = new Proc(this.node, 'test');
    let ended: { readonly value: T } | { readonly error: Error } | undefined;
    what(this.world(this.node, proc)).then(
      (value) => {
        ended = { value };
      },
      (error: Error) => {
        ended = { error };
      },
    );
    this.clock.run(HOUR_MS, () => ended !== undefined);
    proc.ends();
    if (ended === undefined) throw new Error('it does not end within an hour');
    if ('error' in ended) throw ended.error;
    return ended.value;
  }

  /** Somebody asks for a heal: the service runs until it has nothing to do any more. */
  heal(by: string): Outcome | undefined {
    this.putFile(PLACES.request, JSON.stringify({ by, atMs: this.clock.nowMs }));
    return this.resume();
  }

  /** The service is started, as at a boot, and runs to its end, however often it is killed and started anew. */
  resume(): Outcome | undefined {
    this.outcome = undefined;
    this.node.systemctl(['start', HEAL_UNIT]);
    return this.settled();
  }

  /** Waits until the service is not at work and will not be started by systemd. */
  settled(): Outcome | undefined {
    this.clock.run(HOUR_MS, () => this.outcome !== undefined);
    this.pass(5000);
    return this.outcome;
  }

  /** The machines of the others lose their power: they are silent. */
  othersOff(): void {
    for (const node of this.others) node.powerOff();
  }

  othersOn(): void {
    for (const node of this.others) node.powerOn(false);
    this.pass(20_000);
  }
}
