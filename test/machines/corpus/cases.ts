import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import { breakDisk, crashed, damageTail, keepOnlyBirth, keepOnlyLaterWal } from '../bed/breakage.ts';
import { freezeEtcd, thaw, whyNotFrozen } from '../bed/freezer.ts';
import type { TestMachine } from '../bed/machine.ts';
import { sh, until } from '../bed/sh.ts';
import { idOf, serves } from '../bed/world.ts';

export interface Case {
  readonly name: string;
  /** The reason code that `diagnose` must come to. */
  readonly reason: string;
  /** Breaks it. etcd of the machine is stopped, and its data are good. */
  readonly arrange: (bad: TestMachine, bed: Bed) => Promise<unknown> | unknown;
  /**
   * What etcd does then: it has `crashed` once (a stale one, when left out), has `failed` for good (any other), is
   * `running`, or nothing, as it is not started.
   */
  readonly ends?: 'crashed' | 'failed' | 'running' | 'as-it-is';
  /** While it runs, after it. */
  readonly meanwhile?: (bad: TestMachine, bed: Bed) => Promise<unknown>;
  /** How the health action ends, where its verdict alone does not say so. */
  readonly action?: number;
  /** Takes back what the health action, and the environment put back, do not. */
  readonly tidy?: (bad: TestMachine, bed: Bed) => Promise<unknown>;
  /** Not stale, but its data are no good any more: afterwards they are taken away, and it is healed. */
  readonly losesData?: true;
  /** Only a member that has never been healed shows it: etcd knows itself by the ID that it was founded with. */
  readonly founder?: true;
  /** Why this host cannot make it; where it can, or this is left out, nothing. */
  readonly whyNot?: () => string | undefined;
  /** It is broken by its environment, which a heal does not write. */
  readonly editsEnv?: true;
}

/** The squatter is started, and listens a moment later: etcd must not be there first (proc(5): 094C is 2380, 0A listens). */
const UNTIL_IT_LISTENS =
  "until grep -q ':094C 00000000:0000 0A ' /proc/net/tcp; do systemctl is-active --quiet squatter || exit 1; sleep 0.05; done";

const ENV = '/opt/app/conf/etcd.env';
const DATA = '/var/lib/etcd/default.etcd';
const GATE = '/etc/systemd/system/etcd.service.d/10-heal-node-gate.conf';
const setEnv = (bad: TestMachine, ...lines: readonly string[]) =>
  bad.sh(`cat >> ${ENV} <<'X'\n${lines.join('\n')}\nX`);
const others = (bad: TestMachine, bed: Bed) => bed.machines.filter((machine) => machine !== bad);
const first = (bad: TestMachine, bed: Bed) => others(bad, bed)[0] as TestMachine;
const onOthers = (script: string) => (bad: TestMachine, bed: Bed) =>
  Promise.all(others(bad, bed).map((machine) => machine.sh(script)));
const othersServe = (bad: TestMachine, bed: Bed) =>
  until('the others serve', async () =>
    (await Promise.all(others(bad, bed).map((machine) => serves(bed, machine)))).every(Boolean),
  );
/** A WAL that lies outside the data dir, back into it. */
const walBack = (bad: TestMachine) =>
  bad.sh(`systemctl stop etcd; rm -rf ${DATA}/member/wal; mv /var/lib/etcd/wal ${DATA}/member/`);
const startOthers = async (bad: TestMachine, bed: Bed) => {
  await onOthers('systemctl start --no-block etcd')(bad, bed);
};
const remove = async (bad: TestMachine, bed: Bed) => {
  const id = await idOf(bed, first(bad, bed), bad);
  await until('it is removed', () =>
    bed.etcdctl([first(bad, bed).endpoint], 'member', 'remove', id).catch(() => undefined),
  );
};
const add = (bad: TestMachine, bed: Bed) =>
  until('it is added', () =>
    bed
      .etcdctl([first(bad, bed).endpoint], 'member', 'add', bad.name, `--peer-urls=http://${bad.ip}:2380`)
      .catch(() => undefined),
  );

/** Data of a cluster of its own, founded on this machine. */
const foundAnother = (bad: TestMachine) =>
  bad.sh(
    `rm -rf ${DATA}; systemd-run --quiet --unit=other --uid=etcd /opt/etcd/current/etcd --data-dir=${DATA} --initial-cluster-token=other --listen-client-urls=http://127.0.0.1:9979 --advertise-client-urls=http://127.0.0.1:9979 --listen-peer-urls=http://127.0.0.1:9980; until [ -e ${DATA}/member/wal/0000000000000000-0000000000000000.wal ]; do sleep 0.1; done; until ETCDCTL_API=3 /opt/etcd/current/etcdctl --endpoints=http://127.0.0.1:9979 put other data >/dev/null 2>&1; do sleep 0.1; done; systemctl stop other`,
  );

/** The runbook (docs/platform.md), as a person types it on a member whose data are gone. */
const runbook: readonly (readonly [done: string, type: (bad: TestMachine, bed: Bed) => Promise<unknown>])[] =
  [
    [
      'the unit is moved aside',
      (bad) =>
        bad.sh(
          'cd /etc/systemd/system; mv etcd.service etcd1.service; systemctl daemon-reload; systemctl stop etcd || true',
        ),
    ],
    ['the member is removed', remove],
    ['it is added again', add],
    [
      'the copies are made',
      (bad) =>
        bad.sh(
          `rm -rf ${DATA}/*; cd /opt/app/conf; cp -p etcd.env etcd1.env; sed -i s/STATE=new/STATE=existing/ etcd1.env; ` +
            'sed -i s/etcd.env/etcd1.env/ /etc/systemd/system/etcd1.service; systemctl daemon-reload',
        ),
    ],
    ['etcd1 is started', (bad) => bad.sh('systemctl start etcd1')],
    ['the unit is moved back', (bad) => bad.sh('cd /etc/systemd/system; mv etcd1.service etcd.service')],
    ['etcd1.env is deleted', (bad) => bad.sh('rm /opt/app/conf/etcd1.env; systemctl daemon-reload')],
  ];

/** A runbook left after each of its steps: a heal takes it up from there. */
const halfDone: readonly Case[] = runbook.map(([done], last) => ({
  name: `a runbook left when ${done}`,
  reason: 'healing/swapped',
  arrange: async (bad, bed) => {
    await breakDisk(bad, 'data-gone');
    for (const [, type] of runbook.slice(0, last + 1)) await type(bad, bed);
  },
  ends: 'as-it-is',
}));

/** Every kind of docs/failures.md, and some more, as one member of three meets it. */
export const cases: readonly Case[] = [
  {
    name: 'data dir gone',
    founder: true,
    reason: 'stale/already-bootstrapped',
    arrange: (bad) => breakDisk(bad, 'data-gone'),
  },
  {
    name: 'member/ gone',
    founder: true,
    reason: 'stale/already-bootstrapped',
    arrange: (bad) => rmSync(join(bad.dataDisk, 'default.etcd/member'), { recursive: true }),
  },
  {
    name: 'member/wal gone',
    founder: true,
    reason: 'stale/already-bootstrapped',
    arrange: (bad) => breakDisk(bad, 'wal-gone'),
  },
  {
    name: 'member/wal empty',
    founder: true,
    reason: 'stale/already-bootstrapped',
    arrange: (bad) => bad.sh(`rm ${DATA}/member/wal/*`),
  },
  {
    name: 'data gone, zap logs',
    founder: true,
    editsEnv: true,
    reason: 'stale/already-bootstrapped',
    arrange: async (bad) => {
      await breakDisk(bad, 'data-gone');
      await setEnv(bad, 'ETCD_LOGGER=zap');
    },
  },
  {
    name: 'separate WAL dir, gone',
    founder: true,
    editsEnv: true,
    reason: 'stale/already-bootstrapped',
    arrange: async (bad) => {
      await bad.sh(`rm -r ${DATA}/member/wal; install -d -o etcd -g etcd -m 700 /var/lib/etcd/wal`);
      await setEnv(bad, 'ETCD_WAL_DIR=/var/lib/etcd/wal');
    },
    tidy: walBack,
  },
  {
    name: 'data gone, state existing, another leader since',
    founder: true,
    editsEnv: true,
    reason: 'stale/already-bootstrapped',
    arrange: async (bad, bed) => {
      await breakDisk(bad, 'data-gone');
      // Without the gate it would rejoin under its old ID, having forgotten what it had acknowledged.
      for (const other of others(bad, bed)) await other.sh('systemctl restart etcd');
      await othersServe(bad, bed);
      await setEnv(bad, 'ETCD_INITIAL_CLUSTER_STATE=existing');
    },
  },
  { name: 'WAL bytes changed', reason: 'stale/wal-damaged', arrange: (bad) => breakDisk(bad, 'wal-damaged') },
  {
    name: 'WAL bytes changed, log in a file',
    editsEnv: true,
    reason: 'stale/wal-damaged',
    arrange: async (bad) => {
      await breakDisk(bad, 'wal-damaged');
      await bad.sh('install -o etcd -g etcd -m 600 /dev/null /var/log/etcd.log');
      await setEnv(bad, 'ETCD_LOGGER=zap', 'ETCD_LOG_OUTPUTS=/var/log/etcd.log');
    },
    tidy: (bad) => bad.sh('rm -f /var/log/etcd.log'),
  },
  {
    name: 'WAL bytes changed in a separate WAL dir',
    editsEnv: true,
    reason: 'stale/wal-damaged',
    arrange: async (bad) => {
      await breakDisk(bad, 'wal-damaged');
      await bad.sh(`mv ${DATA}/member/wal /var/lib/etcd/wal`);
      await setEnv(bad, 'ETCD_WAL_DIR=/var/lib/etcd/wal');
    },
    tidy: walBack,
  },
  {
    name: 'a WAL record garbled',
    reason: 'stale/wal-damaged',
    arrange: (bad) => breakDisk(bad, 'wal-garbled'),
  },
  { name: 'WAL files missing', reason: 'stale/wal-damaged', arrange: (bad) => keepOnlyLaterWal(bad) },
  {
    name: 'tail of the WAL zeroed',
    reason: 'healthy/serves',
    arrange: (bad) => damageTail(bad),
    ends: 'running',
  },
  {
    name: 'an older copy of the data',
    reason: 'stale/log-short',
    arrange: async (bad, bed) => {
      await bad.sh(`cp -a --sparse=always ${DATA} /var/lib/etcd/older; systemctl start etcd`);
      await until('it has more', async () => {
        await bed.etcdctl([bad.endpoint], 'put', 'corpus', String(Math.random()));
        return true;
      });
      await bad.sh(`systemctl stop etcd; rm -r ${DATA}; mv /var/lib/etcd/older ${DATA}`);
    },
  },
  {
    name: 'removed and added, data of the old ID cut off at birth',
    reason: 'stale/removed',
    arrange: async (bad, bed) => {
      await remove(bad, bed);
      await add(bad, bed);
      // As where there is no gate yet: it makes up its first ID again, and is turned away.
      await bad.sh(
        `mv ${GATE} /root/; systemctl daemon-reload; rm -rf ${DATA}; systemctl start --no-block etcd`,
      );
      // It ends again and again, and on a busy machine not often enough for systemd to give up.
      await crashed(bad);
      await bad.sh('systemctl stop etcd');
      keepOnlyBirth(bad);
      await bad.sh(
        'systemctl reset-failed etcd; systemctl start --no-block etcd; ' +
          `mv /root/10-heal-node-gate.conf ${GATE}; systemctl daemon-reload`,
      );
    },
    ends: 'as-it-is',
  },
  { name: 'snap/db damaged', reason: 'stale/db-damaged', arrange: (bad) => breakDisk(bad, 'db-damaged') },
  {
    name: 'snap/db too small',
    reason: 'stale/db-damaged',
    arrange: (bad) => bad.sh(`truncate -s 4096 ${DATA}/member/snap/db`),
  },
  { name: 'snap/db cut short', reason: 'stale/db-damaged', arrange: (bad) => breakDisk(bad, 'db-short') },
  {
    name: 'peer port taken',
    action: 1,
    reason: 'local-fault/port-taken',
    arrange: (bad) =>
      bad.sh(
        `systemd-run --quiet --unit=squatter perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalAddr => "${bad.ip}", LocalPort => 2380, Listen => 1, ReuseAddr => 1) or die; sleep 999'; ${UNTIL_IT_LISTENS}`,
      ),
    tidy: (bad) => bad.sh('systemctl stop squatter'),
  },
  {
    name: 'listens on an address of another machine',
    reason: 'local-fault/address-missing',
    arrange: (bad) => setEnv(bad, 'ETCD_LISTEN_PEER_URLS=http://10.99.0.1:2380'),
  },
  {
    name: 'data dir owned by root',
    reason: 'local-fault/permission',
    arrange: (bad) => bad.sh(`chown -R root: ${DATA}`),
  },
  {
    name: 'garbage in etcd.env',
    reason: 'local-fault/bad-setting',
    arrange: (bad) => setEnv(bad, 'ETCD_HEARTBEAT_INTERVAL=abc'),
  },
  {
    name: 'no data dir in etcd.env',
    action: 0,
    reason: 'unknown/settings',
    arrange: (bad) => setEnv(bad, 'ETCD_DATA_DIR='),
    ends: 'as-it-is',
  },
  { name: 'etcd.env missing', reason: 'local-fault/unit', action: 0, arrange: (bad) => bad.sh(`rm ${ENV}`) },
  {
    name: "etcd's binary missing",
    action: 1,
    reason: 'local-fault/unit',
    arrange: (bad) => bad.sh('mv /opt/etcd/current/etcd /opt/etcd/current/etcd.away'),
    tidy: (bad) => bad.sh('mv /opt/etcd/current/etcd.away /opt/etcd/current/etcd'),
  },
  {
    name: 'a certificate that is not there',
    reason: 'local-fault/certificate',
    arrange: (bad) =>
      setEnv(
        bad,
        'ETCD_CERT_FILE=/no.pem',
        'ETCD_KEY_FILE=/no.key',
        `ETCD_LISTEN_CLIENT_URLS=https://${bad.ip}:2379`,
      ),
  },
  {
    name: 'disk full',
    action: 1,
    reason: 'local-fault/disk-full',
    arrange: async (bad, bed) => {
      await bad.sh(
        `mkdir /root/full; mount -t tmpfs -o size=32m tmpfs /root/full; cp -a --sparse=always ${DATA}/. /root/full/; ` +
          `chown --reference=${DATA} /root/full; chmod 700 /root/full; dd if=/dev/zero of=/root/full/full bs=64k status=none; ` +
          `mount --move /root/full ${DATA} 2>/dev/null || { mount --bind /root/full ${DATA}; }; systemctl start --no-block etcd`,
      );
      // The last page of its log may have room for all that it writes by itself.
      const by = bed.machines.find((machine) => machine !== bad) as TestMachine;
      await bed.etcdctl([by.endpoint], 'put', 'fills-the-page', 'x'.repeat(16_384));
      await crashed(bad);
    },
    ends: 'as-it-is',
    tidy: (bad) =>
      bad.sh(`systemctl stop etcd; umount ${DATA}; umount /root/full 2>/dev/null; rmdir /root/full; true`),
  },
  {
    name: 'a read-only disk',
    action: 1,
    reason: 'local-fault/read-only',
    arrange: (bad) => bad.sh(`mount --bind ${DATA} ${DATA}; mount -o remount,bind,ro ${DATA}`),
    tidy: (bad) => bad.sh(`systemctl stop etcd; umount ${DATA}`),
  },
  {
    name: 'killed again and again',
    reason: 'local-fault/killed',
    arrange: async (bad) => {
      await bad.sh('systemctl start etcd');
      await until('systemd has given up', async () =>
        (
          await bad.sh(
            'systemctl kill --kill-who=main --signal=SIGKILL etcd 2>/dev/null; systemctl is-failed --quiet etcd && echo yes || true',
          )
        ).includes('yes'),
      );
    },
    ends: 'as-it-is',
  },
  {
    name: 'data of another cluster',
    losesData: true,
    reason: 'local-fault/other-cluster',
    arrange: foundAnother,
    ends: 'as-it-is',
  },
  {
    name: 'data of another cluster, running',
    action: 3,
    losesData: true,
    reason: 'local-fault/other-cluster',
    arrange: foundAnother,
    ends: 'running',
  },
  {
    name: "a copy of member 3's disk, before it is started",
    reason: 'stale/clone',
    arrange: async (bad, bed) => {
      const third = others(bad, bed)[1] as TestMachine;
      await third.sh(
        `systemctl stop etcd; rm -rf /root/copy; cp -a --sparse=always ${DATA} /root/copy; systemctl start etcd`,
      );
      rmSync(join(bad.dataDisk, 'default.etcd'), { recursive: true });
      await sh(
        'cp',
        '-a',
        '--sparse=always',
        third.onRootDisk('/root/copy'),
        join(bad.dataDisk, 'default.etcd'),
      );
      await othersServe(bad, bed);
    },
    ends: 'as-it-is',
  },
  {
    name: 'stopped by hand',
    reason: 'stopped/inactive',
    arrange: () => undefined,
    ends: 'as-it-is',
  },
  {
    name: 'its process stopped by a signal',
    reason: 'hung/stands-still',
    arrange: () => undefined,
    ends: 'running',
    meanwhile: (bad) => bad.sh('systemctl kill --signal=SIGSTOP etcd'),
  },
  {
    name: 'its process frozen in the kernel (state D)',
    reason: 'hung/stands-still',
    arrange: () => undefined,
    ends: 'running',
    whyNot: whyNotFrozen,
    meanwhile: async (bad, bed) => freezeEtcd(bed, bad),
    tidy: (_, bed) => thaw(bed),
  },
  {
    name: 'an alarm: no space on this member',
    reason: 'alarmed/raised',
    arrange: (bad) => setEnv(bad, 'ETCD_QUOTA_BACKEND_BYTES=4096'),
    ends: 'running',
    meanwhile: async (bad, bed) => {
      await bed.etcdctl([bad.endpoint], 'put', 'corpus', 'x').catch(() => undefined);
      await until(
        'the alarm is raised',
        async () => (await bed.etcdctl([bad.endpoint], 'alarm', 'list')) !== '',
      );
    },
    tidy: (bad, bed) => bed.etcdctl([first(bad, bed).endpoint], 'alarm', 'disarm'),
  },
  {
    name: 'its cable cut',
    reason: 'partitioned/peers-out-of-reach',
    arrange: () => undefined,
    ends: 'running',
    meanwhile: (bad) => bad.cable('down'),
    tidy: (bad) => bad.cable('up'),
  },
  {
    name: 'the others stopped',
    reason: 'quorum-lost/others-silent',
    arrange: () => undefined,
    ends: 'running',
    meanwhile: onOthers('systemctl stop etcd'),
    tidy: startOthers,
  },
  {
    name: 'data gone, the others stopped',
    losesData: true,
    reason: 'amnesia/alone-without-data',
    arrange: async (bad, bed) => {
      await breakDisk(bad, 'data-gone');
      await onOthers('systemctl stop etcd')(bad, bed);
    },
    ends: 'as-it-is',
    tidy: async (bad, bed) => {
      await startOthers(bad, bed);
      await othersServe(bad, bed);
    },
  },
  ...halfDone,
  {
    name: 'removed meanwhile',
    reason: 'stale/removed',
    arrange: remove,
  },
  {
    name: 'removed and added, data gone, the list too short',
    reason: 'stale/half-added',
    arrange: async (bad, bed) => {
      await remove(bad, bed);
      await add(bad, bed);
      await breakDisk(bad, 'data-gone');
      await setEnv(
        bad,
        'ETCD_INITIAL_CLUSTER_STATE=existing',
        `ETCD_INITIAL_CLUSTER=${bad.name}=http://${bad.ip}:2380,${first(bad, bed).name}=http://${first(bad, bed).ip}:2380`,
      );
    },
    editsEnv: true,
  },
  {
    name: 'data gone, and the journal with them',
    founder: true,
    reason: 'stale/already-bootstrapped',
    arrange: (bad) => breakDisk(bad, 'data-gone'),
    meanwhile: (bad) =>
      bad.sh('rm -rf /run/log/journal/* /var/log/journal/*; systemctl restart systemd-journald'),
  },
];
