/** Questions to the world that scenarios assert on: the answers come from etcd, systemd and the disk. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HealRecord } from '../../../src/state/heal-record.ts';
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

/** Its heals that are over, the oldest first, as its data disk has them: what waits for one asks often. */
export function pastHeals(machine: TestMachine): HealRecord[] {
  const dir = join(machine.dataDisk, 'heal-node/history');
  if (!existsSync(dir)) return [];
  const entries = readdirSync(dir).filter((name) => /^[^.].*\.json$/.test(name));
  return entries
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as HealRecord)
    .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

/** Answers a linearizable read on its own endpoint. */
export const serves = (bed: Bed, machine: TestMachine): Promise<boolean> =>
  bed.etcdctl([machine.endpoint], 'get', 'no-such-key', '--command-timeout=2s').then(
    () => true,
    () => false,
  );

/** Names, bytes, owners and modes of everything that a heal swaps, as one text to compare. */
export const originals = (machine: TestMachine): Promise<string> =>
  machine.sh(
    'cd /; f=$(ls -d etc/systemd/system/etcd.service etc/systemd/system/etcd.service.d/* opt/app/conf/etcd.env 2>/dev/null); ' +
      '[ -z "$f" ] || { stat -c "%n %a %U:%G" $f; md5sum $f; }',
  );

const HEAL_ID = String.raw`\d{8}T\d{6}Z-[0-9a-f]{6}`;

/** What may stay of heal-node on both disks when nothing is under way, and what the app keeps on the data disk. */
const MAY_STAY = [
  String.raw`/var/lib/heal-node/(member|heal-node\.prom|outcome\.json|deep-check\.json)`,
  String.raw`/var/lib/etcd/(appctl|v3\.backup|heal-node)`,
  '/var/lib/etcd/heal-node/(member|history|aside)',
  String.raw`/var/lib/etcd/heal-node/history/${HEAL_ID}\.json`,
  String.raw`/var/lib/etcd/heal-node/aside/${HEAL_ID}(/(default\.etcd|wal-dir-wal)(\.\d+)?)?`,
].map((path) => new RegExp(`^${path}$`));

/** Units, files never renamed into place, masked names; and all on both disks but etcd's data, their copies, and the notes of a test. */
const FIND_TRACES = String.raw`ls -d /etc/systemd/system/etcd1* /opt/app/conf/etcd1* 2>/dev/null
systemctl list-units --all --plain --no-legend 'etcd1*'
find /etc /opt /run/systemd /var/log/heal-node -regextype posix-extended -regex '.*/\.[^/]+\.[0-9a-f]{24}'
find /etc/systemd/system /run/systemd/system -name 'etcd*' -lname /dev/null
find /var/lib/heal-node /var/lib/etcd -mindepth 1 -regextype posix-extended -regex '/var/lib/etcd/(default.etcd|wal|v2.backup|cut-in)' -prune -o -print -path '*/aside/*/*' -prune
true`;

/**
 * What a heal that is over must not leave: an empty text when there is nothing of it.
 *
 * @param own paths that a story itself has put on one of the disks
 */
export async function traces(machine: TestMachine, ...own: readonly string[]): Promise<string> {
  const found = (await machine.sh(FIND_TRACES)).split('\n').filter(Boolean);
  return found
    .filter((path) => !own.includes(path) && !MAY_STAY.some((pattern) => pattern.test(path)))
    .join('\n');
}

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
