import type { UnitFacts } from '../../src/machine/systemd/systemctl.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import type { FakeNode } from './node.ts';
import { unit as unitFacts } from './observation.ts';
import { UNIT_DIR } from './paths.ts';

/** systemd.unit(5), StartLimitIntervalSec= */
const START_INTERVAL_MS = 10_000;
const RESTART_MS = 100;
/** Of the app's unit; the copy of it that a heal makes has none. */
const TIMEOUT_START_MS = 100_000;
const TIMEOUT_STOP_MS = 90_000;

type Active = 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';

/** How a main process ended (waitid(2)): 1 exited, 2 killed by a signal. */
export interface Ended {
  readonly kind: 1 | 2;
  readonly status: number;
  readonly line?: string;
  readonly result?: string;
}

/** Go ends with its report of a panic (runtime/panic.go). */
const lastWords = (line: string): string[] =>
  line.startsWith('panic: ') ? [line, '', 'goroutine 1 [running]:'] : [line];

class Unit {
  active: Active = 'inactive';
  result = 'success';
  mainPid = 0;
  exit = { pid: 0, kind: 0, status: 0 };
  restarts = 0;
  /** Of those, how many before it was last ready. */
  restartsBefore = 0;
  /** When it was started lately. */
  starts: number[] = [];
  log: string[] = [];
  /** Which run this is: what was under way for an earlier one does not go on. */
  run = 0;
  /** What systemd has in memory; undefined until it has been asked for the unit. */
  loaded: string | undefined;
  startedSec = 0;
  startedBy = 'systemd';
  waiting: (() => void)[] = [];

  constructor(readonly name: string) {}
}

/** systemd on one node: what it has loaded, what it starts, restarts and gives up on, and when it does not answer. */
export class Systemd {
  private readonly units = new Map<string, Unit>();
  private pids = 100;
  /** PID 1 does nothing until then. */
  hangsUntilMs = 0;

  constructor(private readonly node: FakeNode) {}

  private file = (name: string): string | undefined => this.node.disk.text(`${UNIT_DIR}/${name}`);

  private unit(name: string): Unit {
    const found = this.units.get(name) ?? new Unit(name);
    this.units.set(name, found);
    // A unit that is not in memory is read when it is first asked for.
    found.loaded ??= this.file(name);
    return found;
  }

  knows(name: string): boolean {
    return this.unit(name).loaded !== undefined;
  }

  loadedText(name: string): string {
    return this.unit(name).loaded ?? '';
  }

  isUp(name: string): boolean {
    return (this.units.get(name)?.mainPid ?? 0) > 0;
  }

  mainPid(name: string): number {
    return this.units.get(name)?.mainPid ?? 0;
  }

  /** The machine has lost its power: nothing is in memory any more. */
  forgetAll(): void {
    for (const unit of this.units.values()) unit.run++;
    this.units.clear();
    this.hangsUntilMs = 0;
  }

  private reload(): void {
    for (const [name, unit] of this.units) {
      unit.loaded = this.file(name);
      this.forget(unit);
    }
  }

  /** systemd keeps nothing of a unit that has no file and neither runs nor has failed: no run, no log of it. */
  private forget({ name, loaded, active }: Unit): void {
    if (loaded === undefined && active === 'inactive') this.units.delete(name);
  }

  facts(name: string): UnitFacts {
    const unit = this.unit(name);
    const known = unit.loaded !== undefined;
    return unitFacts({
      load: known ? 'loaded' : 'not-found',
      fragment: known ? `${UNIT_DIR}/${name}` : '',
      active: unit.active,
      sub: unit.active === 'activating' && unit.mainPid === 0 ? 'auto-restart' : unit.active,
      result: unit.result,
      mainPid: unit.mainPid,
      exitKind: unit.exit.kind,
      exitStatus: unit.exit.status,
      exitPid: unit.exit.pid || unit.mainPid,
      restarts: unit.restarts,
      startedAtSec: unit.startedSec,
      invocationId: unit.run === 0 ? '' : `${name} ${unit.run}`,
      needsReload: unit.loaded !== this.file(name),
    });
  }

  log(invocation: string): readonly string[] {
    return this.units.get(invocation.split(' ')[0] ?? '')?.log ?? [];
  }

  private is(unit: Unit, active: Active): void {
    unit.active = active;
    if (active === 'activating' || active === 'deactivating') return;
    for (const waiting of unit.waiting.splice(0)) waiting();
  }

  /**
   * What `systemctl` does at once; `done` is called when it would return. A start returns when the unit is active or
   * has failed, a stop when it is down; with `--no-block` it is only asked for.
   * @throws what systemctl would say
   */
  command(words: readonly string[], by: string, done: () => void): void {
    const [verb = '', ...rest] = words;
    const names = rest.filter((word) => !word.startsWith('--'));
    const waits = !words.includes('--no-block');
    if (verb === 'daemon-reload') this.reload();
    let pending = 1;
    const one = (): void => {
      if (--pending === 0) done();
    };
    const waitFor = (unit: Unit): void => {
      if (!waits || (unit.active !== 'activating' && unit.active !== 'deactivating')) return;
      pending++;
      unit.waiting.push(one);
    };
    const refused: string[] = [];
    for (const name of names) {
      const unit = this.unit(name);
      if (verb === 'start' || verb === 'restart') {
        if (unit.loaded === undefined) throw new Error(`Failed to ${verb} ${name}: Unit ${name} not found.`);
        if (verb === 'restart') this.stop(unit);
        if (unit.active === 'inactive' || unit.active === 'failed') {
          unit.restarts = 0;
          unit.startedBy = by;
          if (!this.mayStart(unit))
            throw new Error(`Job for ${name} failed: start request repeated too quickly.`);
          this.start(unit);
        }
        waitFor(unit);
      }
      if (verb === 'stop') {
        // Only what is not in memory at all.
        if (unit.loaded === undefined && unit.active === 'inactive') refused.push(name);
        else {
          this.stop(unit);
          waitFor(unit);
        }
      }
      if (verb === 'kill' && unit.mainPid > 0) this.ended(name, { kind: 2, status: 9, result: 'signal' });
      if (verb === 'reset-failed') {
        unit.starts = [];
        unit.result = 'success';
        if (unit.active === 'failed') this.is(unit, 'inactive');
        this.forget(unit);
      }
    }
    if (refused.length > 0)
      throw new Error(`Failed to stop ${refused.join(' ')}: Unit ${refused[0]} not loaded.`);
    one();
  }

  private mayStart(unit: Unit): boolean {
    const { nowMs } = this.node.world.clock;
    unit.starts = unit.starts.filter((atMs) => atMs > nowMs - START_INTERVAL_MS);
    if (unit.name === HEAL_UNIT || unit.starts.length < this.node.world.startLimit) {
      unit.starts.push(nowMs);
      return true;
    }
    this.node.world.happened('a start limit is hit');
    if (unit.result === 'success') unit.result = 'start-limit-hit';
    this.is(unit, 'failed');
    return false;
  }

  private stop(unit: Unit): void {
    const { clock, random } = this.node.world;
    const { run, mainPid } = unit;
    if (unit.name === HEAL_UNIT) this.node.killProcs(HEAL_UNIT);
    if (mainPid === 0) {
      unit.run++;
      if (unit.active !== 'failed') this.is(unit, 'inactive');
      return;
    }
    const { etcd } = this.node;
    const hangs = etcd?.unit === unit.name && etcd.hung;
    this.is(unit, 'deactivating');
    const down = (killed: boolean) => (): void => {
      if (unit.run !== run || unit.mainPid !== mainPid) return;
      if (this.node.etcd?.unit === unit.name) this.node.etcdGone();
      unit.run++;
      unit.mainPid = 0;
      // etcd ends by the signal that it was sent (pkg/osutil/interrupt_unix.go).
      unit.exit = { pid: mainPid, kind: 2, status: killed ? 9 : 15 };
      unit.result = killed ? 'timeout' : 'success';
      this.is(unit, killed ? 'failed' : 'inactive');
      this.forget(unit);
    };
    if (unit.name === HEAL_UNIT) down(false)();
    else clock.after(hangs ? TIMEOUT_STOP_MS : random.between(10, 120), down(hangs));
  }

  /** A boot, and what is wanted by it. */
  boot(names: readonly string[]): void {
    const { clock, random } = this.node.world;
    // Its start job goes when the unit does (systemd.unit(5)).
    for (const name of names)
      clock.after(random.between(500, 3000), () => {
        const unit = this.unit(name);
        if (!this.node.on || unit.loaded === undefined || unit.active !== 'inactive' || unit.run > 0) return;
        unit.startedBy = 'systemd';
        if (this.mayStart(unit)) this.start(unit);
      });
  }

  private start(unit: Unit): void {
    const { world } = this.node;
    const run = ++unit.run;
    Object.assign(unit, {
      mainPid: 0,
      // What the last run ended with is not told any more, also where the gate refuses this one.
      exit: { pid: 0, kind: 0, status: 0 },
      result: 'success',
      log: [],
      startedSec: Math.floor(world.clock.nowMs / 1000),
    });
    if (unit.name === HEAL_UNIT) {
      unit.mainPid = ++this.pids;
      this.is(unit, 'active');
      world.healService(this.node, () => {
        if (unit.run !== run) return;
        unit.mainPid = 0;
        this.is(unit, 'inactive');
      });
      return;
    }
    this.is(unit, 'activating');
    const begins = (): void => {
      if (unit.run !== run || !this.node.on) return;
      unit.mainPid = ++this.pids;
      unit.exit = { pid: unit.mainPid, kind: 0, status: 0 };
      this.node.etcdStarts(unit.name, unit.startedBy);
    };
    // What stands before its process is run a moment after the start was asked for, and the process a moment after that.
    world.clock.after(world.random.between(5, 20), () => {
      if (unit.run !== run || !this.node.on) return false;
      this.node.asksGate(
        unit.name,
        () => world.clock.after(world.random.between(20, 60), begins),
        (why) => {
          if (unit.run === run) this.failed(unit, 'exit-code', why);
        },
      );
      return true;
    });
    if (!this.node.staysStarting(unit.name)) this.timesOut(unit, run);
  }

  private timesOut(unit: Unit, run: number): void {
    this.node.world.clock.after(TIMEOUT_START_MS, () => {
      if (unit.run !== run || unit.active !== 'activating') return false;
      this.node.world.happened('a start takes longer than systemd waits');
      this.ended(unit.name, { kind: 2, status: 15, result: 'timeout' });
      return true;
    });
  }

  /** A start that did not come to a process. */
  failed(unit: Unit | string, result: string, line = ''): void {
    const found = typeof unit === 'string' ? this.unit(unit) : unit;
    found.mainPid = 0;
    found.result = result;
    if (line !== '') found.log = [line];
    this.again(found);
  }

  /** A line in the log of its newest run. */
  says(name: string, line: string): void {
    this.unit(name).log.push(line);
  }

  /** Its main process has told that it is ready (Type=notify). */
  ready(name: string): void {
    const unit = this.unit(name);
    // Counted on until somebody starts it (systemd's core/service.c, flush_n_restarts).
    unit.restartsBefore = unit.restarts;
    this.is(unit, 'active');
  }

  /** A main process has ended by itself, or was killed. */
  ended(name: string, { kind, status, line = '', result }: Ended): void {
    const unit = this.unit(name);
    if (this.node.etcd?.unit === name) this.node.etcdGone();
    unit.exit = { pid: unit.mainPid, kind, status };
    unit.mainPid = 0;
    if (line !== '') unit.log = [...unit.log, ...lastWords(line)];
    if (name === HEAL_UNIT) {
      this.node.killProcs(HEAL_UNIT);
      unit.run++;
      this.is(unit, 'inactive');
      const { run } = unit;
      // Restart=on-abnormal, RestartSec=1
      this.node.world.clock.after(1000, () => {
        if (this.node.on && unit.run === run && unit.active === 'inactive') this.start(unit);
      });
      return;
    }
    if (unit.active === 'deactivating') {
      unit.run++;
      this.is(unit, 'inactive');
      this.forget(unit);
      return;
    }
    unit.result = result ?? (status === 0 ? 'success' : 'exit-code');
    this.again(unit);
  }

  /** Restart=always */
  private again(unit: Unit): void {
    const { clock } = this.node.world;
    const { run } = unit;
    if (unit.loaded === undefined) {
      this.is(unit, 'failed');
      return;
    }
    this.is(unit, 'activating');
    // One that never gets to the start limit goes on for ever; here it takes its time after a while.
    const inMs = unit.restarts - unit.restartsBefore < 10 ? RESTART_MS : 30_000;
    clock.after(inMs, () => {
      if (!this.node.on || unit.run !== run || unit.active !== 'activating' || unit.mainPid > 0) return;
      unit.restarts++;
      if (!this.mayStart(unit)) return;
      unit.startedBy = 'systemd';
      this.start(unit);
    });
  }
}
