import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { DNS, inTls, metadataService } from '../bed/tls.ts';
import { etcdFailed, memberList, originals, traces } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

const SSL = '/var/lib/etcd/ssl';
/** Names, owners, modes and bytes of a node's certificates. */
const CERTIFICATES = `cd ${SSL} && find . -printf '%p %u:%g %m\n' | sort && cat etcd/*.pem | md5sum`;

scenario(
  'what plan --manual prints heals when it is pasted into a shell, and stops where something fails',
  inTls(3),
  async (stage) => {
    const { bed, machine, machines } = stage;
    const bad = machine(2);
    const stop = await metadataService(bed);
    /** Pastes it into a shell on a terminal, as a person does: what comes after a failure is another command. */
    const paste = async (text: string) => {
      await bad.sh(`cat >/root/pasted <<'END OF IT'\n${text}\necho "the shell goes on"\nexit\nEND OF IT`);
      return (await bad.sh('script -qec "bash --norc -i" /dev/null </root/pasted')).replaceAll('\r', '');
    };
    const manual = async () => {
      const { code, stdout, stderr } = await bad.cli('plan', '--manual');
      assert.is(code, 0, stderr);
      return stdout;
    };
    try {
      assert.match(await manual(), /^# There is nothing to heal: the verdict is healthy \(/);
      const was = { certificates: await bad.sh(CERTIFICATES), originals: await originals(bad) };
      await bad.cli('pause', '--for', '9h', '--reason', 'a colleague is at it');

      // The volume is lost with all certificates, a name, etcd.env, and what the node remembers; the first node that could
      // offer certificates has not all.
      await machine(1).sh(`mv ${SSL}/etcd/ca-key.pem /root/`);
      await bad.sh(
        `systemctl stop etcd; rm -rf /var/lib/etcd/*; systemctl reset-failed etcd; sed -i '/etcd3${DNS}/d' /etc/hosts; : >/opt/app/conf/etcd.env; rm -f /var/lib/heal-node/member`,
      );
      const whole = await paste(await manual());
      assert.match(whole, /^10\.77\.0\.11: lacks ca-key\.pem$/m);
      assert.match(whole, /^Done\. /m, whole);
      assert.is(await bad.sh(CERTIFICATES), was.certificates);
      assert.is(await originals(bad), was.originals);
      assert.match(await bad.sh('cat /etc/hosts'), new RegExp(`^10\\.77\\.0\\.13 etcd3${DNS}$`, 'm'));
      await until(
        'nothing is left of what was asked with, by the service either, which the gate had begun',
        async () => (await bad.run('ls', '/run/heal-node/client')).code === 2,
      );
      assert.is((await bad.hook('health-check')).code, 0);
      assert.match(
        (await bad.cli('status')).stdout,
        /heals are paused on this node .*: a colleague is at it;/,
      );
      await machine(1).sh(`mv /root/ca-key.pem ${SSL}/etcd/`);

      // The list is not what it was when it was printed: it stops there, and the shell that it was pasted into goes on.
      await goStale(bad, 'wal-damaged');
      await etcdFailed(bad);
      const printed = await manual();
      assert.match(printed, /^oldId='[0-9a-f]+'$/m);
      const stopped = await paste(printed.replace(/^oldId=.*$/gm, "oldId='dead'"));
      assert.match(stopped, /Stopped: dead is not the ID that is listed with https:/);
      assert.match(stopped, /the shell goes on/);
      assert.not.match(stopped, /^== add/m);

      // What is left is printed anew, and goes on from there: with the URLs of the app, which has switched TLS off since.
      const switched = await Promise.all(machines.map((each) => each.confd({ ETCD_ENABLE_TLS: 'false' })));
      for (const { code, stderr } of switched) assert.is(code, 0, stderr);
      bed.speakTls(false);
      const before = { ids: await idsOf(stage), originals: '' };
      const rest = await manual();
      assert.not.match(rest, /== (certificates|fence|set-aside) /);
      const done = await paste(rest);
      assert.match(done, /^Done\. What was set aside stays in/m, done);
      const urls = (await memberList(bed, machine(1))).map(({ peerUrl }) => peerUrl);
      assert.equal(urls.sort(), machines.map(({ ip }) => `http://${ip}:2380`).sort());
      assert.match(await bad.sh('cat /opt/app/conf/etcd.env'), /^ETCD_LISTEN_PEER_URLS=http:/m);
      await bad.cli('unpause');
      await bad.sh(`rm -rf /var/lib/etcd/default.etcd.by-hand-* /root/pasted ${SSL}`);
      // What the gate has asked for, where etcd.env was lost, waits for the end of the pause, and finds nothing to do.
      await until('nothing of ours is under way', async () => (await traces(bad)) === '');
      // The app has written etcd.env anew.
      await expectHealed(stage, 2, { ...before, originals: await originals(bad) });
    } finally {
      await stop();
    }
  },
);
