import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { requestHeal } from '../../../src/act/ask-for-heal.ts';
import { runHealService } from '../../../src/act/heal-service.ts';
import type { Outcome } from '../../../src/state/outcome.ts';
import { members, OWN, PLACES, settings } from '../../fake/observation.ts';
import { FakeWorld, UNIT_RIGHTS, UNIT_TEXT } from '../../fake/world.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const service = (fake: FakeWorld): Promise<Outcome | undefined> =>
  runHealService(fake.world, settings, silent).catch(() => undefined);

async function asked(): Promise<FakeWorld> {
  const fake = new FakeWorld();
  fake.runs.set('heal-node.service', { pid: 0, active: 'inactive', log: [] });
  await requestHeal(fake.world.machine, PLACES, 'health-action').catch(() => undefined);
  fake.runs.delete('heal-node.service');
  fake.effects = 0;
  return fake;
}

/** Healed, on the originals, once in the list, nobody else touched, nothing left behind, the old data kept. */
function expectHealed(fake: FakeWorld, where: string): void {
  assert.is(fake.running, PLACES.unit, `${where}: etcd runs on its own unit`);
  assert.equal(
    fake.disk.get(PLACES.unitFile),
    { text: UNIT_TEXT, rights: UNIT_RIGHTS },
    `${where}: the unit is the original`,
  );
  const own = fake.listed.filter(({ name }) => name === 'etcd2');
  assert.is(own.length, 1, `${where}: listed once`);
  assert.is(fake.listed.length, 3, `${where}: three members`);
  assert.is(own[0]?.id, fake.walOwner, `${where}: under the ID of its data`);
  assert.is.not(own[0]?.id, OWN, `${where}: a new one`);
  const others = members.filter(({ name }) => name !== 'etcd2').map(({ id }) => id);
  assert.equal(
    fake.removed.filter((id) => others.includes(id)),
    [],
    `${where}: no other was removed`,
  );
  const left = [...fake.disk.keys()].filter((path) => /etcd1|originals|request|journal\.json/.test(path));
  assert.equal(left, [], `${where}: nothing is left`);
  assert.ok(
    [...fake.disk.keys()].some((path) => path.startsWith(`${PLACES.aside}/`)),
    `${where}: the old data are kept`,
  );
}

test('a heal that nothing disturbs', async () => {
  const fake = await asked();
  const ended = await service(fake);
  assert.is(ended?.outcome, 'healed', ended?.message);
  expectHealed(fake, 'undisturbed');
  assert.equal(fake.removed, [OWN]);
});

test('a reply of remove, or of add, is lost', async () => {
  const fake = await asked();
  fake.loseReplies = true;
  assert.is((await service(fake))?.outcome, 'healed');
  expectHealed(fake, 'lost reply');
});

for (const after of [
  'the healer was killed',
  'the machine lost its power',
  'the machine was migrated',
] as const) {
  test(`cut off before and after every effect: ${after}`, async () => {
    const whole = await asked();
    await service(whole);
    const effects = whole.effects;
    assert.ok(effects > 20, `${effects} effects`);
    for (let cutAt = 1; cutAt <= effects; cutAt++) {
      for (const cutAfter of [false, true]) {
        const fake = await asked();
        Object.assign(fake, { cutAt, cutAfter });
        await service(fake);
        if (after === 'the healer was killed') fake.revive();
        else fake.reboot(after === 'the machine was migrated');
        const where = `${after} ${cutAfter ? 'after' : 'before'} effect ${cutAt} of ${effects}`;
        // At the boot, or a second after the kill, the service runs again; and AppCenter asks a minute later.
        let ended = await service(fake);
        if (ended?.outcome !== 'healed' && (fake.running === undefined || fake.walOwner === OWN)) {
          fake.disk.set(PLACES.request, {
            text: JSON.stringify({ by: 'health-action', atMs: 0 }),
            rights: { mode: 0o600, uid: 0, gid: 0 },
          });
          ended = await service(fake);
          assert.is(ended?.outcome, 'healed', `${where}: ${ended?.message}`);
        }
        expectHealed(fake, where);
      }
    }
  });
}

test('fenced, the journal lost and no word of etcd in this boot: the originals go back, and the next one heals', async () => {
  const fake = await asked();
  fake.setWal(OWN);
  fake.walDamaged = true;
  fake.runs.set(PLACES.unit, { pid: 0, active: 'failed', log: ['walpb: crc mismatch'] });
  const whole = fake.disk.get(PLACES.unitFile);
  // Cut off right after the unit was moved.
  for (let effects = 1; fake.disk.has(PLACES.unitFile) && effects < 30; effects++) {
    Object.assign(fake, { cutAt: fake.effects + effects, cutAfter: true });
    await service(fake);
    fake.revive();
  }
  fake.disk.delete(PLACES.journal);
  fake.runs.clear();
  const refused = await service(fake);
  assert.is(refused?.outcome, 'refused', refused?.message);
  assert.match(
    refused?.message ?? '',
    /nothing seen in this boot proves its data stale.*All steps were taken back/,
  );
  assert.equal(fake.disk.get(PLACES.unitFile), whole);
  assert.not(fake.disk.has(PLACES.copyUnitFile));
  assert.equal(fake.removed, []);
});

test('without the others a heal is refused, and nothing is changed', async () => {
  const fake = await asked();
  const before = JSON.stringify([...fake.disk].filter(([path]) => path !== PLACES.request));
  fake.othersServe = () => false;
  const ended = await service(fake);
  assert.is(ended?.outcome, 'nothing', ended?.message);
  fake.disk.delete(PLACES.outcome);
  fake.disk.delete(PLACES.metrics);
  assert.is(JSON.stringify([...fake.disk]), before);
  assert.equal(fake.removed, []);
});

test('the others fall silent when everything is staged: refused before remove, and all is taken back', async () => {
  const fake = await asked();
  const before = [...fake.disk].filter(([path]) => path !== PLACES.request).sort();
  fake.othersServe = () => !fake.disk.has(PLACES.copyUnitFile) || fake.disk.get(PLACES.copyEnv) === undefined;
  const ended = await service(fake);
  assert.is(ended?.outcome, 'refused', ended?.message);
  assert.match(ended?.message ?? '', /refused before remove: quorum: 0 of/);
  assert.equal(fake.removed, []);
  const after = [...fake.disk].filter(
    ([path]) => !path.startsWith(PLACES.history) && path !== PLACES.outcome && path !== PLACES.metrics,
  );
  assert.equal(after.sort(), before, 'unit, environment and data are as they were');
});

test.run();
