import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAL_UNIT } from '../../../src/state/places.ts';
import { PLACES } from '../../fake/observation.ts';
import { UNIT_TEXT } from '../../fake/paths.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

/** Healed, on the originals, once in the list, nobody else touched, nothing left behind, the old data kept. */
function expectHealed(fake: ThreeMembers, where: string): void {
  assert.is(fake.running, PLACES.unit, `${where}: etcd runs on its own unit`);
  const unit = fake.node.disk.entries.get(PLACES.unitFile);
  assert.is(unit?.text, UNIT_TEXT, `${where}: the unit is the original`);
  assert.equal(unit?.rights, fake.node.unitRights, `${where}: with its owner and mode`);
  const own = fake.listed.filter(({ name }) => name === 'etcd2');
  assert.is(own.length, 1, `${where}: listed once`);
  assert.is(fake.listed.length, 3, `${where}: three members`);
  assert.is(own[0]?.id, fake.node.data?.memberId, `${where}: under the ID of its data`);
  assert.is.not(own[0]?.id, fake.oldId, `${where}: a new one`);
  const others = fake.others.map(({ data }) => data?.memberId);
  assert.equal(
    fake.removed.filter((id) => others.includes(id)),
    [],
    `${where}: no other was removed`,
  );
  const paths = fake.files().map(([path]) => path);
  const left = paths.filter((path) => /etcd1|originals|request|journal\.json/.test(path));
  assert.equal(left, [], `${where}: nothing is left`);
  assert.ok(
    paths.some((path) => path.startsWith(`${PLACES.aside}/`)),
    `${where}: the old data are kept`,
  );
}

/** Strikes right before or after the n-th change that the healer makes; `count` says how many there were. */
function atEffect(fake: ThreeMembers, nth: number, when: 'before' | 'after', strike: () => void) {
  let count = 0;
  fake.node.onEffect = (what, at) => {
    if (what !== HEAL_UNIT) return;
    if (at === 'before') count++;
    if (count === nth && at === when) {
      fake.node.onEffect = () => undefined;
      strike();
    }
  };
  return () => count;
}

test('a heal that nothing disturbs', () => {
  const fake = new ThreeMembers('WAL gone');
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'undisturbed');
  assert.equal(fake.removed, [fake.oldId]);
  assert.ok(
    fake.node.gateSilent,
    'the gate, which costs a tenth of a heal, is not asked about what was just healed',
  );
});

test('the reply of any call that changes the cluster is lost', () => {
  const fake = new ThreeMembers('WAL gone');
  fake.faults.lostReplies = 0.5;
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'lost replies');
});

const cuts = {
  'the healer was killed': ({ node }) => node.systemctl(['kill', HEAL_UNIT]),
  'the machine lost its power': ({ node }) => {
    node.powerOff();
    node.powerOn(false);
  },
  'the machine was migrated': ({ node }) => {
    node.powerOff();
    node.powerOn(true);
  },
} as const satisfies Record<string, (fake: ThreeMembers) => void>;

for (const [after, cut] of Object.entries(cuts))
  test(`cut off before and after every effect: ${after}`, () => {
    const whole = new ThreeMembers('WAL gone');
    const effects = atEffect(whole, 0, 'before', () => undefined);
    whole.heal('health-action');
    assert.ok(effects() > 20, `${effects()} effects`);
    for (let nth = 1; nth <= effects(); nth++) {
      for (const when of ['before', 'after'] as const) {
        const fake = new ThreeMembers('WAL gone');
        let struck = false;
        atEffect(fake, nth, when, () => {
          struck = true;
          cut(fake);
        });
        const where = `${after} ${when} effect ${nth} of ${effects()}`;
        // At the boot, or a second after the kill, the service runs again; and AppCenter asks a minute later.
        const ended = fake.heal('health-action');
        assert.ok(struck, `${where}: it struck`);
        if (ended?.outcome !== 'healed') {
          const again = fake.heal('health-action');
          assert.ok(
            again?.outcome === 'healed' || again?.outcome === 'nothing',
            `${where}: ${again?.message}`,
          );
        }
        expectHealed(fake, where);
      }
    }
  });

test('fenced, the journal lost and no word of etcd in this boot: the originals go back, and the next one heals', () => {
  const fake = new ThreeMembers('WAL damaged');
  const whole = fake.file(PLACES.unitFile);
  // Cut off right after the unit was moved.
  fake.once(
    () => !fake.node.disk.entries.has(PLACES.unitFile),
    () => {
      fake.node.disk.delete(PLACES.journal);
      fake.node.powerOff();
      fake.node.powerOn(false);
    },
  );
  const refused = fake.heal('health-action');
  assert.is(refused?.outcome, 'refused', refused?.message);
  assert.match(
    refused?.message ?? '',
    /nothing seen in this boot proves its data stale.*All steps were taken back/,
  );
  assert.equal(fake.file(PLACES.unitFile), whole);
  assert.not(fake.node.disk.entries.has(PLACES.copyUnitFile));
  assert.equal(fake.removed, []);
  fake.node.systemctl(['reset-failed', PLACES.unit]);
  fake.node.systemctl(['start', PLACES.unit]);
  fake.pass(5000);
  assert.is(fake.heal('health-action')?.outcome, 'healed');
});

const ours = (path: string): boolean =>
  path.startsWith(PLACES.history) ||
  path.endsWith('/heal-node/member') || // the marks
  ([PLACES.outcome, PLACES.metrics, PLACES.request] as string[]).includes(path);

test('without the others a heal is refused, and nothing is changed', () => {
  const fake = new ThreeMembers('WAL gone');
  const before = JSON.stringify(fake.files(ours));
  fake.othersOff();
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'nothing', ended?.message);
  assert.is(JSON.stringify(fake.files(ours)), before);
  assert.equal(fake.removed, []);
});

test('the others fall silent when everything is staged: refused before remove, and all is taken back', () => {
  const fake = new ThreeMembers('WAL gone');
  const before = fake.files(ours);
  fake.once(
    () => fake.node.disk.entries.has(PLACES.copyEnv),
    () => fake.othersOff(),
  );
  const ended = fake.heal('health-action');
  assert.is(ended?.outcome, 'refused', ended?.message);
  assert.match(ended?.message ?? '', /refused before remove: quorum: 0 of/);
  assert.equal(fake.removed, []);
  assert.equal(fake.files(ours), before, 'unit, environment and data are as they were');
});

test.run();
