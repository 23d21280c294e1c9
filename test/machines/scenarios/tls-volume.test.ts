import * as assert from 'uvu/assert';
import { promtool } from '../../monitoring/promtool.ts';
import { goStale } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { healed, type Stage, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { DNS, inTls, metadataService, SSHD_UNIT } from '../bed/tls.ts';
import { memberList, originals, pastHeals, traces } from '../bed/world.ts';
import { CUTTER, withCutter } from '../cut/cut-everywhere.ts';

const SSL = '/var/lib/etcd/ssl';
const NAMES = ['ca', 'ca-key', 'client', 'client-key', 'peer', 'peer-key', 'server', 'server-key'];
const STAYS = [SSL, `${SSL}/etcd`, ...NAMES.map((name) => `${SSL}/etcd/${name}.pem`)];

/** With so many effects a heal has added its new member, and not started it. */
const AFTER_ADD = 27;

/** Gone with the power. */
const KNIFE = '/run/systemd/system/heal-node.service.d';

/** etcdctl on a machine, of its own member or of another's, with the app's client certificate. */
const etcdctl = (on: TestMachine, of: TestMachine, words: string): Promise<string> =>
  on.sh(
    `cd ${SSL}/etcd && ETCDCTL_API=3 /opt/etcd/current/etcdctl --cacert ca.pem --cert client.pem --key client-key.pem ` +
      `--endpoints https://${of.name}${DNS}:2379 ${words}`,
  );

/** Names, owners, modes and bytes of its certificates, as a text. */
const certificatesOf = (machine: TestMachine): Promise<string> =>
  machine.sh(`cd ${SSL} && find . -printf '%p %u:%g %m\n' | sort && cat etcd/*.pem | md5sum`);

/** The members' IDs by their names. */
async function idsOf(machine: TestMachine): Promise<Map<string, string>> {
  const rows = (await etcdctl(machine, machine, 'member list')).trim().split('\n');
  return new Map(rows.map((row) => [row.split(', ')[2] ?? '', row.split(', ')[0] ?? '']));
}

/** Everything that must hold after a heal. */
async function expectHealed({ machines }: Stage, bad: TestMachine, before: Before): Promise<void> {
  const witness = machines.find((each) => each !== bad) ?? bad;
  const ids = await idsOf(witness);
  assert.is(ids.size, machines.length, 'as many members as before');
  for (const [name, id] of before.ids)
    if (name === bad.name) assert.is.not(ids.get(name), id, `${name} has a new ID`);
    else assert.is(ids.get(name), id, `${name} keeps its ID`);
  for (const each of machines)
    assert.is(await certificatesOf(each), before.certificates, `${each.name} has the certificates of all`);
  assert.is(await originals(bad), before.originals, 'unit and environment are the originals');
  assert.is(await traces(bad, ...STAYS), '', 'nothing of the swap is left');
  assert.is((await bad.run('ls', '/run/heal-node')).code, 2, 'nor of what was brought');
  assert.is((await bad.hook('health-check')).code, 0);
  assert.is(await etcdctl(bad, bad, 'get kept --print-value-only'), 'value', 'it has the data');
}

interface Before {
  readonly ids: ReadonlyMap<string, string>;
  readonly certificates: string;
  readonly originals: string;
}

scenario(
  'in TLS mode, the volume is lost with all certificates: they come back from a node that serves, or nothing is done',
  inTls(3, withCutter),
  async (stage) => {
    const { bed, machine, machines } = stage;
    const stop = await metadataService(bed);
    try {
      await etcdctl(machine(1), machine(1), 'put kept value');
      for (const each of machines) await each.hook('health-action');
      await machine(3).sh('chgrp daemon /var/lib/heal-node && chmod 0750 /var/lib/heal-node');
      const before = async (bad: TestMachine): Promise<Before> => ({
        ids: await idsOf(bad),
        certificates: await certificatesOf(bad),
        originals: await originals(bad),
      });

      // Not the first node of the list; AppCenter never calls.
      const bad = machine(2);
      const ofBad = await before(bad);
      await bad.powerOff();
      bad.freshDataDisk();
      await bad.powerOn(false);
      await healed(bad);
      await expectHealed(stage, bad, ofBad);
      const did = pastHeals(bad).at(-1)?.steps[0]?.did;
      assert.match(`${did}`, /\/var\/lib\/etcd\/ssl\/etcd is back as 10\.77\.0\.1[13] has it$/);

      // The first node, whose app would make a new authority; its root disk is the image's again.
      const first = machine(1);
      const ofFirst = await before(first);
      await first.powerOff();
      first.freshDataDisk();
      first.resetRootDisk();
      await first.powerOn();
      const start = await first.hook('start');
      assert.is(start.code, 0, start.stdout);
      await healed(first);
      await expectHealed(stage, first, ofFirst);
      assert.match(await first.sh('cat /etc/hosts'), new RegExp(`10\\.77\\.0\\.12 etcd2${DNS}`));

      // What the others offer cannot be used: of another authority, and with a key that does not fit; nor can they be asked.
      const third = machine(3);
      const ofThird = await before(third);
      for (const [other, change] of [
        [
          first,
          'cd etcd; openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 9 -subj /CN=CA',
        ],
        [bad, 'cp etcd/server-key.pem etcd/peer-key.pem'],
      ] as const)
        await other.sh(
          `cp -a ${SSL} /srv/offered; cd /srv/offered; { ${change}; } 2>/dev/null; mkdir -p /run/systemd/system/${SSHD_UNIT}.d; ` +
            `printf '[Service]\\nBindPaths=/srv/offered:${SSL}\\n' >/run/systemd/system/${SSHD_UNIT}.d/offer.conf; ` +
            `systemctl daemon-reload; systemctl restart ${SSHD_UNIT}`,
        );
      await third.sh('systemctl stop etcd; rm -rf /var/lib/etcd/*; systemctl reset-failed etcd');
      const action = await third.hook('health-action');
      assert.is(action.code, 1, action.stdout);
      assert.match(action.stdout, /10\.77\.0\.11: its ca\.pem is not the authority/);
      assert.match(action.stdout, /10\.77\.0\.12: the key of peer\.pem belongs to another certificate/);
      assert.match(action.stdout, /Nothing was changed/);
      assert.is((await third.run('ls', SSL)).code, 2, 'nothing was put in place');
      const again = await third.hook('health-action');
      assert.is(again.code, 3, again.stdout);
      assert.match(again.stdout, /refused before certificates.*they are asked again 10 minutes after it/);
      for (const other of [first, bad]) await other.sh(`systemctl stop ${SSHD_UNIT}`);
      const nobody = await third.cli('heal', '--yes');
      assert.is(nobody.code, 1, nobody.stdout);
      assert.match(nobody.stdout, /10\.77\.0\.11: scp -P 16022: .*Connection refused/);
      assert.is((await third.run('ls', SSL)).code, 2);

      // They have what fits again. The healer is killed when it has put some of it in place.
      for (const other of [first, bad])
        await other.sh(
          `rm -r /srv/offered /run/systemd/system/${SSHD_UNIT}.d; systemctl daemon-reload; systemctl start ${SSHD_UNIT}`,
        );
      await third.sh(
        `mkdir -p ${KNIFE}; printf '[Service]\\nExecStart=\\nExecStart=${CUTTER} 11 kill\\n' >${KNIFE}/cut.conf; systemctl daemon-reload`,
      );
      const heal = await third.cli('heal', '--yes');
      assert.is(heal.code, 0, heal.stdout);
      await healed(third);
      assert.match(
        await third.sh('cat /run/cut'),
        /^certificates: writeFile \/var\/lib\/etcd\/ssl\/etcd\/\S+\.pem/,
      );
      await expectHealed(stage, third, ofThird);
      const asDaemon = 'setpriv --reuid=1 --regid=1 --clear-groups cat /var/lib/heal-node/heal-node.prom';
      const metrics = await third.sh(asDaemon);
      assert.is(await promtool(['check', 'metrics'], `${metrics}\n`), '');
      assert.match(metrics, /^heal_node_heals_total\{outcome="healed"\} 1$/m);
      assert.match(
        metrics,
        /^heal_node_certificate_expiry_timestamp_seconds\{certificate="ETCD_CERT_FILE"\} \d{10}/m,
      );

      // The app switches TLS off while a heal stands still, its new member added by the URL with TLS and not started.
      await third.sh(
        `rm /run/cut; printf '[Service]\\nExecStart=\\nExecStart=${CUTTER} ${AFTER_ADD} power\\n' >${KNIFE}/cut.conf; systemctl daemon-reload`,
      );
      await goStale(third, 'wal-damaged');
      const held = third.hook('health-action');
      const at = async () => (await third.run('cat', '/run/cut')).stdout || undefined;
      const place = await until('the heal stands still', at);
      assert.match(
        place,
        /^add: (addMember|writeFile)/,
        `${place}, after ${await third.sh('cat /run/effects')}`,
      );
      const switched = await Promise.all(machines.map((each) => each.confd({ ETCD_ENABLE_TLS: 'false' })));
      for (const { code, stderr } of switched) assert.is(code, 0, stderr);
      bed.speakTls(false);
      await third.sh('systemctl kill --signal=SIGKILL heal-node.service');
      await held;
      await until('the heal is ended', async () => (await third.hook('health-action')).code === 0);
      await healed(third);
      const urls = (await memberList(bed, third)).map(({ peerUrl }) => peerUrl);
      assert.equal(urls.sort(), machines.map(({ ip }) => `http://${ip}:2380`).sort());
      assert.match(await third.sh('cat /opt/app/conf/etcd.env'), /^ETCD_LISTEN_PEER_URLS=http:/m);
      assert.is(await bed.etcdctl([third.endpoint], 'get', 'kept', '--print-value-only'), 'value');
    } finally {
      await stop();
    }
  },
);
