import * as assert from 'uvu/assert';
import { scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { keysOn, memberList, serves } from '../bed/world.ts';

const ENV = '/opt/app/conf/etcd.env';
const DATA = '/var/lib/etcd/default.etcd';

scenario(
  'with the gate in place and the mark on both disks, scaling out, restore and repair by the app still work',
  { proxy: true },
  async (stage) => {
    const { bed, machine, machines, client } = stage;
    const nodes = machines.slice(0, 3);
    const added = machine(4);
    const writer = client();
    await writer.writes(50);
    await writer.stop();
    for (const each of nodes) await each.hook('health-action');
    const healthy = async (each: typeof added) =>
      until(`${each.name} is healthy`, async () => (await each.hook('health-check')).code === 0);

    // Scaling out: `member add`, and the new node starts with state existing.
    const add = (each: typeof added) =>
      until(`${each.name} is added`, () =>
        bed
          .etcdctl([machine(1).endpoint], 'member', 'add', each.name, `--peer-urls=http://${each.ip}:2380`)
          .catch(() => undefined),
      );
    await add(added);
    await added.sh(
      `systemctl stop etcd; sed -i -e s/etcd-proxy/etcd-node/ -e 's/^STABLE_NODES="/&4=${added.ip} /' /opt/app/bin/.env; ` +
        '/opt/app/bin/ctl.sh start >/dev/null 2>&1 & sleep 0.2; true',
    );
    await until('its environment is written', async () =>
      (await added.sh(`cat ${ENV}`)).includes('ETCD_NAME=etcd4'),
    );
    await added.sh(
      `systemctl stop etcd; rm -rf ${DATA}; sed -i s/CLUSTER_STATE=new/CLUSTER_STATE=existing/ ${ENV}; systemctl reset-failed etcd; systemctl start etcd`,
    );
    await healthy(added);
    assert.is((await memberList(bed, machine(1))).length, 4);

    // Scaling in again.
    const { id } = (await memberList(bed, machine(1))).find(({ name }) => name === added.name) ?? { id: '' };
    await added.sh('systemctl stop etcd');
    await until('it is removed', () =>
      bed.etcdctl([machine(1).endpoint], 'member', 'remove', id).catch(() => undefined),
    );
    const deleted = await added.hook('health-action');
    assert.is.not(deleted.code, undefined);
    assert.is((await memberList(bed, machine(1))).length, 3, 'a node that was scaled in is not healed');

    // Restore: every node's data are made anew from one snapshot, and all are started by the app.
    const cluster = nodes.map(({ name, ip }) => `${name}=http://${ip}:2380`).join(',');
    await nodes[0]?.sh(
      'ETCDCTL_API=3 /opt/etcd/current/etcdctl --endpoints=http://10.77.0.11:2379 snapshot save /root/snap',
    );
    const snapshot = await nodes[0]?.sh('base64 -w0 /root/snap');
    for (const each of nodes)
      await each.sh(
        `systemctl stop etcd; rm -rf ${DATA}; echo ${snapshot} | base64 -d >/root/snap; ` +
          `ETCDCTL_API=3 /opt/etcd/current/etcdctl snapshot restore /root/snap --name ${each.name} --data-dir ${DATA} ` +
          `--initial-cluster ${cluster} --initial-cluster-token etcd-cl-healnode --initial-advertise-peer-urls http://${each.ip}:2380 2>/dev/null`,
      );
    const started = await Promise.all(nodes.map((each) => each.hook('start')));
    assert.equal(
      started.map(({ code }) => code),
      [0, 0, 0],
      started.map(({ stdout }) => stdout).join(' '),
    );
    for (const each of nodes) await healthy(each);
    const keys = await keysOn(bed, machine(1), 'w/');
    assert.equal(
      writer.acknowledged.filter((key) => !keys.has(key)),
      [],
    );
    assert.not.match(
      (await machine(1).cli('status')).stdout,
      /Beware/,
      'the birthmark came with the snapshot',
    );

    // Repair: one node goes on alone with its data, the others begin anew and join it.
    const [one, ...rest] = nodes;
    if (one === undefined) throw new Error('no node');
    for (const each of nodes) await each.sh('systemctl stop etcd');
    await one.sh(
      `echo ETCD_FORCE_NEW_CLUSTER=true >>${ENV}; systemctl start etcd; sed -i /FORCE_NEW/d ${ENV}`,
    );
    await until('it serves alone', () => serves(bed, one));
    for (const each of rest) {
      await add(each);
      const known = (await memberList(bed, one))
        .map(({ name, peerUrl }) => `${name || each.name}=${peerUrl}`)
        .join(',');
      await each.sh(
        `rm -rf ${DATA}; sed -i -e s/CLUSTER_STATE=new/CLUSTER_STATE=existing/ -e 's#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=${known}#' ${ENV}; systemctl start etcd`,
      );
      await healthy(each);
    }
    assert.is((await memberList(bed, one)).length, 3);
  },
);
