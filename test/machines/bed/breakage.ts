import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';
import { idOf, unitState } from './world.ts';

const member = (machine: TestMachine): string => join(machine.dataDisk, 'default.etcd/member');

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

/** The newest WAL file, and where its records begin (wal/encoder.go: a length of 8 bytes before each). */
function walRecords(machine: TestMachine): { path: string; starts: number[] } {
  const name = readdirSync(join(member(machine), 'wal')).findLast((file) => file.endsWith('.wal'));
  const path = join(member(machine), 'wal', String(name));
  const bytes = readFileSync(path);
  const starts: number[] = [];
  // One that etcd was about to lengthen again when it was stopped ends with its last record (wal.go, ZeroToEnd).
  for (let at = 0; at + 8 <= bytes.length && bytes.readBigInt64LE(at) !== 0n; ) {
    const frame = bytes.readBigUInt64LE(at);
    const padding = frame >> 63n === 1n ? Number((frame >> 56n) & 7n) : 0;
    starts.push(at + 8);
    at += 8 + Number(frame & ((1n << 56n) - 1n)) + padding;
  }
  return { path, starts };
}

/**
 * Changes bytes of a record in the middle of the newest WAL file: its data, or the tag that it begins with. Not into
 * zeros: where a record's part in a sector is nothing else, it is torn to etcd, which repairs that (wal/decoder.go).
 */
function damageWal(machine: TestMachine, what: 'data' | 'tag'): void {
  const { path, starts } = walRecords(machine);
  const middle = starts[Math.floor(starts.length / 2)] ?? 0;
  if (what === 'tag') overwrite(path, middle, Buffer.of(0x07));
  else overwrite(path, middle + 16, Buffer.alloc(4, 0xff));
}

/** Zeroes the last record and everything after it: what a torn write leaves. */
export function damageTail(machine: TestMachine): void {
  const { path, starts } = walRecords(machine);
  const last = (starts.at(-1) ?? 8) - 8;
  overwrite(path, last, Buffer.alloc(4096));
}

/** Leaves of the WAL what it is made with, CRC, metadata and a snapshot at index 0, and no database. */
export function keepOnlyBirth(machine: TestMachine): void {
  const { path, starts } = walRecords(machine);
  const from = (starts[3] ?? 8) - 8;
  overwrite(path, from, Buffer.alloc((starts.at(-1) ?? 0) + 4096 - from));
  rmSync(join(member(machine), 'snap'), { recursive: true });
}

/** As if the first WAL files had been lost: what is left begins at a later index. */
export function keepOnlyLaterWal(machine: TestMachine): void {
  const { path } = walRecords(machine);
  renameSync(path, join(member(machine), 'wal/0000000000000001-00000000000000ff.wal'));
}

/** What can have happened to the data of a member whose etcd does not run, by name; each as docs/failures.md has it. */
const onDisk = {
  'data-gone': (machine: TestMachine) => rmSync(join(machine.dataDisk, 'default.etcd'), { recursive: true }),
  'member-gone': (machine: TestMachine) => rmSync(member(machine), { recursive: true }),
  'wal-gone': (machine: TestMachine) => rmSync(join(member(machine), 'wal'), { recursive: true }),
  'wal-damaged': (machine: TestMachine) => damageWal(machine, 'data'),
  'wal-garbled': (machine: TestMachine) => damageWal(machine, 'tag'),
  'db-damaged': (machine: TestMachine) => overwrite(join(member(machine), 'snap/db'), 0, Buffer.alloc(8192)),
  'db-short': (machine: TestMachine) => {
    const path = join(member(machine), 'snap/db');
    truncateSync(path, Math.floor(statSync(path).size / 3));
  },
} as const;

/** Needs the machine off, or its etcd stopped. */
export type DiskBreakage = keyof typeof onDisk;
/** What happens in the cluster, while the others serve: the machine may be on or off. */
type ClusterBreakage = 'removed';
export type Breakage = DiskBreakage | ClusterBreakage;
export const BREAKAGES = [...(Object.keys(onDisk) as DiskBreakage[]), 'removed'] as const;

/** Breaks the data of a member. The machine must be off, or its etcd stopped. */
export async function breakDisk(machine: TestMachine, how: DiskBreakage): Promise<void> {
  if (machine.isOn) {
    const state = await unitState(machine);
    if (state === 'active' || state === 'activating')
      throw new Error(`${machine.name}: ${how} needs the machine off or its etcd stopped; it is ${state}`);
  }
  onDisk[how](machine);
}

/** Removes a member from the cluster, which serves without it. */
async function removeMember(bed: Bed, machine: TestMachine): Promise<void> {
  const by = bed.machines.find((other) => other !== machine && other.isOn) as TestMachine;
  // Had it been the leader, the others elect one first.
  const id = await until('the others list it', () => idOf(bed, by, machine).catch(() => undefined));
  await until('it is removed', () =>
    bed.etcdctl([by.endpoint], 'member', 'remove', id).catch(() => undefined),
  );
}

export async function breakMember(bed: Bed, machine: TestMachine, how: Breakage): Promise<void> {
  if (how === 'removed') await removeMember(bed, machine);
  else await breakDisk(machine, how);
}

/** The first crash of etcd since it was started by hand or at boot. */
export async function crashed(machine: TestMachine): Promise<void> {
  await until(`etcd on ${machine.name} has crashed`, async () => {
    const shown = await machine.sh('systemctl show etcd -p ActiveState -p NRestarts');
    return /ActiveState=failed/.test(shown) || !/NRestarts=0$/m.test(shown);
  });
}

/**
 * A member that runs goes stale where it stands: its etcd is stopped, its data are broken, and it is started again.
 * Returns at its first crash; `etcdFailed` waits until systemd has given up.
 */
export async function goStale(machine: TestMachine, how: DiskBreakage = 'data-gone'): Promise<void> {
  await machine.sh('systemctl stop etcd');
  await breakDisk(machine, how);
  await machine.sh('systemctl reset-failed etcd; systemctl start --no-block etcd');
  await crashed(machine);
}
