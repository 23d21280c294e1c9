import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedWorld } from '../../../src/act/heal/recorded-world.ts';
import typed from '../../../src/act/heal/typed.json';
import { noLog } from '../../../src/report/log.ts';
import { newRecord } from '../../../src/state/heal-record.ts';
import { nodeUrl } from '../../fake/network.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const RIGHTS = { mode: 0o600, uid: 0, gid: 0 };

test('what is changed is written down with its result, and never what stands in a file', () => {
  const fake = new ThreeMembers('none');
  const said: string[] = [];
  const debug = (data: object, msg: string) => said.push(JSON.stringify(data) + msg);
  const record = newRecord(fake.clock.nowMs, 'operator', 'x');
  record.servedBefore = [nodeUrl(1, 2379)];
  fake.run(async (world) => {
    const { machine, cluster } = recordedWorld(world, { ...noLog, debug }, record);
    await machine.writeFile('/etc/secret', 'hunter2', RIGHTS);
    await machine.writeFile(PLACES.journal, '{}', RIGHTS);
    await machine.move('/etc/nothing', '/etc/x').catch(() => undefined);
    assert.is((await machine.readFile('/etc/secret'))?.text, 'hunter2');
    await cluster(undefined).ask(nodeUrl(1, 2379));
    await cluster(undefined).ask(nodeUrl(3, 2379));
  });
  assert.is(said.length, 2, said.join('\n'));
  assert.match(said[0] ?? '', /"event":"command".*"command":"write \/etc\/secret".*"result":"done"/);
  assert.match(said[1] ?? '', /"command":"mv \/etc\/nothing \/etc\/x"/);
  assert.is.not(/"result":"done"/.test(said[1] ?? ''), true);
  assert.is.not(said.join().includes('hunter2'), true);
  assert.is(record.longestRead?.endpoint, nodeUrl(1, 2379), 'only of those that served before');
});

test('every name in the table is a method of one of the seams', () => {
  const fake = new ThreeMembers('none');
  fake.run(async ({ machine, cluster }) => {
    const methods = { ...machine, ...cluster(undefined) };
    assert.equal(
      Object.keys(typed).filter((name) => !(name in methods)),
      [],
    );
  });
});

test.run();
