import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { originals } from '../bed/world.ts';
import { idsOf } from './stories.ts';

scenario('nothing at all happens on a healthy cluster in many checks', { proxy: true }, async (stage) => {
  const { machine, machines, appCenter } = stage;
  const members = machines.filter(({ sid }) => sid <= 3);
  const proxy = machine(4);
  const everything = () =>
    Promise.all(
      machines.map((each) =>
        // The deep check, which a healthy member runs now and then, writes down what it found.
        each.sh(
          'systemctl show etcd -p InvocationID,NRestarts,ExecMainPID; ls -lR --time-style=+ /etc/systemd /opt/app; ls /var/log/heal-node /var/lib/heal-node 2>&1 | grep -v -e deep-check.json -e heal-node.prom; true',
        ),
      ),
    );
  // The first deeper check in which all are well remembers the cluster: that is not asked here.
  const remembers =
    'rm -f /var/lib/heal-node/deep-check.json; /opt/heal-node/bin/health-check; ls /var/lib/heal-node/member';
  await until('each member remembers the cluster', async () => {
    const marked = members.map((each) =>
      each.sh(remembers).then(
        () => true,
        () => false,
      ),
    );
    return (await Promise.all(marked)).every(Boolean);
  });
  const proxyBefore = await originals(proxy);
  const ids = await idsOf({ ...stage, machines: members });
  const before = await everything();

  const platform = appCenter(300);
  await until('thirty checks on each node', async () =>
    machines.every((each) => platform.events.filter((event) => event.machine === each).length >= 30),
  );
  await platform.stop();

  assert.ok(
    platform.events.every(({ code, kind, output }) => kind === 'check' && code === 0 && output === ''),
  );
  assert.equal(await everything(), before, 'no process, file or link has changed');
  assert.equal(await idsOf({ ...stage, machines: members }), ids);

  // All is in place for the day it is needed; and where something is not, the doctor says what to do.
  const sound = await machine(1).cli('doctor');
  assert.is(sound.code, 0, sound.stdout);
  await machine(3).sh(
    'rm /etc/systemd/system/etcd.service.d/10-heal-node-gate.conf; systemctl daemon-reload',
  );
  const spoilt = await machine(3).cli('doctor');
  assert.is(spoilt.code, 4);
  const findings = spoilt.stdout.split('\n').filter((line) => line.includes('FIX'));
  assert.is(findings.length, 2, spoilt.stdout);
  assert.match(
    findings.join('\n'),
    /FIX {2}installed: .*heal-node install.*\n.*FIX {2}gate: .*daemon-reload/,
  );

  // The action on a healthy member does nothing; on a proxy it is the app's own restart, and nothing else.
  const acted = await machine(1).hook('health-action');
  assert.is(acted.code, 0);
  assert.match(acted.stdout, /healthy\/serves.*Nothing is done/);
  const main = (each: typeof proxy) => each.sh('systemctl show etcd -p ExecMainPID');
  const [memberPid, proxyPid] = [await main(machine(1)), await main(proxy)];
  assert.is((await proxy.hook('health-action')).code, 0);
  assert.is(await main(machine(1)), memberPid);
  assert.is.not(await main(proxy), proxyPid, "the proxy was restarted by the app's own script");
  assert.is(
    (await proxy.run('ls', '/var/log/heal-node/heal-node.log')).code,
    2,
    'heal-node did nothing of its own on the proxy',
  );
  assert.is(
    await originals(proxy),
    proxyBefore,
    'unit and environment of the proxy are byte for byte the same',
  );
  assert.match(proxyBefore, /etcd\.service 644 root:root\n(.*\n)*.*etcd\.env 640 root:etcd/);
});
