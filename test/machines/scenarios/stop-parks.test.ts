import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { memberList, originals, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario('stop parks a heal where the cluster is whole, and the next start ends it', {}, async (stage) => {
  const { bed, machine } = stage;
  const bad = machine(2);
  const before = { ids: await idsOf(stage), originals: await originals(bad) };
  await bad.powerOff();
  await breakDisk(bad, 'data-gone');
  // Of the disk itself: nothing is missed while the machine boots.
  const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
  await bad.powerOn(false);
  // The gate's refusal begins it.
  await until(
    'the heal has fenced',
    async () => tail().some((line) => JSON.parse(line).step === 'fence'),
    180_000,
    2,
  );
  const stopped = await bad.hook('stop');
  assert.is(stopped.code, 0, stopped.stdout || stopped.stderr);
  const list = await memberList(bed, machine(1));
  assert.is(list.length, 3, 'the cluster lists every member that it should');
  const step = (await bad.cliJson('status')).heal?.step;
  assert.ok(step, 'the heal is not finished');

  /** Nothing runs, and nothing is started behind the operator's back. */
  const isParked = async (after: string): Promise<void> => {
    for (const unit of ['etcd', 'etcd1', 'heal-node'])
      assert.match(await unitState(bad, unit), /^(inactive|failed)$/, `${unit} ${after}`);
    assert.equal(await memberList(bed, machine(1)), list, after);
    assert.is((await bad.cliJson('status')).heal?.step, step, `the heal is where it was ${after}`);
  };
  await isParked('after the stop');
  const action = await bad.hook('health-action');
  assert.is(action.code, 3);
  assert.match(action.stdout, /The app was stopped; the next start heals/);
  await isParked('after a health action');
  // The service itself takes up what is unfinished, at every boot.
  const lastRun = async () => JSON.parse(await bad.sh('cat /var/lib/heal-node/outcome.json'));
  let atMs = (await lastRun()).atMs;
  const hasRun = async (): Promise<void> => {
    const run = await until('its service has run', async () => {
      const last = await lastRun();
      return last.atMs !== atMs && /^(inactive|failed)$/.test(await unitState(bad, 'heal-node')) && last;
    });
    assert.is(run.outcome, 'parked', run.message);
    atMs = run.atMs;
  };
  await bad.sh('systemctl start heal-node');
  await hasRun();
  await isParked('after a run of heal-node.service');
  await bad.powerOff();
  await bad.powerOn();
  await hasRun();
  await isParked('after a boot');

  const started = await bad.hook('start');
  assert.is(started.code, 0, started.stdout);
  await expectHealed(stage, bad.sid, before);
});
