/** Questions to the world that scenarios assert on: the answers come from etcd, systemd and the disk. */
import type { Bed } from './bed.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';

export interface Listed {
  readonly id: string;
  readonly started: boolean;
  readonly name: string;
  readonly peerUrl: string;
}

export async function memberList(bed: Bed, from: TestMachine): Promise<Listed[]> {
  const text = await bed.etcdctl([from.endpoint], 'member', 'list');
  return text.split('\n').map((line) => {
    const [id = '', state = '', name = '', peerUrl = ''] = line.split(', ');
    return { id, started: state === 'started', name, peerUrl };
  });
}

export async function idOf(bed: Bed, from: TestMachine, machine: TestMachine): Promise<string> {
  const found = (await memberList(bed, from)).find(({ name }) => name === machine.name);
  if (found === undefined) throw new Error(`${machine.name} is not listed`);
  return found.id;
}

export const unitState = async (machine: TestMachine, unit = 'etcd'): Promise<string> =>
  (await machine.run('systemctl', 'is-active', unit)).stdout;

export const etcdFailed = (machine: TestMachine): Promise<string> =>
  until(
    `etcd on ${machine.name} has failed for good`,
    async () => (await unitState(machine)) === 'failed' && 'failed',
    // Before each of its starts the gate asks the others, of whom some may be silent.
    180_000,
  );

/** Answers a linearizable read on its own endpoint. */
export const serves = (bed: Bed, machine: TestMachine): Promise<boolean> =>
  bed.etcdctl([machine.endpoint], 'get', 'no-such-key', '--command-timeout=2s').then(
    () => true,
    () => false,
  );

/** Names, bytes, owners and modes of everything that a heal swaps, as one text to compare. */
export const originals = (machine: TestMachine): Promise<string> =>
  machine.sh(
    'cd /; for f in etc/systemd/system/etcd.service etc/systemd/system/etcd.service.d/* opt/app/conf/etcd.env; do ' +
      '[ -e "$f" ] || continue; stat -c "%n %a %U:%G" "$f"; md5sum < "$f"; done',
  );

/** What a heal that is over must not leave: an empty text when there is nothing of it. */
export const traces = (machine: TestMachine): Promise<string> =>
  machine.sh(
    'ls -d /etc/systemd/system/etcd1* /opt/app/conf/etcd1* /var/lib/heal-node/originals /var/lib/heal-node/request.json ' +
      '/var/lib/etcd/heal-node/journal.json 2>/dev/null; systemctl list-units --all --plain --no-legend "etcd1*"; ' +
      "find / -xdev -name '.*.[0-9a-f]*' -newer /etc/hostname -path '*etcd*' 2>/dev/null; true",
  );

/** `endpoint hashkv` at the newest revision that every member has; one row a member. */
export async function hashes(bed: Bed, machines: readonly TestMachine[]): Promise<string[]> {
  const endpoints = machines.map(({ endpoint }) => endpoint);
  const status = await bed.etcdctl(endpoints, 'endpoint', 'status', '--write-out=fields');
  const revisions = [...status.matchAll(/"Revision" : (\d+)/g)].map(([, revision]) => Number(revision));
  const rows = await bed.etcdctl(endpoints, 'endpoint', 'hashkv', `--rev=${Math.min(...revisions)}`);
  return rows.split('\n').map((row) => row.split(', ')[1] ?? '');
}

/** Keys with a prefix, as one member has them itself. */
export async function keysOn(bed: Bed, machine: TestMachine, prefix: string): Promise<Set<string>> {
  const text = await bed.etcdctl(
    [machine.endpoint],
    'get',
    prefix,
    '--prefix',
    '--keys-only',
    '--consistency=s',
  );
  return new Set(text.split('\n').filter(Boolean));
}
