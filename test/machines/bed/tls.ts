/** What the platform has besides for a cluster in TLS mode: ssh between its nodes, and its metadata service. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedOptions } from './bed.ts';
import { bedScript } from './in-lan.ts';
import { BRIDGE_IP, ipOf } from './lan.ts';
import { until } from './sh.ts';

/** What follows `etcd<sid>` in the members' names. */
export const DNS = '.cl-healnode.etcd';

/** As the app's own, but for its port: an sshd of a unit of ours, as Debian's would have port 22. */
export const SSHD_UNIT = 'ssh-16022.service';
const sshdText = `[Unit]
After=network.target

[Service]
RuntimeDirectory=sshd
ExecStart=/usr/sbin/sshd -D -p 16022
`;

/** As the app's image: etcd.env is there, and empty, and the unit is enabled by the app's start alone. */
function image(dir: string): void {
  const units = join(dir, 'etc/systemd/system');
  writeFileSync(join(units, SSHD_UNIT), sshdText);
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  symlinkSync(`../${SSHD_UNIT}`, join(units, 'multi-user.target.wants', SSHD_UNIT));
  writeFileSync(join(dir, 'opt/app/conf/etcd.env'), '');
  mkdirSync(join(dir, 'etc/systemd/system-preset'), { recursive: true });
  writeFileSync(join(dir, 'etc/systemd/system-preset/00-etcd.preset'), 'disable etcd.service\n');
  writeFileSync(join(dir, 'etc/hosts'), `127.0.0.1 localhost\n${BRIDGE_IP} metadata\n`);
}

/** The members' names for `/etc/hosts`, as the app's view has them. */
const hostNames = (members: number, dns: string): string =>
  Array.from({ length: members }, (_, i) => `${ipOf(i + 1)} etcd${i + 1}${dns}`).join(' ');

/** The options of a bed in TLS mode. */
export const inTls = (
  members: number,
  more: NonNullable<BedOptions['image']> = () => undefined,
): BedOptions => ({
  members,
  tls: true,
  appEnv: {
    ETCD_ENABLE_TLS: 'true',
    ETCD_CLUSTER_DNS: DNS,
    HOSTS_DOMAIN_NAME: hostNames(members, DNS),
  },
  image: async (dir) => {
    image(dir);
    await more(dir);
  },
});

/** The platform's metadata service, beside the machines, until it is stopped: it has what the app has put there. */
export async function metadataService(bed: Bed): Promise<() => Promise<void>> {
  let listens = false;
  const server = bed.inLan(
    bedScript('metadata.ts'),
    [BRIDGE_IP, join(bed.slot.dir, 'nodes/metadata')],
    () => {
      listens = true;
    },
  );
  await until('the metadata service listens', async () => listens);
  return async () => {
    server.kill();
    await server;
  };
}
