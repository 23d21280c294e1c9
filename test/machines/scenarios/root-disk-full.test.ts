import * as assert from 'uvu/assert';
import type { Hook, TestMachine } from '../bed/machine.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { etcdFailed, originals, traces, unitState } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

/** Root's disk as far as heal-node is concerned: no byte is left where it keeps its own files and its log. */
const fill = (machine: TestMachine): Promise<string> =>
  machine.sh(
    ['/var/lib/heal-node', '/var/log/heal-node']
      .map(
        (path) => `mount -t tmpfs -o size=256k tmpfs ${path}; dd if=/dev/zero of=${path}/full bs=4k || true`,
      )
      .join('; '),
  );
const empty = (machine: TestMachine): Promise<string> =>
  machine.sh('umount /var/lib/heal-node /var/log/heal-node');

scenario(
  'a full root disk fails no check and no stop, and begins no heal until it has room',
  {},
  async (stage) => {
    const { machine } = stage;
    const [bad, well] = [machine(2), machine(1)];
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const hook = (on: TestMachine, name: Hook) => on.hook(name);
    await fill(well);
    await fill(bad);

    const check = await hook(well, 'health-check');
    assert.is(
      check.code,
      0,
      `the deep check, due as its file is gone, is no reason to fail: ${check.stdout}`,
    );
    assert.is((await hook(well, 'health-action')).code, 0);
    assert.is((await hook(well, 'stop')).code, 0);
    assert.is(await unitState(well), 'inactive');
    assert.is((await hook(well, 'start')).code, 0);
    assert.is(await unitState(well), 'active');

    await bad.sh(
      'systemctl stop etcd; rm -r /var/lib/etcd/default.etcd/member/wal; systemctl start etcd || true',
    );
    await etcdFailed(bad);
    const unasked = await hook(bad, 'health-action');
    assert.is(unasked.code, 1);
    assert.match(
      unasked.stdout,
      /is stale .* could not be asked for: \/var\/lib\/heal-node\/request\.json cannot be written: ENOSPC.*asks again/,
    );
    await bad.sh('truncate -s 128k /var/lib/heal-node/full');
    const refused = await hook(bad, 'health-action');
    assert.is(refused.code, 3, refused.stdout);
    assert.match(refused.stdout, /swap-room: \d+ bytes .*1048576 and 64 are needed; make room/);
    assert.equal(await idsOf(stage), before.ids, 'nobody was removed');
    assert.is(await originals(bad), before.originals);
    assert.is(await traces(bad, '/var/lib/heal-node/full'), '');

    await empty(bad);
    await empty(well);
    assert.is((await hook(bad, 'health-action')).code, 0);
    await healed(bad);
    await expectHealed(stage, 2, before);
  },
);
