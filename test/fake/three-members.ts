import type { LeasedValue, Member } from '../../src/cluster/cluster.ts';
import type { World } from '../../src/observe/world.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import type { Outcome } from '../../src/state/outcome.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import type { Lineage } from './cluster.ts';
import { WAL } from './node.ts';
import { PLACES } from './observation.ts';
import { Proc } from './process.ts';
import { FakeWorld } from './world.ts';

const HOUR_MS = 3_600_000;
const ROOT_FILE = { mode: 0o600, uid: 0, gid: 0 };

/** How member 2 was broken while its machine was off. */
const breakages = {
  none: () => undefined,
  'WAL gone': ({ node }: ThreeMembers) => node.disk.delete(WAL),
  'WAL damaged': ({ node }: ThreeMembers) => Object.assign(node.data ?? {}, { damaged: true }),
  'log short': ({ node }: ThreeMembers) => Object.assign(node.data ?? {}, { index: 2 }),
} as const;

/** Three members in virtual time, and nothing but what a test does to them: it breaks member 2, calls, and looks. */
export class ThreeMembers extends FakeWorld {
  readonly node = this.nodes[1] as (typeof this.nodes)[number];
  readonly others = this.nodes.filter((node) => node !== this.node);
  readonly removed: string[] = [];
  /** How the last run of `heal-node.service` on member 2 ended by itself. */
  outcome: Outcome | undefined;
  private readonly watches: { readonly when: () => boolean; readonly act: () => void }[] = [];

  constructor(broken: keyof typeof breakages, settings: Partial<Settings> = {}) {
    super({ seed: 1, size: 3, marked: false, settings });
    for (let writes = 0; writes < 10; writes++) {
      this.pass(1000);
      this.cluster.write(this.history);
    }
    if (broken === 'none') return;
    this.node.powerOff();
    breakages[broken](this);
    this.node.powerOn(false);
    this.pass(10_000);
  }

  get history(): Lineage {
    return this.cluster.lineage(0);
  }

  get listed(): readonly Member[] {
    return this.history.members;
  }

  get oldId(): string {
    return this.bornId(2);
  }

  key(name: string): LeasedValue | undefined {
    return this.history.keys.get(name);
  }

  putKey(name: string, value: string): void {
    this.history.keys.set(name, { value, lease: '' });
  }

  putFile(path: string, text: string): void {
    this.node.disk.set(path, { text, rights: ROOT_FILE });
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
    super.check();
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
