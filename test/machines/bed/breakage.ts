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
import { idOf } from './world.ts';

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
  for (let at = 0; bytes.readBigInt64LE(at) !== 0n; ) {
    const frame = bytes.readBigUInt64LE(at);
    const padding = frame >> 63n === 1n ? Number((frame >> 56n) & 7n) : 0;
    starts.push(at + 8);
    at += 8 + Number(frame & ((1n << 56n) - 1n)) + padding;
  }
  return { path, starts };
}

/** Changes bytes of a record in the middle of the newest WAL file: its data, or the tag that it begins with. */
function damageWal(machine: TestMachine, what: 'data' | 'tag'): void {
  const { path, starts } = walRecords(machine);
  const middle = starts[Math.floor(starts.length / 2)] ?? 0;
  overwrite(path, what === 'tag' ? middle : middle + 16, Buffer.alloc(what === 'tag' ? 1 : 4, 0));
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

/** Ways in which a machine that is off can have lost its data, by name; each as docs/failures.md has it. */
export const breakages = {
  'data-gone': (machine: TestMachine) => rmSync(join(machine.dataDisk, 'default.etcd'), { recursive: true }),
  'wal-gone': (machine: TestMachine) => rmSync(join(member(machine), 'wal'), { recursive: true }),
  'wal-damaged': (machine: TestMachine) => damageWal(machine, 'data'),
  'wal-garbled': (machine: TestMachine) => damageWal(machine, 'tag'),
  'db-damaged': (machine: TestMachine) => overwrite(join(member(machine), 'snap/db'), 0, Buffer.alloc(8192)),
  'db-short': (machine: TestMachine) => {
    const path = join(member(machine), 'snap/db');
    truncateSync(path, Math.floor(statSync(path).size / 3));
  },
  removed: async (machine: TestMachine, bed: Bed, by: TestMachine) => {
    // Had it been the leader, the others elect one first.
    const id = await idOf(bed, by, machine);
    await until('it is removed', () =>
      bed.etcdctl([by.endpoint], 'member', 'remove', id).catch(() => undefined),
    );
  },
} as const;

export type Breakage = keyof typeof breakages;
