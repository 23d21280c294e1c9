import * as assert from 'uvu/assert';
import { breakDisk } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { etcdFailed, memberList, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario('in manual mode the action only reports, and an operator heals', {}, async (stage) => {
  const { bed, machine } = stage;
  const bad = machine(2);
  await bad.sh('echo HEAL_MODE=manual >> /opt/app/conf/heal-node.env');
  const before = { ids: await idsOf(stage), originals: await originals(bad) };
  await bad.powerOff();
  await breakDisk(bad, 'data-gone');
  await bad.powerOn();
  await etcdFailed(bad);

  const list = await memberList(bed, machine(1));
  const action = await bad.hook('health-action');
  assert.is(action.code, 3);
  assert.match(action.stdout, /stale\/already-bootstrapped.*HEAL_MODE is manual/);
  assert.equal(await memberList(bed, machine(1)), list);

  const command = (...words: string[]) => bad.cli(...words);
  assert.is((await command('status')).code, 4);
  const planned = await command('plan', '--json');
  assert.is(planned.code, 0);
  assert.is(JSON.parse(planned.stdout).steps.length, 8, 'all but set-aside: there are no data');
  assert.match(
    (await command('status')).stdout,
    /Failure tolerance: 0, one more failure and the cluster stops\./,
  );
  const nobody = await command('heal');
  assert.is(nobody.code, 2);
  assert.match(nobody.stderr, /no terminal to ask on; --yes heals without asking/);
  const dry = await command('heal', '--dry-run');
  assert.is(dry.code, 0);
  assert.match(dry.stdout, /^ {2}remove \(runbook step 2\): /m);
  // On a terminal it asks first.
  const asked = await bad.run('bash', '-c', 'echo n | script -qec "/usr/local/bin/heal-node heal" /dev/null');
  assert.is(asked.code, 1, asked.stdout);
  assert.match(asked.stdout, /All \d+ guards pass.*Heal this member now\? \[y\/N\].*Nothing was done/s);
  assert.equal(await memberList(bed, machine(1)), list);
  const heal = await command('heal', '--yes');
  assert.is(heal.code, 0, heal.stdout);
  assert.match(heal.stdout, /heal-node\.service: fence: .*\n/);
  assert.match(heal.stdout, /Healed in \d+ ms: etcd2, [0-9a-f]+ became [0-9a-f]+/);
  await expectHealed(stage, 2, before);

  assert.match((await command('status')).stdout, /Failure tolerance: 1\./);
  const again = await command('heal', '--yes');
  assert.is(again.code, 0);
  assert.match(again.stdout, /There is nothing to heal: the verdict is healthy/);
  assert.match((await command('history')).stdout, /healed .*asked for by operator/);
  assert.match((await command('logs', '--lines', '200')).stdout, /WARN|heal-node\.service: Healed/);
  const report = await command('report', '--json');
  assert.is(report.code, 0, report.stderr);
  const { incident } = JSON.parse(report.stdout);
  const oldId = before.ids.get(bad.name);
  assert.ok(incident.membersBefore.some((member: { id: string }) => member.id === oldId));
  assert.not.ok(incident.membersAfter.some((member: { id: string }) => member.id === oldId));
  const removed = `etcdctl member remove ${oldId}`;
  assert.ok(incident.commands.some((each: { command: string }) => each.command === removed));
  assert.match(
    (await command('logs', '--heal', incident.id)).stdout,
    /DEBUG heal-node\.service: etcdctl member add/,
  );
  const inJournal = await bad.sh('journalctl -u heal-node.service --output=cat');
  assert.match(inJournal, /"event":"healed"/);
  assert.not.match(inJournal, /"event":"command"/, 'commands are in the file alone');
  const file = await bad.run(
    'bash',
    '-c',
    'cd /root && script -qec "/usr/local/bin/heal-node report" /dev/null',
  );
  assert.match(file.stdout, /The report is in heal-node-report-\w+-\w+\.html\./);
  assert.match(await bad.sh('stat -c "%a %U" /root/heal-node-report-*.html'), /^600 root/);
});
