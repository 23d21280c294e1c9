import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseShow } from '../../../src/machine/systemd/systemctl.ts';

/** Recorded on systemd 252. */
const SHOWN = `MainPID=0
Result=exit-code
NRestarts=5
ExecMainStartTimestamp=Mon 2026-11-23 17:14:39 UTC
ExecMainPID=122
ExecMainCode=1
ExecMainStatus=1
Id=etcd.service
LoadState=loaded
ActiveState=failed
SubState=failed
FragmentPath=/etc/systemd/system/etcd.service
NeedDaemonReload=yes
InvocationID=8073ca9ba30f4106aa579cbf9ef0a4c9

MainPID=0
LoadState=not-found
ActiveState=inactive
SubState=dead
NeedDaemonReload=no
InvocationID=
ExecMainStartTimestamp=
`;

test('each unit is one block', () => {
  const [etcd, etcd1, ...more] = parseShow(SHOWN);
  assert.is(more.length, 0);
  assert.is(etcd?.result, 'exit-code');
  assert.is(etcd?.restarts, 5);
  assert.is(etcd?.exitPid, 122);
  assert.is(etcd?.startedAtSec, Date.parse('2026-11-23T17:14:39Z') / 1000);
  assert.is(etcd?.needsReload, true);
  assert.is(etcd1?.load, 'not-found');
  assert.is(etcd1?.invocationId, '');
  assert.is(etcd1?.startedAtSec, 0);
});

test('a property that an old systemd does not have is empty or zero', () => {
  const [unit] = parseShow('Id=x.service\nActiveState=active\n');
  assert.equal(
    [unit?.active, unit?.restarts, unit?.invocationId, unit?.needsReload],
    ['active', 0, '', false],
  );
});

test('files are listed one a line, also by the name that an older systemctl gives them', () => {
  const shown = 'DropInPaths=/etc/a.conf /run/b.conf\nExecStart={ path=/opt/etcd ; argv[]=/opt/etcd --x }\n';
  for (const name of ['EnvironmentFiles', 'EnvironmentFile']) {
    const files = `${name}=/etc/a (ignore_errors=no)\n${name}=/etc/b (ignore_errors=yes)\n`;
    const [unit] = parseShow(shown + files);
    assert.equal(unit?.environmentFiles, ['/etc/a', '/etc/b']);
    assert.equal(unit?.dropIns, ['/etc/a.conf', '/run/b.conf']);
    assert.is(unit?.program, '/opt/etcd');
  }
});

test.run();
