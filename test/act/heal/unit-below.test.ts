import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { restoreByHand } from '../../../src/act/restore-by-hand.ts';
import type { World } from '../../../src/observe/world.ts';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
import { UNIT_TEXT } from '../../fake/paths.ts';
import type { Proc } from '../../fake/process.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const BELOW = '/lib/systemd/system/etcd.service';

/** A package's etcd.service stands below the app's: systemd takes it as soon as the app's is moved aside. */
class WithUnitBelow extends ThreeMembers {
  /** /etc/systemd/system/etcd.service is a link to /dev/null. */
  masked = false;
  /** The package is there. */
  present = true;
  /** The package's unit has been started. */
  startedBelow = false;

  private get below(): boolean {
    return this.present && !this.masked && this.node.disk.kindOf(PLACES.unitFile) === 'none';
  }

  override world(node: ThreeMembers['node'], proc: Proc): World {
    const world = super.world(node, proc);
    const { machine } = world;
    if (node !== this.node) return world;
    const ours = (path: string): boolean => path === PLACES.unitFile;
    const mask = (): void => {
      if (node.disk.kindOf(PLACES.unitFile) !== 'none') throw new Error('Failed to mask unit: File exists');
      this.masked = true;
    };
    return {
      ...world,
      machine: {
        ...machine,
        kindOf: (path) =>
          ours(path) && this.masked ? proc.look(() => 'mask' as const) : machine.kindOf(path),
        readFile: (path, maxBytes) =>
          ours(path) && this.masked
            ? Promise.reject(new Error(`${path}: is a link, which is not followed`))
            : machine.readFile(path, maxBytes),
        writeFile: async (path, text, rights) => {
          await machine.writeFile(path, text, rights);
          if (ours(path)) this.masked = false;
        },
        units: async (names) =>
          (await machine.units(names)).map((facts, at) => {
            if (names[at] !== PLACES.unit) return facts;
            // systemd 252 says so of every masked unit that has drop-ins, as ours has the gate's, however often it is reloaded.
            if (this.masked) return { ...facts, load: 'masked', fragment: '', needsReload: true };
            return this.below ? { ...facts, load: 'loaded', fragment: BELOW, needsReload: false } : facts;
          }),
        systemctl: (words, timeoutMs) => {
          const [verb = '', ...names] = words;
          if (verb === 'mask') return proc.effect(50, mask);
          if (names.includes(PLACES.unit) && (verb === 'start' || verb === 'restart')) {
            if (this.masked) return Promise.reject(new Error('Unit etcd.service is masked.'));
            this.startedBelow ||= this.below;
          }
          return machine.systemctl(words, timeoutMs);
        },
      },
    };
  }
}

const unit = (fake: ThreeMembers) => fake.node.disk.entries.get(PLACES.unitFile);
const notes = (path: string): boolean =>
  path.endsWith('/heal-node/member') || // the marks
  path.startsWith(PLACES.history) ||
  path === PLACES.outcome ||
  path === PLACES.metrics;

function expectOriginals(fake: WithUnitBelow, where: string): void {
  assert.equal(unit(fake), { text: UNIT_TEXT, rights: fake.node.unitRights }, where);
  assert.not(fake.masked, `${where}: the mask is gone`);
  assert.not(fake.startedBelow, `${where}: the package's unit was never started`);
}

for (const present of [true, false])
  test(`a unit of the same name below is ${present ? '' : 'not there, and the name is not '}masked while ours is aside`, () => {
    const fake = new WithUnitBelow('WAL gone');
    fake.present = present;
    let maskedMeanwhile: boolean | undefined;
    fake.once(
      () => fake.running === PLACES.copyUnit,
      () => {
        maskedMeanwhile = fake.masked;
      },
    );
    const ended = fake.heal('health-action');
    assert.is(ended?.outcome, 'healed', ended?.message);
    assert.is(maskedMeanwhile, present, 'a boot or the app would have started that one');
    assert.is(fake.running, PLACES.unit);
    expectOriginals(fake, 'healed');
  });

test('a heal that is taken back takes the mask back too', () => {
  const fake = new WithUnitBelow('WAL gone');
  const before = fake.files(notes);
  fake.once(
    () => fake.node.disk.kindOf(PLACES.copyEnv) === 'file',
    () => fake.othersOff(),
  );
  const ended = fake.heal('health-action');
  assert.match(ended?.message ?? '', /refused before remove: quorum: .*All steps were taken back/);
  assert.equal(fake.files(notes), before);
  expectOriginals(fake, 'taken back');
});

test('killed before and after every effect, the heal goes on to the same end', () => {
  const whole = new WithUnitBelow('WAL gone');
  let effects = 0;
  whole.node.onEffect = (_, when) => void (when === 'before' && effects++);
  whole.heal('health-action');
  assert.ok(effects > 20, `${effects} effects`);
  for (const moment of ['before', 'after'] as const)
    for (let at = 1; at <= effects; at++) {
      const fake = new WithUnitBelow('WAL gone');
      let n = 0;
      fake.node.onEffect = (what, when) => {
        if (what === HEAL_UNIT && when === moment && ++n === at) fake.node.systemctl(['kill', HEAL_UNIT]);
      };
      const where = `${moment} effect ${at} of ${effects}`;
      // While the others elect a leader it is refused, and AppCenter asks again.
      const ended = fake.heal('health-action');
      const again = ended?.outcome === 'healed' ? ended : fake.heal('health-action');
      assert.match(again?.outcome ?? '', /^(healed|nothing)$/, `${where}: ${again?.message}`);
      assert.ok(n >= at, `${where}: it struck`);
      assert.is(fake.running, PLACES.unit, where);
      expectOriginals(fake, where);
    }
});

for (const lost of [false, true])
  test(`restore by hand brings the originals back over the mask${lost ? ', from the copy where none is saved' : ''}`, () => {
    const fake = new WithUnitBelow('log short');
    fake.once(
      () => fake.node.disk.kindOf(PLACES.copyEnv) === 'file',
      () => fake.othersOff(),
    );
    const ended = fake.heal('health-action');
    assert.match(ended?.message ?? '', /What was done stays/);
    assert.ok(fake.masked);
    if (lost) fake.node.disk.delete(PLACES.originals);
    fake.run((world) => restoreByHand(world, fake.settings, silent));
    expectOriginals(fake, 'restored');
  });

test.run();
