/**
 * Records the data dirs that the tests of the examiner read: `bun test/machine/etcd/record.ts BINARY`. Each is what
 * one member of a cluster of three left on the disk, without the zeros at the end of its log.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readImage } from '../../sweep/image.ts';
import { RealEtcd } from '../../sweep/real-etcd.ts';

const [binary = '/opt/etcd/current/etcd', suffix = ''] = process.argv.slice(2);

/** What is done with three members that have just founded a cluster. */
const RECORDED: Readonly<Record<string, (m: RealEtcd, a: RealEtcd) => Promise<void>>> = {
  // What AppCenter's check and a look at the alarms leave in the log of a cluster that nobody has written to.
  founding: async (m) => {
    for (let n = 0; n < 3; n++) await m.health();
    await m.call('maintenance/alarm', { action: 'GET' });
    await m.readAll();
  },
  'one-write': async (m) => {
    await m.put('a', 'b');
  },
  snapshots: async (m) => {
    for (let n = 0; n < 60; n++) await m.put(`key/${n % 50}`, 'x'.repeat(40));
  },
  removed: async (m, a) => {
    await m.put('a', 'b');
    const { members } = (await a.call('cluster/member/list', {})) as {
      members: { ID: string; name: string }[];
    };
    const own = members.find(({ name }) => name === 'm');
    await a.answers(() => a.call('cluster/member/remove', { ID: own?.ID }));
    await Promise.race([m.exited, a.exited]);
  },
};

for (const [name, work] of Object.entries(RECORDED)) {
  const dir = mkdtempSync('/dev/shm/heal-node-record-');
  const flags = ['--snapshot-count', '25', '--strict-reconfig-check=false'];
  const cluster = ['m', 'a', 'b'];
  const started = cluster.map((one) => RealEtcd.start(binary, dir, { name: one, cluster, flags }));
  for (const one of started) if (!(await one.answers(one.readAll))) throw new Error(one.log());
  const [m, a] = started as [RealEtcd, RealEtcd];
  await work(m, a);
  await Promise.all(started.map((one) => one.stop()));
  const to = join(import.meta.dirname, 'recorded', `${name}${suffix}`);
  rmSync(to, { recursive: true, force: true });
  for (const [path, { bytes }] of readImage(join(dir, 'm'))) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), bytes);
  }
  rmSync(dir, { recursive: true });
}
